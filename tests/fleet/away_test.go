// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/tests/bench/capacity/simulate"
)

// TestAway: an SCM makes no signature for a while. Handshakes come as the simulation has them come, at random; those that are late, and
// for how long, are printed beside what it says.
func TestAway(t *testing.T) {
	f := newSlowFleet(t)
	s := f.alone(f.ways())
	for _, load := range []float64{0.3, 0.6} {
		s.Rate = load / deviceTime.Seconds()
		s.Failure = simulate.Failure{At: 5 * time.Second, For: 5 * time.Second}
		s.Handshakes = int(s.Rate * 30)
		r, err := simulate.Run(s)
		if err != nil {
			t.Fatal(err)
		}
		measured := f.play(r.InOrder(), s.Failure)
		t.Logf("load %.0f %%: measured %s; simulated %s", 100*load, tell(measured, s.Failure), tell(r, s.Failure))
	}
}

// play has handshakes come when they began in the simulation, and returns how long they took.
func (f *fleet) play(plan []simulate.Handshake, away simulate.Failure) simulate.Result {
	f.t.Helper()
	var browsers []*browser
	for i, h := range f.servers {
		browsers = append(browsers, f.newBrowser(h, i))
	}
	played := make([]simulate.Handshake, len(plan))
	errs := make([]error, len(plan)+1)
	var wait sync.WaitGroup
	start := time.Now()
	wait.Go(func() { time.Sleep(away.At); errs[len(plan)] = f.takeAway(away.For) })
	for i, h := range plan {
		time.Sleep(time.Until(start.Add(h.Began)))
		wait.Go(func() { played[i], errs[i] = browsers[h.Host].play(h) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		f.t.Error(err)
	}
	return simulate.Result{Handshakes: played}
}

// play makes one handshake, from a thread of its own.
func (b *browser) play(h simulate.Handshake) (simulate.Handshake, error) {
	runtime.LockOSThread()
	var err error
	h.Took, err = b.shake(h.Resumed)
	return h, err
}

// takeAway has the SCM make no signature for a while: all turns come later.
func (f *fleet) takeAway(length time.Duration) error {
	turns, err := os.OpenFile(f.turns, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer turns.Close()
	_, err = takeTurn(turns, length)
	return err
}

// tell describes the handshakes that took longer than half a second.
func tell(r simulate.Result, away simulate.Failure) string {
	late := r.Late(time.Second / 2)
	var longest, last time.Duration
	for _, h := range late.Handshakes {
		longest, last = max(longest, h.Took), max(last, h.Ended()-away.At)
	}
	const unit = time.Millisecond
	return fmt.Sprintf("%d late of %d, the slowest %v, the last %v after it went", len(late.Handshakes), len(r.Handshakes), longest.Round(unit), last.Round(unit))
}
