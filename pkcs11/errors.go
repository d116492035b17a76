// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
	"libzk_pkcs11/internal/store"
)

// Error is a CK_RV other than CKR_OK.
type Error uint

// Error returns the name of the code in the specification.
func (e Error) Error() string {
	if name := errorName(e); name != "" {
		return name
	}
	return fmt.Sprintf("CKR 0x%x", uint(e))
}

// failures maps what the layers below report to the code that a caller gets.
var failures = []struct {
	cause error
	code  Error
}{
	{scm.ErrSlotEmpty, CKR_FUNCTION_FAILED},         // emptied by another process just now
	{scm.ErrSlotRange, CKR_ATTRIBUTE_VALUE_INVALID}, // callers name slots by CKA_ZK_SLOT only
	{scm.ErrSlotTaken, CKR_TEMPLATE_INCONSISTENT},
	{scm.ErrPermanent, CKR_ACTION_PROHIBITED},
	{scm.ErrFull, CKR_DEVICE_MEMORY},
	{scm.ErrCurve, CKR_KEY_TYPE_INCONSISTENT},
	{scm.ErrInput, CKR_DATA_LEN_RANGE},
	{scm.ErrSealed, CKR_USER_NOT_LOGGED_IN},
	{scm.ErrAuth, CKR_ENCRYPTED_DATA_INVALID},
	{scm.ErrReadOnly, CKR_TOKEN_WRITE_PROTECTED},
	{scm.ErrAbsent, CKR_DEVICE_REMOVED},
	{softkey.ErrSignature, CKR_SIGNATURE_INVALID},
	{softkey.ErrSignatureLength, CKR_SIGNATURE_LEN_RANGE},
	{softkey.ErrLength, CKR_DATA_LEN_RANGE},
	{softkey.ErrData, CKR_DATA_INVALID},
	{softkey.ErrParameter, CKR_MECHANISM_PARAM_INVALID},
	{softkey.ErrUnsupported, CKR_MECHANISM_PARAM_INVALID},
	{softkey.ErrKey, CKR_ATTRIBUTE_VALUE_INVALID},
	{softkey.ErrKeySize, CKR_KEY_SIZE_RANGE},
	{softkey.ErrExhausted, CKR_DATA_LEN_RANGE},
	{softkey.ErrEnded, CKR_OPERATION_NOT_INITIALIZED},
	{store.ErrPIN, CKR_PIN_INCORRECT},
	{store.ErrPINLocked, CKR_PIN_LOCKED},
	{store.ErrNoPIN, CKR_USER_PIN_NOT_INITIALIZED},
	{store.ErrReadOnly, CKR_TOKEN_WRITE_PROTECTED},
	{store.ErrFull, CKR_DEVICE_MEMORY},
	{store.ErrRoot, CKR_DEVICE_ERROR},
	{store.ErrLocked, CKR_USER_NOT_LOGGED_IN},
	{store.ErrNoRecord, CKR_OBJECT_HANDLE_INVALID},
	{store.ErrLabel, CKR_ARGUMENTS_BAD},
}

// codeOf is the one place where an error of the device or the store becomes a
// CK_RV. What is not listed is a failure of the device.
func codeOf(err error) error {
	if err == nil {
		return nil
	}
	var e Error
	if errors.As(err, &e) {
		return e
	}
	for _, f := range failures {
		if errors.Is(err, f.cause) {
			return f.code
		}
	}
	return CKR_DEVICE_ERROR
}

// outcome is the code of an error for the caller. A failure that has no code of
// its own is told to the operator, because the caller learns only that the
// device failed.
func (t *token) outcome(err error) error {
	c := codeOf(err)
	if errors.Is(err, store.ErrLost) {
		err = store.ErrLost // whatever was asked for: one line says what to do
	}
	var r *refusal
	switch {
	case err == c, errors.Is(err, store.ErrRoot): // a code alone has nothing to tell; the login has told the other
	case errors.As(err, &r):
		t.slot.provider.log.Infof("slot %d: a template is refused: %v", t.slot.id, r)
	case errors.Is(err, scm.ErrDestroyed):
		t.slot.reportDestroyed()
	case errors.Is(err, store.ErrFull):
		t.slot.provider.log.Errorf("slot %d: nothing more can be stored until there is room on the disk, or objects are destroyed: %v", t.slot.id, err)
	case c == CKR_DEVICE_ERROR:
		t.slot.provider.log.Errorf("slot %d: %v", t.slot.id, err)
	}
	return c
}
