// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// RecoveryOptions are Options for a token that is about to be bound to another SCM: where the
// soft SCM is gone, a new one is made beside the token.
func RecoveryOptions(c config.Config, log pkcs11.Logger, process Process) pkcs11.Options {
	o := Options(c, log, process)
	for i, s := range c.Slots {
		o.Slots[i].Open = opener{settings: c, slot: s, log: log, process: process}.openAnew
	}
	return o
}

// openAnew is open after a soft SCM has been made where there was none.
func (o opener) openAnew() (scm.Device, *store.Store, error) {
	if !o.hardware() {
		if err := o.replaceSoft(); err != nil {
			return nil, nil, err
		}
	}
	return o.open()
}

// replaceSoft makes a new soft SCM beside a token that has lost its own.
func (o opener) replaceSoft() error {
	a, err := o.makeDirectories()
	if err != nil {
		return err
	}
	look := o.storeOptions(a)
	look.Existing, look.ReadOnly = true, true
	tokens, err := store.Open(o.slot.State, look)
	if err != nil {
		return fmt.Errorf("there is no token to recover: %w", err)
	}
	if err := tokens.Close(); err != nil {
		return err
	}
	options := soft.Options{Settings: o.settings.Soft, Mode: a.file, Group: a.group, Process: o.process}
	device, err := soft.Open(o.slot.State, options)
	if err != nil {
		return err
	}
	return device.Close()
}
