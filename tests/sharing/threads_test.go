// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// wait is how long a call waits for other processes, and told how much later it has to
// have answered on a machine that is busy. It is no promise of speed: threads that wait one
// after the other take several times as long.
const (
	wait = 5 * time.Second
	told = 4 * time.Second
)

// TestThreadsBesideAStoppedWriter stops a process in a change, and has eight threads of
// another one change the token at the same time. Each is told that the token is busy as if
// it were alone, and signatures beside them go on. When the writer goes on all works.
func TestThreadsBesideAStoppedWriter(t *testing.T) {
	harness.SoftOnly(t, "the vendor's C API is asked for each signature")
	p := build(t)
	for _, change := range []string{"create", "pair", "destroy"} {
		t.Run(change, func(t *testing.T) {
			first := newThreadStand(t, p, change)
			steps := first.steps()
			points := size(4, len(steps))
			stands := []*threadStand{first}
			for len(stands) < points {
				stands = append(stands, newThreadStand(t, p, change))
			}
			var all sync.WaitGroup
			for i, s := range stands {
				all.Go(func() { s.err = s.visitStep(1 + i*len(steps)/points) })
			}
			all.Wait()
			reportThreads(t, stands)
		})
	}
}

// threadStand is a stand whose other process has several threads.
type threadStand struct {
	*stand
	err      error
	calls    []threadCall
	signed   int
	unsigned int // signatures that failed
	slowest  time.Duration
}

// threadCall is what a thread did, and how it ended.
type threadCall struct {
	name string
	rv   pkcs11.Error
	took time.Duration
}

func newThreadStand(t *testing.T, p *program, change string) *threadStand {
	t.Helper()
	s := &threadStand{stand: newStand(t, p, change)}
	s.meanwhile = s.changeInThreads
	return s
}

// visitStep stops the writer after a step. Afterwards everything works again.
func (s *threadStand) visitStep(step int) error {
	if _, err := s.signer.do("ready before"); err != nil {
		return err
	}
	if err := s.stopAt(step); err != nil {
		return err
	}
	if _, err := s.signer.do("ready after"); err != nil {
		return err
	}
	a, err := s.signer.do("together")
	if err != nil {
		return err
	}
	calls, _ := threadCalls(a)
	for _, c := range calls {
		err = errors.Join(err, code(c.rv))
	}
	return err
}

func (s *threadStand) changeInThreads() error {
	a, err := s.signer.do("together")
	if err != nil {
		return err
	}
	var rest []string
	s.calls, rest = threadCalls(a)
	s.signed, _ = strconv.Atoi(rest[0])
	s.unsigned, _ = strconv.Atoi(rest[1])
	ns, err := strconv.Atoi(rest[2])
	s.slowest = time.Duration(ns)
	return err
}

// threadCalls are those of an answer to "together", and the other words.
func threadCalls(a answer) (calls []threadCall, rest []string) {
	for i, word := range a.words {
		part := strings.Split(word, "=")
		if len(part) != 3 {
			return calls, a.words[i:]
		}
		rv, _ := strconv.ParseUint(part[1], 10, 32)
		ns, _ := strconv.Atoi(part[2])
		calls = append(calls, threadCall{part[0], pkcs11.Error(rv), time.Duration(ns)})
	}
	return calls, nil
}

// reportThreads holds what was counted at all stands against what is promised.
func reportThreads(t *testing.T, stands []*threadStand) {
	t.Helper()
	slowest, signature := threadCall{}, time.Duration(0)
	answers, stops, signed := map[pkcs11.Error]int{}, []string(nil), 0
	for _, s := range stands {
		if s.err != nil {
			t.Errorf("stopped after %v: %v", s.stops, s.err)
		}
		if s.unsigned > 0 {
			t.Errorf("stopped after %v: %d of %d signatures failed", s.stops, s.unsigned, s.signed)
		}
		stops, signed, signature = append(stops, s.stops...), signed+s.signed, max(signature, s.slowest)
		for _, c := range s.calls {
			answers[c.rv]++
			if c.took > slowest.took {
				slowest = c
			}
			if c.rv != pkcs11.CKR_OK && c.rv != pkcs11.CKR_DEVICE_ERROR {
				t.Errorf("stopped after %v: %s answers %v", s.stops, c.name, c.rv)
			}
		}
	}
	t.Logf("%s: stopped after %q; the calls of the threads answered %v, the slowest, %s, after %v; %d signatures, the slowest %v",
		stands[0].change, stops, answers, slowest.name, slowest.took, signed, signature)
	if answers[pkcs11.CKR_DEVICE_ERROR] == 0 {
		t.Error("no thread had to wait in vain")
	}
	if slowest.took > wait+told {
		t.Errorf("%s was told after %v", slowest.name, slowest.took)
	}
	if signature > wait/2 {
		t.Errorf("a signature took %v: it has waited for the writer", signature)
	}
}
