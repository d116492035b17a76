// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// sigRTMin is the first real-time signal that glibc leaves to programs.
const sigRTMin = syscall.Signal(34)

// nameOf is the name of a signal.
func nameOf(signal syscall.Signal) string {
	if signal == sigRTMin {
		return "SIGRTMIN"
	}
	return unix.SignalName(signal)
}

// circumstance is one in which a signal comes: see testdata/signals.c.
type circumstance struct{ when, flags, threads string }

func circumstances() []circumstance {
	var all []circumstance
	for _, when := range []string{"before", "loaded", "called"} {
		for _, flags := range []string{"none", "restart", "onstack"} {
			for _, threads := range []string{"1", "4"} {
				all = append(all, circumstance{when, flags, threads})
			}
		}
	}
	return all
}

// TestHandlers interrupts calls by signals whose handlers need 0 to 32 KiB of
// stack. Each kind of signal and each size of stack meets another circumstance,
// and all of them in the long form.
func TestHandlers(t *testing.T) {
	program, all := compile(t, "signals"), circumstances()
	signals := []syscall.Signal{
		syscall.SIGALRM, syscall.SIGPROF, syscall.SIGVTALRM, syscall.SIGCHLD, syscall.SIGUSR1, syscall.SIGHUP,
		sigRTMin, syscall.SIGURG, syscall.SIGIO,
	}
	runs, milliseconds := 1, "200"
	if os.Getenv("ZK_SOAK") != "" {
		runs, milliseconds = 20, "300"
	}
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		for i, signal := range signals {
			t.Run(nameOf(signal), func(t *testing.T) {
				t.Parallel()
				g := host(t)
				for k, stack := range []string{"0", "1024", "8192", "32768"} {
					for run := range runs {
						c := all[(7*(4*i+k)+run)%len(all)]
						g.silent(t, program, strconv.Itoa(int(signal)), stack, c.when, c.flags, c.threads, milliseconds)
					}
				}
			})
		}
	})
}

// TestMasks: a host that reads its signals from a descriptor reads them all, one
// that blocks a signal keeps its handler out, and the module's threads block all
// but the signals of their own faults. SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP
// are left out of the first: a thread that blocks them dies of a fault unheard.
func TestMasks(t *testing.T) {
	program := compile(t, "masks")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		for _, when := range []string{"loaded", "called", "child"} {
			t.Run(when, func(t *testing.T) {
				t.Parallel()
				g := host(t)
				g.silent(t, program, "signalfd", when)
				g.silent(t, program, "blocked", when)
				for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGPROF, syscall.SIGUSR1, sigRTMin} {
					g.silent(t, program, "critical", when, strconv.Itoa(int(signal)))
				}
			})
		}
	})
}
