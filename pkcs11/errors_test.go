// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

func TestCode(t *testing.T) {
	want(t, "success", codeOf(nil), CKR_OK)
	for cause, wanted := range map[error]Error{
		scm.ErrSlotEmpty:   CKR_FUNCTION_FAILED,
		scm.ErrSlotRange:   CKR_ATTRIBUTE_VALUE_INVALID,
		scm.ErrSlotTaken:   CKR_TEMPLATE_INCONSISTENT,
		scm.ErrPermanent:   CKR_ACTION_PROHIBITED,
		scm.ErrFull:        CKR_DEVICE_MEMORY,
		scm.ErrCurve:       CKR_KEY_TYPE_INCONSISTENT,
		scm.ErrInput:       CKR_DATA_LEN_RANGE,
		scm.ErrSealed:      CKR_USER_NOT_LOGGED_IN,
		scm.ErrSecret:      CKR_DEVICE_ERROR,
		scm.ErrReadOnly:    CKR_TOKEN_WRITE_PROTECTED,
		scm.ErrDestroyed:   CKR_DEVICE_ERROR,
		scm.ErrAbsent:      CKR_DEVICE_REMOVED,
		scm.ErrDevice:      CKR_DEVICE_ERROR,
		store.ErrPIN:       CKR_PIN_INCORRECT,
		store.ErrPINLocked: CKR_PIN_LOCKED,
		store.ErrNoPIN:     CKR_USER_PIN_NOT_INITIALIZED,
		store.ErrSecret:    CKR_DEVICE_ERROR,
		store.ErrLocked:    CKR_USER_NOT_LOGGED_IN,
		store.ErrNoRecord:  CKR_OBJECT_HANDLE_INVALID,
		store.ErrLabel:     CKR_ARGUMENTS_BAD,
		store.ErrReadOnly:  CKR_TOKEN_WRITE_PROTECTED,
		store.ErrFull:      CKR_DEVICE_MEMORY,
		store.ErrBusy:      CKR_DEVICE_ERROR,
		store.ErrCorrupt:   CKR_DEVICE_ERROR,
		fs.ErrPermission:   CKR_DEVICE_ERROR,
		CKR_DATA_INVALID:   CKR_DATA_INVALID,
	} {
		want(t, cause.Error(), codeOf(cause), wanted)
		want(t, cause.Error()+", wrapped", codeOf(fmt.Errorf("slot 3: %w", cause)), wanted)
		want(t, cause.Error()+", joined", codeOf(errors.Join(errors.New("first"), cause)), wanted)
	}
}

func TestErrorText(t *testing.T) {
	for e, wanted := range map[Error]string{
		CKR_PIN_INCORRECT: "CKR_PIN_INCORRECT", CKR_VENDOR_DEFINED + 5: "CKR 0x80000005", 4: "CKR 0x4",
	} {
		if e.Error() != wanted {
			t.Errorf("%q, want %q", e.Error(), wanted)
		}
	}
}
