// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/pkcs11"
)

// doUseZKSlot gives the key pair in a key slot a label and a CKA_ID.
func (f *flags) doUseZKSlot(c *cobra.Command) error {
	template, err := f.keyName("--use-zkslot")
	if err != nil {
		return err
	}
	pin, err := newPrompter(c).pin(&f.userPIN)
	if err != nil {
		return err
	}
	err = withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := f.chooseSlot(p, settings); err != nil {
			return err
		}
		return f.nameKeyAs(p, pin, template)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The key in key slot %d is named %q\n", f.useZKSlot, f.label)
	return nil
}

// nameKeyAs names the key in a session of the user.
func (f *flags) nameKeyAs(p *pkcs11.Provider, pin []byte, template []pkcs11.Attribute) error {
	return withUser(p, f.slot, pin, func(session uint) error { return nameKey(p, session, f.useZKSlot, template) })
}

// keyName is the label and the CKA_ID that the flags give to an action.
func (f *flags) keyName(action string) ([]pkcs11.Attribute, error) {
	if f.label == "" {
		return nil, usagef("%s needs --label", action)
	}
	template := []pkcs11.Attribute{{Type: pkcs11.CKA_LABEL, Value: []byte(f.label)}}
	if !f.idGiven {
		return template, nil
	}
	id, err := parseID("id", f.id)
	if err != nil {
		return nil, err
	}
	return append(template, pkcs11.Attribute{Type: pkcs11.CKA_ID, Value: id}), nil
}

// nameKey names both halves of the key pair in a key slot. A key that has a name gets a further one.
func nameKey(p *pkcs11.Provider, session uint, zkSlot int, template []pkcs11.Attribute) error {
	if zkSlot < 0 || zkSlot > int(scm.LastUser) {
		return fmt.Errorf("there is no key slot %d; they are 0 to %d", zkSlot, scm.LastUser)
	}
	keys, err := p.KeysInSlot(session, zkSlot)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("key slot %d is empty; \"scm slots\" shows those with a key", zkSlot)
	}
	named, err := p.IsNamed(session, zkSlot)
	if err != nil {
		return err
	}
	if named {
		return addName(p, session, zkSlot, template)
	}
	if err := checkUnusedID(p, session, zkSlot, template); err != nil {
		return err
	}
	if err := checkNotSealed(p, session, template, keys); err != nil {
		return err
	}
	for _, k := range keys {
		if err := p.SetAttributeValue(session, k, template); err != nil {
			return err
		}
	}
	return nil
}

// checkUnusedID refuses a CKA_ID that the key in another slot has: programs would find two keys by it.
func checkUnusedID(p *pkcs11.Provider, session uint, zkSlot int, template []pkcs11.Attribute) error {
	for _, a := range template {
		if a.Type != pkcs11.CKA_ID {
			continue
		}
		for other := range int(scm.LastUser) + 1 {
			same, err := hasID(p, session, other, a.Value)
			if err != nil {
				return err
			}
			if same && other != zkSlot {
				return fmt.Errorf("the key in key slot %d has the --id %x already", other, a.Value)
			}
		}
	}
	return nil
}

// hasID reports whether a half of the key in a slot has a CKA_ID.
func hasID(p *pkcs11.Provider, session uint, zkSlot int, id []byte) (bool, error) {
	keys, err := p.KeysInSlot(session, zkSlot)
	for _, k := range keys {
		has := make([]byte, len(id))
		n := uint(len(has))
		err := p.GetAttributeValue(session, k, []pkcs11.Query{{Type: pkcs11.CKA_ID, Buffer: has, Length: &n}})
		if err == nil && bytes.Equal(has[:n], id) {
			return true, nil
		}
	}
	return false, err
}
