// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/pkcs11"
)

// addName gives a key that has a name a further one: a pair of objects beside the first, which programs find by an --id of its own.
func addName(p *pkcs11.Provider, session uint, zkSlot int, template []pkcs11.Attribute) error {
	if valueIn(template, pkcs11.CKA_ID) == nil {
		return fmt.Errorf("the key in key slot %d has a name already; a further one needs an --id of its own", zkSlot)
	}
	if err := checkUnusedID(p, session, -1, template); err != nil {
		return err
	}
	if err := checkNotSealed(p, session, template, nil); err != nil {
		return err
	}
	return p.AddName(session, zkSlot, template)
}

// checkNotSealed refuses a CKA_ID that another private key has than these, one that is in no key slot among them.
func checkNotSealed(p *pkcs11.Provider, session uint, template []pkcs11.Attribute, but []uint) error {
	id := valueIn(template, pkcs11.CKA_ID)
	if id == nil {
		return nil
	}
	err := p.FindObjectsInit(session, []pkcs11.Attribute{
		{Type: pkcs11.CKA_CLASS, Value: pkcs11.EncodeULong(pkcs11.CKO_PRIVATE_KEY)}, {Type: pkcs11.CKA_ID, Value: id}})
	if err != nil {
		return err
	}
	found := make([]uint, len(but)+1)
	n, err := p.FindObjects(session, found)
	for _, k := range found[:n] {
		if !slices.Contains(but, k) {
			err = fmt.Errorf("another key has the --id %x already", id)
		}
	}
	return errors.Join(err, p.FindObjectsFinal(session))
}
