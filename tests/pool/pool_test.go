// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// check wants every signature made.
func (r report) check(t testing.TB, want int) {
	t.Helper()
	if r.Signed != want || r.Failed != 0 {
		t.Errorf("%d signatures and %d failures, want %d and none: %v", r.Signed, r.Failed, want, r.Errors)
	}
}

// rate is in signatures a second.
func (r report) rate() float64 { return float64(r.Signed) / r.Seconds }

// TestSigns: threads and processes sign with 1, 2 and 4 SCMs.
func TestSigns(t *testing.T) {
	for _, n := range []int{2, 4} {
		p := newPool(t, n)
		p.sign(1, 4, 10, nothing).check(t, 40)
		p.sign(3, 2, 10, nothing).check(t, 60)
	}
}

// TestFails: one SCM of four fails while threads of two processes sign, and comes back. No
// signature is lost, and each verifies.
func TestFails(t *testing.T) {
	for name, broken := range map[string]int{"a further SCM": 2, "the first SCM": 0} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 4)
			dir := p.members[broken]
			p.sign(2, 4, 100, func() {
				time.Sleep(300 * time.Millisecond)
				p.must(dir, "inject", "unbind")
				p.awaitLog("is left out")
				time.Sleep(300 * time.Millisecond)
				p.must(dir, "inject", "unbind", "--undo")
				p.awaitLog("is back after")
			}).check(t, 800)
		})
	}
}

// TestFaults: faults of other kinds, of one SCM after the other, lose no signature, either. Each has time to come back:
// where all fail within half a second nobody is left to sign.
func TestFaults(t *testing.T) {
	p := newPool(t, 3)
	p.sign(2, 3, 100, func() {
		for i, fault := range [][]string{{"fault", "--timeouts", "3"}, {"boot"}, {"fault", "--restart"}} {
			p.must(p.members[i], append([]string{"inject"}, fault...)...)
			time.Sleep(time.Second)
		}
	}).check(t, 600)
}

// TestStopped: a process that is stopped in the middle of its signatures keeps no other one from its own.
func TestStopped(t *testing.T) {
	p := newPool(t, 2)
	held := p.start(4, 100)
	held.begin()
	time.Sleep(200 * time.Millisecond)
	held.signal(syscall.SIGSTOP)
	p.sign(1, 2, 3, nothing).check(t, 6)
	held.signal(syscall.SIGCONT)
	held.end().check(t, 400)
}

// TestMissing: an SCM that is not there is left out with a line that tells what to do.
func TestMissing(t *testing.T) {
	p := newPool(t, 2)
	if err := os.Rename(p.members[1], p.members[1]+".away"); err != nil {
		t.Fatal(err)
	}
	p.sign(1, 2, 5, nothing).check(t, 10)
	p.awaitLog("is left out")
}

// TestAnew: a token that is made new seals the SCMs of its pool to its new PINs.
func TestAnew(t *testing.T) {
	p := newPool(t, 2)
	p.sign(1, 2, 5, nothing).check(t, 10)
	p.Init()
	p.nameKey()
	p.sign(1, 2, 20, nothing).check(t, 40)
	if text, err := os.ReadFile(p.log); err != nil || strings.Contains(string(text), "is left out") {
		t.Errorf("%v\n%s", err, text)
	}
}

// awaitLog waits for a line of the log.
func (p *pool) awaitLog(want string) {
	p.t.Helper()
	var text []byte
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ = os.ReadFile(p.log)
		if strings.Contains(string(text), want) {
			return
		}
	}
	p.t.Errorf("the log does not tell %q:\n%s", want, text)
}

// BenchmarkPool prints how many signatures a second several SCMs make, and how many times those of one.
func BenchmarkPool(b *testing.B) {
	for _, processes := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d processes", processes), func(b *testing.B) {
			var one float64
			for _, n := range []int{1, 2, 4} {
				p := newPool(b, n)
				r := p.sign(processes, 16/processes, 50, nothing)
				r.check(b, 800)
				if n == 1 {
					one = r.rate()
				}
				b.Logf("%d SCMs: %.1f signatures a second, %.2f times those of one; the slowest process took %.2f times as long as the fastest",
					n, r.rate(), r.rate()/one, r.Seconds/r.Fastest)
			}
		})
	}
}
