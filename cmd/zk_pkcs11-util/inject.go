// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

// injecting has the commands that make things happen, and take them back.
type injecting struct {
	*scmTool
	undo bool
}

func (x *scmTool) injectCommand() *cobra.Command {
	i := &injecting{scmTool: x}
	c := commandGroup("inject", "Make things happen to the soft SCM, or take them back with --undo",
		withExample("scm inject tamper 0", x.onSoft("tamper CHANNEL", "Breach a perimeter channel, 0 or 1", i.oneArgument, i.tamper)),
		withExample("scm inject battery 2.1", x.onSoft("battery VOLTS", "Set the voltage of the battery; what follows, follows at the next start", i.oneArgument, i.battery)),
		i.temperatureCommand(),
		withExample("scm inject tap x+", x.onSoft("tap DIRECTION", "Tap the SCM: x+, x-, y+, y-, z+ or z-", i.oneArgument, i.tap)),
		x.onSoft("unbind", "Part the SCM from its host; it does not answer any more", cobra.NoArgs, i.unbind),
		x.onSoft("boot", "Take the power away and give it back", cobra.NoArgs, i.boot),
		withExample("scm inject fatal 22-9", x.onSoft("fatal CODE", "Have it give up with a fatal code: 8, 22-9 or 6", i.oneArgument, i.fatal)),
		i.faultCommand(),
	)
	c.PersistentFlags().BoolVar(&i.undo, "undo", false, "take back what was injected; without a command, all of it")
	c.RunE = i.undoAllOrHelp
	return c
}

// oneArgument wants one argument, which may be missing where something is taken back.
func (i *injecting) oneArgument(_ *cobra.Command, words []string) error {
	if len(words) == 1 || i.undo && len(words) == 0 {
		return nil
	}
	return errors.New("one argument is wanted")
}

func (i *injecting) temperatureCommand() *cobra.Command {
	c := i.onSoft("temperature CELSIUS", "Set the temperature; write -- before a negative one", i.oneArgument, i.temperature)
	c.Example = "  zk_pkcs11-util scm inject temperature -- -20"
	return c
}

func (i *injecting) tamper(t *target, d *softSCM, args []string) error {
	if i.undo {
		return i.undoTamper(t, d, args)
	}
	channel, err := perimeterChannel(args[0])
	if err != nil {
		return err
	}
	if err := d.InjectTamper(channel); err != nil {
		return err
	}
	return i.aftermath(t, "Perimeter channel %d is breached", channel)
}

func perimeterChannel(text string) (int, error) {
	channel, err := strconv.Atoi(text)
	if err != nil || channel < 0 || channel >= board.PerimeterChannels {
		return 0, usagef("perimeter channel %q: there are the channels 0 and 1", text)
	}
	return channel, nil
}

func (i *injecting) fatal(t *target, d *softSCM, args []string) error {
	if i.undo {
		return i.undone(t, d.UndoFatal, "The LED tells no fatal code")
	}
	if err := d.InjectFatal(args[0]); err != nil {
		return err
	}
	return i.aftermath(t, "The SCM has given up with code %s", args[0])
}

func (i *injecting) battery(t *target, d *softSCM, args []string) error {
	if i.undo {
		return i.undone(t, d.UndoBattery, "The battery is new; what follows, follows at the next start (\"scm inject boot\")")
	}
	volts, err := measure(args[0])
	if err == nil {
		err = d.InjectBattery(volts)
	}
	if err != nil {
		return err
	}
	return i.aftermath(t, "The battery has %v V; what follows, follows at the next start (\"scm inject boot\")", volts)
}

func (i *injecting) temperature(t *target, d *softSCM, args []string) error {
	if i.undo {
		return i.undone(t, d.UndoTemperature, "The temperature is that of a new SCM")
	}
	celsius, err := measure(args[0])
	if err == nil {
		err = d.InjectTemperature(celsius)
	}
	if err != nil {
		return err
	}
	return i.aftermath(t, "The temperature is %v °C", celsius)
}

func (i *injecting) tap(t *target, d *softSCM, args []string) error {
	if i.undo {
		return i.undone(t, d.UndoTap, "No tap is felt")
	}
	axis, sign, ok := tapDirection(args[0])
	if !ok {
		return usagef("direction %q: there are x+, x-, y+, y-, z+ and z-", args[0])
	}
	if err := d.InjectTap(axis, sign); err != nil {
		return err
	}
	return i.aftermath(t, "The SCM is tapped along %s", args[0])
}

// tapDirection reads an axis and the sign of a direction, such as y-, and reports whether text is one.
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

func (i *injecting) unbind(t *target, d *softSCM, _ []string) error {
	if i.undo {
		return i.undoUnbind(t, d)
	}
	if err := d.InjectUnbind(); err != nil {
		return err
	}
	return i.aftermath(t, "The SCM is not bound to its host (\"scm inject unbind --undo\" binds it again)")
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

func (i *injecting) boot(_ *target, d *softSCM, _ []string) error {
	if i.undo {
		return usagef("a start cannot be taken back; \"scm inject --undo\" takes the rest back")
	}
	b, err := d.Boot()
	if err != nil {
		return err
	}
	r := bootReport{
		Mode: modeName(b.Production), Bound: b.Bound, Destroyed: b.Destroyed, Held: b.Held,
		LostKeys: append([]scm.Slot{}, b.LostKeys...), Wrong: append([]string{}, b.Failed...), LED: newLED(b.LED),
	}
	return i.printResult(r, r.printText)
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
