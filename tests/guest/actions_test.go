// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"syscall"
	"testing"
)

// TestNothingChanged compares the actions of all 64 signals, the mask and the
// alternate stack of threads before and after. The runtime needs the handlers of
// SIGSEGV and SIGBUS, and hands on what is not its own.
func TestNothingChanged(t *testing.T) {
	program := compile(t, "actions")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		g := host(t)
		for _, when := range []string{"loaded", "called", "child"} {
			for _, kind := range []string{"default", "set"} {
				t.Run(when+"/"+kind, func(t *testing.T) {
					t.Parallel()
					g.silent(t, program, "unchanged", when, kind)
				})
			}
		}
	})
}

// TestHandledFaults: a host handles its own faults, with and without an alternate
// stack, on which it handles an overflow of its stack as well.
func TestHandledFaults(t *testing.T) {
	program := compile(t, "actions")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		g := host(t)
		for _, when := range []string{"before", "loaded", "called"} {
			for _, kind := range []string{"none", "onstack"} {
				t.Run(when+"/"+kind, func(t *testing.T) {
					t.Parallel()
					g.silent(t, program, "faults", when, kind)
				})
			}
		}
	})
}

// TestCrash: a host that dies by its own fault, or by a signal, dies by just that,
// and nothing is printed.
func TestCrash(t *testing.T) {
	tests := []struct {
		scenario, when, kind string
		want                 syscall.Signal
	}{
		{"crash", "loaded", "segv", syscall.SIGSEGV},
		{"crash", "called", "segv", syscall.SIGSEGV},
		{"crash", "called", "bus", syscall.SIGBUS},
		{"crash", "called", "ill", syscall.SIGILL},
		{"crash", "called", "abort", syscall.SIGABRT},
		{"crash", "called", "1", syscall.SIGHUP},
		{"crash", "loaded", "3", syscall.SIGQUIT},
		{"crash", "called", "11", syscall.SIGSEGV},
		{"crash", "loaded", "15", syscall.SIGTERM},
		{"crash", "called", "27", syscall.SIGPROF},
		{"crash", "called", "31", syscall.SIGSYS},
		{"crash-thread", "called", "segv", syscall.SIGSEGV},
		{"crash-thread", "called", "bus", syscall.SIGBUS},
		{"crash-thread", "called", "8", syscall.SIGFPE},
		{"crash-thread", "called", "abort", syscall.SIGABRT},
	}
	program := compile(t, "actions")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		g := host(t)
		for _, tt := range tests {
			t.Run(tt.scenario+"/"+tt.when+"/"+tt.kind, func(t *testing.T) {
				t.Parallel()
				died := func(o outcome) bool { return endedBy(o.err) == tt.want && o.out == "" && o.log == "" }
				if o := g.settled(died, program, tt.scenario, tt.when, tt.kind); !died(o) {
					t.Errorf("ended by %v (%v), want %v\n%s%s", endedBy(o.err), o.err, tt.want, head(o.out), head(o.log))
				}
			})
		}
	})
}
