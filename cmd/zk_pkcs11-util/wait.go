// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/setup"
)

// waitPause is between two looks at an SCM that does not answer.
const waitPause = 500 * time.Millisecond

// waitCommand makes the command that a service runs before it starts. Here an SCM is waited for that is not
// there yet for whatever reason: the vendor's daemon starts with the host, too.
func (x *scmTool) waitCommand() *cobra.Command {
	w := &waiting{tool: x}
	c := &cobra.Command{
		Use: "wait", Short: "Wait until the SCM answers, for ExecStartPre= of a service that needs it", Args: cobra.NoArgs,
		Example: "  ExecStartPre=zk_pkcs11-util scm wait --timeout 180",
		RunE:    w.run,
	}
	c.Flags().UintVar(&w.seconds, "timeout", 180, "fail after so many `SECONDS`")
	return c
}

// waiting has the command.
type waiting struct {
	tool    *scmTool
	seconds uint
}

func (w *waiting) run(*cobra.Command, []string) error {
	slot, err := w.tool.chosenSlot()
	if err != nil {
		return err
	}
	return waitForSCM(slot, time.Duration(w.seconds)*time.Second)
}

func waitForSCM(slot uint, most time.Duration) error {
	options, err := slotOptions(slot)
	if err != nil {
		return err
	}
	for start := time.Now(); ; time.Sleep(waitPause) {
		err := answers(options.Open())
		if err == nil || isLasting(err) {
			return err
		}
		if time.Since(start) >= most {
			return fmt.Errorf("slot %d: the SCM does not answer for %v: %w", slot, most, err)
		}
	}
}

// answers closes a device again that has been opened, and returns why it does not list its keys.
func answers(device scm.Device, tokens interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	_, err = device.Keys()
	return errors.Join(err, tokens.Close(), device.Close())
}

// isLasting reports whether waiting does not help.
func isLasting(err error) bool {
	for _, lasting := range []error{setup.ErrLibrary, scm.ErrForeign, scm.ErrDestroyed, fs.ErrPermission} {
		if errors.Is(err, lasting) {
			return true
		}
	}
	return false
}
