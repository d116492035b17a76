// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

func (x *scmTool) injectCommand() *cobra.Command {
	return commandGroup("inject", "Make things happen to the soft SCM",
		x.onSoft("tamper CHANNEL", "Breach a perimeter channel, 0 or 1", oneArgument("CHANNEL"), x.injectTamper),
		x.onSoft("battery VOLTS", "Set the voltage of the battery; what follows, follows at the next start", oneArgument("VOLTS"), x.injectBattery),
		x.temperatureCommand(),
		x.onSoft("tap DIRECTION", "Tap the SCM: x+, x-, y+, y-, z+ or z-", oneArgument("DIRECTION"), x.injectTap),
		x.unbindCommand(),
		x.onSoft("boot", "Take the power away and give it back", cobra.NoArgs, x.injectBoot),
		x.onSoft("fatal CODE", "Have it give up with a fatal code: 8, 22-9 or 6", oneArgument("CODE"), x.injectFatal),
		x.faultCommand(),
	)
}

// oneArgument wants one argument, and says which when it is missing.
func oneArgument(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("one argument is wanted: %s", name)
		}
		return nil
	}
}

func (x *scmTool) temperatureCommand() *cobra.Command {
	c := x.onSoft("temperature CELSIUS", "Set the temperature; write -- before a negative one", oneArgument("CELSIUS"), x.injectTemperature)
	c.Example = "  zk_pkcs11-util scm inject temperature -- -20"
	return c
}

func (x *scmTool) injectTamper(t *target, d *softSCM, args []string) error {
	channel, err := strconv.Atoi(args[0])
	if err != nil || channel < 0 || channel >= board.PerimeterChannels {
		return usagef("perimeter channel %q: there are the channels 0 and 1", args[0])
	}
	if err := d.InjectTamper(channel); err != nil {
		return err
	}
	return x.aftermath(t, "Perimeter channel %d is breached", channel)
}

func (x *scmTool) injectFatal(t *target, d *softSCM, args []string) error {
	if err := d.InjectFatal(args[0]); err != nil {
		return err
	}
	return x.aftermath(t, "The SCM has given up with code %s", args[0])
}

func (x *scmTool) injectBattery(t *target, d *softSCM, args []string) error {
	volts, err := measure(args[0])
	if err == nil {
		err = d.InjectBattery(volts)
	}
	if err != nil {
		return err
	}
	return x.aftermath(t, "The battery has %v V; what follows, follows at the next start (\"scm inject boot\")", volts)
}

func (x *scmTool) injectTemperature(t *target, d *softSCM, args []string) error {
	celsius, err := measure(args[0])
	if err == nil {
		err = d.InjectTemperature(celsius)
	}
	if err != nil {
		return err
	}
	return x.aftermath(t, "The temperature is %v °C", celsius)
}

func (x *scmTool) injectTap(t *target, d *softSCM, args []string) error {
	axis, sign, ok := tapDirection(args[0])
	if !ok {
		return usagef("direction %q: there are x+, x-, y+, y-, z+ and z-", args[0])
	}
	if err := d.InjectTap(axis, sign); err != nil {
		return err
	}
	return x.aftermath(t, "The SCM is tapped along %s", args[0])
}

// tapDirection reads an axis and the sign of a direction, such as y-.
func tapDirection(text string) (axis, sign int, ok bool) {
	if len(text) == 2 {
		axis = strings.Index("xyz", text[:1])
		sign = map[byte]int{'+': 1, '-': -1}[text[1]]
	}
	return axis, sign, axis >= 0 && sign != 0
}

func measure(text string) (float32, error) {
	f, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return 0, usagef("%q is no number, such as 2.5", text)
	}
	return float32(f), nil
}

// unbinding has the command that parts an SCM from its host.
type unbinding struct {
	tool *scmTool
	undo bool
}

func (x *scmTool) unbindCommand() *cobra.Command {
	u := &unbinding{tool: x}
	c := x.onSoft("unbind", "Part the SCM from its host; it does not answer any more", cobra.NoArgs, u.inject)
	c.Flags().BoolVar(&u.undo, "undo", false, "bring them together again")
	return c
}

