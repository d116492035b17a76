// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"time"

	"libzk_pkcs11/internal/scm"
)

// clockRecord stands for a record in the identity of the clock, which the store knows
// nothing of.
const clockRecord = -1

// clockRules are the attributes of the clock. CKA_VALUE cannot be set: the SCM's clock
// goes by itself.
var clockRules = rules{
	CKA_CLASS:           {number, 0, nil},
	CKA_HW_FEATURE_TYPE: {number, 0, nil},
	CKA_VALUE:           {octets, 0, nil},
	CKA_UNIQUE_ID:       {octets, ours, nil},
}

// feature reports whether the object is a hardware feature, which is found only by a search
// that asks for one (section 4.3).
func (o *object) feature() bool { return o.id.record == clockRecord }

// clockObject returns the clock object, nil for a device without a clock. What it shows is
// added when it is read.
func (t *token) clockObject() *object {
	if _, can := t.device.(scm.Clock); !can {
		return nil
	}
	o := &object{id: identity{record: clockRecord}, rules: clockRules, attrs: attributes{
		CKA_CLASS: encodeULong(CKO_HW_FEATURE), CKA_HW_FEATURE_TYPE: encodeULong(CKH_CLOCK),
		CKA_UNIQUE_ID: []byte("clock"),
	}}
	o.handle = t.slotHandle(o)
	return o
}

// withTime returns the clock as it is now.
func (t *token) withTime(o *object) (*object, error) {
	now, err := t.utcTime()
	if err != nil || now == "" {
		return o, err
	}
	shown := *o
	shown.attrs = o.attrs.withAll(attributes{CKA_VALUE: []byte(now)})
	return &shown, nil
}

// utcTime is what the device's clock says: 16 digits, YYYYMMDDhhmmss00; "" without one.
func (t *token) utcTime() (string, error) {
	clock, can := t.device.(scm.Clock)
	if !can {
		return "", nil
	}
	seconds, err := clock.Time()
	if errors.Is(err, scm.ErrAbility) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return time.Unix(int64(seconds), 0).UTC().Format("20060102150405") + "00", nil
}
