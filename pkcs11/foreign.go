// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// foreignBase is what the number of a foreign slot is raised by where it stands beside
// those of key slots: in objects and in the store.
const foreignBase scm.Slot = 1 << 16

func isForeign(s scm.Slot) bool { return s >= foreignBase }

// slotName is how a log line calls a key slot or a foreign slot.
func slotName(s scm.Slot) string {
	if isForeign(s) {
		return fmt.Sprint("foreign slot ", int(s-foreignBase))
	}
	return fmt.Sprint("key slot ", int(s))
}

// ofNoForeign reports whether no foreign key can have all attributes of a template. Their list
// costs the device a call, so that it is asked for when somebody looks for what may be one,
// and from then on: a program that looks for a private key signs a call earlier.
func (a attributes) ofNoForeign() bool {
	if class, given := a[CKA_CLASS]; given && !bytes.Equal(class, encodeULong(CKO_PUBLIC_KEY)) {
		return true
	}
	return !agreesOn(a, CKA_ZK_FOREIGN, yes) || !agreesOn(a, CKA_TOKEN, yes) || !agreesOn(a, CKA_PRIVATE, no)
}

// foreignKeys lists the keys in the foreign slots of the device, if it has any.
func (t *token) foreignKeys() ([]scm.Key, error) {
	keeper, can := t.device.(scm.Keeper)
	if !can {
		return nil, nil
	}
	keys, err := keeper.Foreign()
	if errors.Is(err, scm.ErrAbility) {
		return nil, nil
	}
	for i := range keys {
		keys[i].Slot += foreignBase
	}
	return keys, err
}

// asForeign makes attributes of a public key in a key slot those of one in a foreign
// slot: nobody knows where it was made.
func asForeign(a attributes, k scm.Key) {
	a[CKA_LABEL] = fmt.Appendf(nil, "SCM foreign key %d", k.Slot-foreignBase)
	a[CKA_ZK_SLOT] = encodeULong(uint(k.Slot - foreignBase))
	a[CKA_ZK_FOREIGN] = yes
	a[CKA_LOCAL] = no
	a[CKA_KEY_GEN_MECHANISM] = encodeULong(CK_UNAVAILABLE_INFORMATION)
	a[CKA_VERIFY] = encodeBool(k.Curve != scm.X25519)
}

// replaced reports whether a record is of a key that was in a foreign slot before. Others
// may use the slot again, which is no alarm: nothing is signed with such a key.
func (o *object) replaced(r *store.Record) bool {
	return o.isForeign() && !bytes.Equal(r.Public, o.deviceKey().Public)
}

// keepForeign stores a public key in the device. It is the user who does, because
// what is recorded of slots is authenticated.
func (s *session) keepForeign(a attributes) (uint, error) {
	keeper, can := s.token.device.(scm.Keeper)
	if !can || a.isTrue(CKA_PRIVATE) || !agreesOn(a, CKA_TOKEN, yes) {
		return 0, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ZK_FOREIGN, "is for public objects of the token, with a device that keeps them")
	}
	a[CKA_TOKEN] = yes
	if err := s.complete(a); err != nil {
		return 0, err
	}
	if err := s.checkWritable(a); err != nil {
		return 0, err
	}
	if s.token.user() != CKU_USER {
		return 0, CKR_USER_NOT_LOGGED_IN
	}
	s.token.changes.Lock()
	defer s.token.changes.Unlock()
	k, err := publicKeyOf(a)
	if err != nil {
		return 0, err
	}
	n, err := keeper.StoreForeign(k.curve.curve, k.public)
	if err != nil {
		return 0, foreignFailure(err)
	}
	return s.token.recordForeign(keeper, scm.Key{Slot: foreignBase + n, Curve: k.curve.curve, Public: k.public}, a)
}

// agreesOn reports whether a template says of an attribute nothing but the value.
func agreesOn(a attributes, t uint, value []byte) bool {
	given, ok := a[t]
	return !ok || bytes.Equal(given, value)
}

// foreignFailure is the code of C_CreateObject for a key that the device does not take.
func foreignFailure(err error) error {
	switch {
	case errors.Is(err, scm.ErrCurve), errors.Is(err, scm.ErrAbility):
		return CKR_CURVE_NOT_SUPPORTED
	case errors.Is(err, scm.ErrInput):
		return CKR_ATTRIBUTE_VALUE_INVALID
	}
	return err
}

// recordForeign records what the caller said of a new foreign key, which does not stay
// in the device if that fails.
func (t *token) recordForeign(keeper scm.Keeper, k scm.Key, a attributes) (uint, error) {
	recorded := false
	defer t.removeForeignUnless(&recorded, keeper, k)
	o := &object{id: slotIdentity(k, publicHalf), place: placeOf(k), rules: ecPublicObject, attrs: t.slotAttributes(k, publicHalf).withAll(a)}
	o.attrs[CKA_ZK_SLOT] = encodeULong(uint(k.Slot - foreignBase))
	r := t.record(o)
	if err := t.putRecord(r); err != nil {
		return 0, err
	}
	recorded = true
	t.foreignWanted.Store(true)
	return t.slotHandle(o), nil
}

func (t *token) removeForeignUnless(recorded *bool, keeper scm.Keeper, k scm.Key) {
	if !*recorded {
		t.warnIfFailed("erasing a foreign key that could not be recorded", keeper.RemoveForeign(k.Slot-foreignBase))
	}
}

// removeForeign destroys a foreign key.
func (t *token) removeForeign(o *object) error {
	keeper, can := t.device.(scm.Keeper)
	if !can || t.user() != CKU_USER {
		return CKR_ACTION_PROHIBITED // C_DestroyObject has no code for a login that is missing
	}
	err := t.journaled(&removingForeign{t, keeper, o}, t.store.Release)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return CKR_OBJECT_HANDLE_INVALID // others were faster
	}
	return err
}

// removingForeign is a key that is about to leave its foreign slot.
type removingForeign struct {
	token  *token
	keeper scm.Keeper
	object *object
}

func (r *removingForeign) prepare(*store.Tx) ([]*store.Entry, error) {
	return []*store.Entry{entryOf(store.Removing, *r.object.deviceKey())}, nil
}

func (r *removingForeign) perform() error {
	k := r.object.deviceKey()
	n := k.Slot - foreignBase
	now, err := r.keeper.ForeignKey(n)
	if err == nil && !bytes.Equal(now.Public, k.Public) {
		err = scm.ErrSlotEmpty
	}
	if err != nil {
		return err
	}
	return r.token.removed(*k, r.keeper.RemoveForeign(n))
}

func (r *removingForeign) conclude(tx *store.Tx, failed error) error {
	switch {
	case failed == nil, errors.Is(failed, scm.ErrSlotEmpty):
		return forgetKeys(tx, r.object)
	case errors.Is(failed, errUnknown):
		return errUnknown
	}
	return nil
}

func (*removingForeign) recorded() bool { return false }