func (u *unbinding) inject(t *target, d *softSCM, _ []string) error {
	if u.undo {
		if err := d.InjectRebind(); err != nil {
			return err
		}
		return u.tool.aftermath(t, "The SCM sees its host again")
	}
	if err := d.InjectUnbind(); err != nil {
		return err
	}
	return u.tool.aftermath(t, "The SCM is not bound to its host (\"scm inject unbind --undo\" binds it again)")
}

// faulting has the command that makes calls fail.
type faulting struct {
	tool *scmTool
	board.Fault
}

func (x *scmTool) faultCommand() *cobra.Command {
	f := &faulting{tool: x}
	c := x.onSoft("fault", "Make calls fail; without options, mend what can be mended", cobra.NoArgs, f.inject)
	c.Flags().IntVar(&f.Timeouts, "timeouts", 0, "the next `N` calls time out")
	c.Flags().BoolVar(&f.Restart, "restart", false, "the daemon starts anew: who has the SCM open has to open it again")
	c.Flags().BoolVar(&f.HugeSlot, "huge-slot", false, "the daemon dies when it is asked for a slot that there cannot be")
	return c
}

func (f *faulting) inject(t *target, d *softSCM, _ []string) error {
	if err := d.InjectFault(f.Fault); err != nil {
		return err
	}
	if f.Fault == (board.Fault{}) {
		return f.tool.aftermath(t, "No fault is left")
	}
	return f.tool.aftermath(t, "The fault is set (\"scm inject fault\" alone mends it)")
}

// aftermath tells what was done, and what has come of it: as JSON, the status.
func (x *scmTool) aftermath(t *target, format string, args ...any) error {
	s, err := t.status()
	if err != nil {
		return err
	}
	a := aftermath{scmStatus: s, done: fmt.Sprintf(format, args...)}
	return x.printResult(s, a.printText)
}

// aftermath is what was done to an SCM, and how it is after that.
type aftermath struct {
	scmStatus
	done string
}

func (a aftermath) printText(w io.Writer) {
	fmt.Fprintln(w, a.done)
	fmt.Fprintf(w, "LED: %s\n", a.LED)
	if a.Destroyed {
		fmt.Fprintln(w, allDestroyed)
	}
}

const allDestroyed = "All keys are destroyed for good; \"scm reset\" makes the SCM one with new keys"

// bootReport is what "scm inject boot" tells.
type bootReport struct {
	Mode      string     `json:"mode"`
	Bound     bool       `json:"bound"`
	Destroyed bool       `json:"destroyed"`
	Held      bool       `json:"held"`
	LostKeys  []scm.Slot `json:"lost_keys"`
	Wrong     []string   `json:"wrong_files"`
	LED       ledStatus  `json:"led"`
}

func (x *scmTool) injectBoot(_ *target, d *softSCM, _ []string) error {
	b, err := d.Boot()
	if err != nil {
		return err
	}
	r := bootReport{
		Mode: modeName(b.Production), Bound: b.Bound, Destroyed: b.Destroyed, Held: b.Held,
		LostKeys: append([]scm.Slot{}, b.LostKeys...), Wrong: append([]string{}, b.Failed...), LED: newLED(b.LED),
	}
	return x.printResult(r, r.printText)
}

func (r bootReport) printText(w io.Writer) {
	fmt.Fprintf(w, "The SCM has started in %s mode\n", r.Mode)
	if !r.Bound {
		fmt.Fprintln(w, "This is not the host that it is bound to")
	}
	if len(r.LostKeys) > 0 {
		fmt.Fprintf(w, "This firmware has lost the keys in the slots %s\n", strings.Trim(fmt.Sprint(r.LostKeys), "[]"))
	}
	if len(r.Wrong) > 0 {
		fmt.Fprintf(w, "Files of supervised boot that are wrong: %s\n", strings.Join(r.Wrong, ", "))
	}
	if r.Held {
		fmt.Fprintln(w, "It holds itself and its host in reset")
	}
	fmt.Fprintf(w, "LED: %s\n", r.LED)
	if r.Destroyed {
		fmt.Fprintln(w, allDestroyed)
	}
}
