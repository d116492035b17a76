// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm/soft/board"
)

// undone takes something back, and tells what is so now.
func (i *injecting) undone(t *target, undo func() error, now string) error {
	if err := undo(); err != nil {
		return err
	}
	return i.aftermath(t, "%s", now)
}

func (i *injecting) undoTamper(t *target, d *softSCM, args []string) error {
	if len(args) == 0 {
		return i.undone(t, func() error { return undoTampers(d) }, "No perimeter channel is breached")
	}
	channel, err := perimeterChannel(args[0])
	if err != nil {
		return err
	}
	if err := d.UndoTamper(channel); err != nil {
		return err
	}
	return i.aftermath(t, "Perimeter channel %d is not breached", channel)
}

func undoTampers(d *softSCM) (err error) {
	for channel := range board.PerimeterChannels {
		err = errors.Join(err, d.UndoTamper(channel))
	}
	return err
}

// undoUnbind says what has come of it: an SCM in production mode that was brought to another host stays
// without one.
func (i *injecting) undoUnbind(t *target, d *softSCM) error {
	before, err := d.Status()
	if err != nil {
		return err
	}
	if err := d.InjectRebind(); err != nil {
		return err
	}
	after, err := d.Status()
	if err != nil {
		return err
	}
	return i.aftermath(t, "%s", bindingWords(before.Bound, after.Bound))
}

func bindingWords(before, after bool) string {
	switch {
	case before && after:
		return "The SCM was not parted from its host; there was nothing to undo"
	case after:
		return "The SCM sees its host again"
	}
	return "The SCM is bound to another host for good, and --undo does not change that; \"scm reset\" makes it new"
}

// undoAllOrHelp is what "scm inject" does without a command.
func (i *injecting) undoAllOrHelp(c *cobra.Command, words []string) error {
	if !i.undo {
		return c.Help()
	}
	return deviceCommand{i.scmTool, ability[*softSCM]{noInjection, i.undoAll}.run}.run(c, words)
}

func (i *injecting) undoAll(t *target, d *softSCM, _ []string) error {
	err := errors.Join(undoTampers(d), d.UndoBattery(), d.UndoTemperature(), d.UndoTap(), d.UndoFatal(), d.InjectFault(board.Fault{}))
	if err != nil {
		return err
	}
	return i.undoUnbindAmong(t, d)
}

func (i *injecting) undoUnbindAmong(t *target, d *softSCM) error {
	if err := d.InjectRebind(); err != nil {
		return err
	}
	after, err := d.Status()
	switch {
	case err != nil:
		return err
	case !after.Bound:
		return i.aftermath(t, "All is taken back, but: %s", lowerFirst(bindingWords(false, false)))
	}
	return i.aftermath(t, "All is taken back. What came of it stays until the next start (\"scm inject boot\"), and destroyed keys for good")
}
