// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"libzk_pkcs11/pkcs11"
)

// loginError is a PIN that was refused, with how often it may be wrong before it is locked.
type loginError struct {
	error
	role   uint // whose PIN it is: CKU_USER or CKU_SO
	status pinStatus
	label  string // of the token

	target string // which token it is, where there are two of them
	hint   string // how they are named
}

func (e *loginError) Unwrap() error { return e.error }

// explained says it in words, with the tries that are left.
func (e *loginError) explained() string {
	if e.status.Locked && errors.Is(e.error, pkcs11.CKR_PIN_INCORRECT) {
		return e.lockedNow()
	}
	return fmt.Sprintf("%s; %s%s: %s%s", explain(e.error), roleName(e.role), e.target, e.status, e.hint)
}

// lockedNow says what is left after the try that was the last.
func (e *loginError) lockedNow() string {
	if e.role == pkcs11.CKU_SO {
		return "the PIN is wrong, and " + lockedSO
	}
	return fmt.Sprintf("the PIN is wrong, and that was the last try: the %s%s is locked; %s%s (%v)", lowerFirst(roleName(e.role)), e.target, setPIN, e.hint, e.error)
}

// withTries adds to a PIN that was refused the tries that are left. Other errors stay as they are.
func withTries(p *pkcs11.Provider, slot, role uint, err error) error {
	if !errors.Is(err, pkcs11.CKR_PIN_INCORRECT) && !errors.Is(err, pkcs11.CKR_PIN_LOCKED) {
		return err
	}
	pins, unknown := p.PINsOf(slot)
	if unknown != nil {
		return err // the error of the PIN is the one that matters
	}
	pin := pins.User
	if role == pkcs11.CKU_SO {
		pin = pins.SO
	}
	refused := &loginError{error: err, role: role, status: newPINStatus(pin)}
	if info, unknown := p.GetTokenInfo(slot); unknown == nil {
		refused.label = info.Label
	}
	return refused
}

func roleName(role uint) string {
	if role == pkcs11.CKU_SO {
		return "SO PIN"
	}
	return "User PIN"
}
