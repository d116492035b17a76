// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// browser is a client that makes one handshake after the other with a server.
type browser struct {
	f       *fleet
	h       *host
	full    *tls.Config
	resumed *tls.Config // has a session
	random  *rand.Rand
	took    []time.Duration
	err     error
}

// newBrowser makes a client with a session that it can resume.
func (f *fleet) newBrowser(h *host, number int) *browser {
	f.t.Helper()
	b := &browser{f: f, h: h, random: rand.New(rand.NewPCG(uint64(number), 17))}
	b.full = &tls.Config{RootCAs: f.roots, ServerName: h.address}
	b.resumed = b.full.Clone()
	b.resumed.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	c, err := h.dial(tlsPort)
	if err == nil {
		err = visit(tls.Client(c, b.resumed))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// visit asks for a page, since the session comes with the answer.
func visit(c *tls.Conn) error {
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	_, err := io.ReadAll(c)
	return err
}

// shake makes a handshake, and returns how long it took.
func (b *browser) shake(resumes bool) (time.Duration, error) {
	config := b.full
	if resumes {
		config = b.resumed
	}
	start := time.Now()
	c, err := b.h.dialHere(tlsPort)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	secure := tls.Client(c, config)
	if err := secure.Handshake(); err != nil {
		return 0, err
	}
	if secure.ConnectionState().DidResume != resumes {
		return 0, errors.New("a session was not resumed, or one that was not to be")
	}
	return time.Since(start), nil
}

// loop makes handshakes, a share of them resumed, and counts those that end in time.
func (b *browser) loop(share float64, until time.Time) {
	runtime.LockOSThread() // the thread is in the host's namespace, and ends with the loop
	for b.err == nil {
		var took time.Duration
		took, b.err = b.shake(b.random.Float64() < share)
		if time.Now().After(until) {
			return
		}
		b.took = append(b.took, took)
	}
}

// loops has clients of each host loop for a time, and returns how long their handshakes took.
func (f *fleet) loops(clients int, share float64, length time.Duration) (took []time.Duration) {
	f.t.Helper()
	var all []*browser
	for i := range clients * len(f.servers) {
		all = append(all, f.newBrowser(f.servers[i%len(f.servers)], i))
	}
	var wait sync.WaitGroup
	until := time.Now().Add(length)
	for _, b := range all {
		wait.Go(func() { b.loop(share, until) })
	}
	wait.Wait()
	for _, b := range all {
		took = append(took, b.took...)
		if b.err != nil {
			f.t.Error(b.err)
		}
	}
	return took
}
