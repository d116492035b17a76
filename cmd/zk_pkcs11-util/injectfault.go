// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm/soft/board"
)

// faulting has the command that makes calls fail.
type faulting struct {
	*injecting
	board.Fault
	on    string
	count int
}

func (i *injecting) faultCommand() *cobra.Command {
	f := &faulting{injecting: i}
	c := i.onSoft("fault", "Make calls fail; without options, mend what can be mended", cobra.NoArgs, f.inject)
	c.Long = "Make calls of any program fail; without options or with --undo, mend what can be mended. The module retries a call over the vendor's C API " +
		"(backend = \"zymbit\") that has timed out once: one time-out is retried, and programs there see nothing before the second."
	c.Example = "  zk_pkcs11-util scm inject fault --on sign --count 2\n  zk_pkcs11-util scm inject fault --undo"
	c.Flags().StringVar(&f.on, "on", "any", "which `CALLS` time out: sign, generate or any")
	c.Flags().IntVar(&f.count, "count", 0, "the next `N` of these calls time out; 1 when --on is given alone")
	c.Flags().IntVar(&f.Timeouts, "timeouts", 0, "the next `N` calls time out: --on any --count N")
	c.Flags().BoolVar(&f.Restart, "restart", false, "the daemon starts anew: a program that has the SCM open has to open it again")
	c.Flags().BoolVar(&f.HugeSlot, "huge-slot", false, "the daemon dies when it is asked for a slot that there cannot be")
	c.PreRunE = f.prepareFault
	return c
}

// prepareFault makes a fault of the options.
func (f *faulting) prepareFault(c *cobra.Command, _ []string) error {
	given := c.Flags().Changed
	if given("timeouts") && (given("on") || given("count")) {
		return usagef("--timeouts is --on any --count; give it alone")
	}
	on, known := map[string]board.Call{"any": board.AnyCall, "sign": board.SignCall, "generate": board.GenerateCall}[f.on]
	if !known {
		return usagef("--on %q: it is sign, generate or any", f.on)
	}
	if given("on") && !given("count") {
		f.count = 1
	}
	if given("count") && f.count < 1 {
		return usagef("--count %d: at least one call times out; --undo takes faults back", f.count)
	}
	if !given("timeouts") {
		f.On, f.Timeouts = on, f.count
	}
	if f.undo {
		f.Fault = board.Fault{}
	}
	return nil
}

func (f *faulting) inject(t *target, d *softSCM, _ []string) error {
	if err := d.InjectFault(f.Fault); err != nil {
		return err
	}
	if f.Fault == (board.Fault{}) {
		return f.aftermath(t, "No fault is left")
	}
	return f.aftermath(t, "The fault is set (\"scm inject fault --undo\" mends it)%s", f.retried())
}

// retried tells what programs see of time-outs.
func (f *faulting) retried() string {
	if f.Timeouts == 0 {
		return ""
	}
	return "\nOver the vendor's C API one time-out is retried: programs there see nothing of a single one"
}
