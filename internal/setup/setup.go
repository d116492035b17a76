// SPDX-License-Identifier: Apache-2.0

// Package setup turns settings into the slots of a provider. The module and the
// tool of administrators share it, so that both see the same.
package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// Process is what the files of the slots need of the process that has them open.
type Process = store.Process

// Options returns the options of a provider with the configured slots. Devices
// and stores are opened when they are needed. A library says what
// it needs of the process that it is loaded into.
func Options(c config.Config, log pkcs11.Logger, process Process) pkcs11.Options {
	o := pkcs11.Options{ECPointRaw: c.RawECPoint, SealedKeys: c.SealedKeys, Log: log}
	for _, s := range c.Slots {
		x := opener{settings: c, slot: s, log: log, process: process, serial: soft.SerialOf(c.Source.Drawn, s.Name)}
		so := pkcs11.SlotOptions{Description: "Soft SCM", Open: x.open, Unmade: x.unmade, BootWait: c.Zymbit.BootWait, ShowBound: s.ShowsBound(c)}
		if x.hardware() {
			so.Description, so.Hardware = "Zymbit SCM", true
		}
		if len(c.Slots) > 1 {
			so.Description += " " + s.Name
		}
		o.Slots = append(o.Slots, so)
	}
	return o
}

// opener opens what stands behind one slot.
type opener struct {
	settings config.Config
	slot     config.Slot
	log      pkcs11.Logger
	process  Process
	serial   string // of a soft SCM that is made: callers have been told of it before
}

func (o opener) open() (scm.Device, *store.Store, error) {
	a, err := o.makeDirectories()
	if err != nil {
		return nil, nil, o.notMine(err)
	}
	o.warnOfOthers(a)
	device, err := o.openDevice(a)
	if err != nil {
		return nil, nil, o.notMine(mixed(err))
	}
	tokens, err := o.openStore(a, device)
	if err != nil {
		return nil, nil, errors.Join(mixed(err), device.Close())
	}
	if tokens.ReadOnly() {
		o.log.Warningf("the state directory %s cannot be written by this user (uid %d): its token is write-protected",
			o.slot.State, os.Geteuid())
	}
	return o.pooled(device, a), tokens, nil
}

// notMine makes a user who has no place for a state of his own one without a
// device: programs that load every module of the system are his, too. A state
// directory that somebody set is an error if it cannot be used.
func (o opener) notMine(err error) error {
	if o.slot.Shared != "" && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the token of this SCM is that of all users, in %s, and this user (uid %d) is not in the group of that directory "+
			"(usermod -aG %s NAME, then log in again): %w: %w", o.slot.Shared, os.Geteuid(), SystemGroup, scm.ErrAbsent, err)
	}
	if o.settings.State == o.settings.Source.State && errors.Is(err, fs.ErrPermission) {
		if _, missing := os.Stat(o.slot.State); missing != nil {
			return noPlace{err}
		}
		return fmt.Errorf("%w: %w", scm.ErrAbsent, err)
	}
	return err
}

// makeDirectories makes the directories of the slot that are missing.
func (o opener) makeDirectories() (access, error) {
	a, err := o.access()
	if err != nil {
		return access{}, err
	}
	for _, dir := range []string{o.top(), o.slot.State} {
		if err := a.makeDirectory(dir); err != nil {
			return access{}, fmt.Errorf("state directory (the setting state, or ZK_PKCS11_HOME): %w", err)
		}
	}
	return a, nil
}

func (o opener) openDevice(a access) (scm.Device, error) {
	if o.hardware() {
		return o.openHardware(a)
	}
	return o.openSoft(a)
}

// OpenSoft opens the soft SCM of a slot, whatever the backend of the slot is.
func OpenSoft(c config.Config, s config.Slot, process Process) (*soft.Device, error) {
	o := opener{settings: c, slot: s, process: process}
	a, err := o.makeDirectories()
	if err != nil {
		return nil, err
	}
	return o.openSoft(a)
}

func (o opener) openSoft(a access) (*soft.Device, error) {
	options := soft.Options{
		Settings: o.settings.Soft, Mode: a.file, Group: a.group, Process: o.process, Existing: true, Serial: o.serial,
	}
	device, err := soft.Open(o.slot.State, options)
	if !errors.Is(err, scm.ErrNone) {
		return device, err
	}
	return o.makeSoft(a, options, err)
}

// makeSoft makes the soft SCM that was not there when it was opened, as missing says.
func (o opener) makeSoft(a access, options soft.Options, missing error) (*soft.Device, error) {
	refused := o.mayMake(a, missing)
	if refused != nil {
		// Another process may have made it meanwhile, and initialised the token.
		device, err := soft.Open(o.slot.State, options)
		if errors.Is(err, scm.ErrNone) {
			err = refused
		}
		return device, err
	}
	options.Existing = false
	return soft.Open(o.slot.State, options)
}

// Destroy deletes the soft SCM in a state directory and then its token: without
// the token, keys that are left would be sealed for ever.
func Destroy(state string) error {
	return errors.Join(soft.Destroy(state), store.Destroy(state))
}
