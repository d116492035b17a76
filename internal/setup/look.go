// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"io/fs"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/zymbit"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// Look is for a program that looks at a slot and makes nothing: no directory, no soft SCM, no token and no file beside them.
type Look struct {
	Hardware bool   // the slot is that of an SCM in hardware
	Library  string // the vendor's, where it is installed; "" = it is not
	Used     bool   // an SCM in hardware has answered here before

	Directory, File fs.FileMode // permissions that the module gives what it makes
	Group           int         // whose the directory is to be; -1 = its owner's alone

	open opener
	of   access
}

// LookAt looks at a slot of the settings, which are Placed. The error is of the setting state_group.
func LookAt(c config.Config, slot int) (Look, error) {
	o := opener{settings: c, slot: c.Slots[slot]}
	l := Look{Hardware: o.hardware(), Library: o.findLibrary(), Used: zymbit.Used(o.slot.State), open: o}
	a, err := o.access()
	if err != nil {
		a = access{directory: 0o700, parents: 0o700, file: 0o600, group: -1}
	}
	l.of, l.Directory, l.File, l.Group = a, a.directory, a.file, a.group
	return l, err
}

// CanMake reports whether this user can make the state directory of the slot, which is missing.
func (l Look) CanMake() bool { return canMake(l.open.slot.State) }

// Device opens the SCM that is there. ErrNone when there is no soft SCM.
func (l Look) Device() (scm.Device, error) {
	if !l.Hardware {
		device, err := soft.Open(l.open.slot.State, soft.Options{
			Settings: l.open.settings.Soft, Mode: l.of.file, Group: l.of.group, Existing: true, ReadOnly: true,
		})
		if err != nil {
			return nil, err
		}
		return device, nil
	}
	options := l.open.hardwareOptions(l.of)
	options.State = "" // what is remembered of the SCM would be a file
	device, err := zymbit.Open(options)
	if err != nil {
		return nil, l.open.explain(err)
	}
	return device, nil
}

// Token opens the token that is there, for reading. ErrMissing when there is none.
func (l Look) Token() (*store.Store, error) {
	options := l.open.storeOptions(l.of)
	options.Existing, options.ReadOnly = true, true
	return store.Open(l.open.slot.State, options)
}

// Pair returns why a device and a token that were opened so do not belong together; a missing one is nil.
func (l Look) Pair(device scm.Device, tokens *store.Store) error {
	if device != nil && tokens != nil {
		return pkcs11.CheckPair(device, tokens)
	}
	if tokens != nil {
		return lonelyToken(tokens)
	}
	if b, can := device.(scm.Bonded); can {
		return lonelyDevice(b.Bonds())
	}
	return nil
}

// Keyless looks for certificates whose keys are on neither of the two.
func (l Look) Keyless(device scm.Device, tokens *store.Store) (pkcs11.Keyless, error) {
	return pkcs11.KeylessOf(device, tokens)
}

// lonelyToken says what a token without its soft SCM has lost.
func lonelyToken(tokens *store.Store) error {
	token, err := tokens.Pairing()
	if err == nil && token.Initialized {
		err = scm.ErrNone
	}
	return err
}

// lonelyDevice says that a soft SCM which belongs to a token is without it.
func lonelyDevice(b scm.Bonds, err error) error {
	if err == nil && (b.Token != nil || b.Sealed) {
		return store.ErrMissing
	}
	if errors.Is(err, scm.ErrAbsent) {
		return nil
	}
	return err
}
