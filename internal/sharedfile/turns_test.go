// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bufio"
	"fmt"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestHoldBackForTurn: a process that has had its turn leaves the lock alone, though it is
// free, while another one asks for it, and goes on when that one does not come.
func TestHoldBackForTurn(t *testing.T) {
	f, _ := openNew(t)
	mustIncrement(t, f)
	var took time.Duration
	for range 10 { // what was asked too long ago is not heard
		f.AskForTurn()
		begin := time.Now()
		mustIncrement(t, f)
		if took = time.Since(begin); took >= sharedfile.TurnHoldBack {
			return
		}
	}
	t.Errorf("a change held back for %v, want %v", took, sharedfile.TurnHoldBack)
}

// TestWaitingWriterAsks: a process that waits for long for another one to end a change asks
// for its turn, and says when it has had it.
func TestWaitingWriterAsks(t *testing.T) {
	f, path := openNew(t)
	p := processtest.Start(t, "stay in update", path)
	p.Hear()
	changed := make(chan error)
	go func() { changed <- f.Update(increment) }()
	for deadline := time.Now().Add(time.Minute); !f.TurnIsAsked(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody asks for a turn")
		}
	}
	p.Tell("go on")
	if err := p.End(); err != nil {
		t.Error(err)
	}
	if err := <-changed; err != nil {
		t.Error(err)
	}
	if f.TurnIsAsked() {
		t.Error("a turn is asked for that has been had")
	}
}

// BenchmarkNonstopWriters is of six processes that do nothing but change the file.
func BenchmarkNonstopWriters(b *testing.B) {
	const processes = 6
	_, path := openNew(b)
	var running []*processtest.Process
	for range processes {
		running = append(running, processtest.Start(b, "update for a time", path))
	}
	for _, p := range running {
		p.Tell("begin")
	}
	var changes int
	var longest time.Duration
	for _, p := range running {
		var n int
		var wait time.Duration
		if _, err := fmt.Sscan(p.Hear(), &n, (*int64)(&wait)); err != nil {
			b.Fatal(err)
		}
		changes, longest = changes+n, max(longest, wait)
		if err := p.End(); err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(changes)/nonstop.Seconds(), "changes/s")
	b.ReportMetric(longest.Seconds(), "s-longest")
}

// nonstop is for how long.
const nonstop = 5 * time.Second

// updateForATime is a role: it says how many changes it made, and what the slowest took.
func updateForATime(f *sharedfile.File, in *bufio.Scanner) error {
	in.Scan()
	var n int
	var longest time.Duration
	for end := time.Now().Add(nonstop); time.Now().Before(end); n++ {
		begin := time.Now()
		if err := f.Update(increment); err != nil {
			return err
		}
		longest = max(longest, time.Since(begin))
	}
	fmt.Println(n, int64(longest))
	return nil
}
