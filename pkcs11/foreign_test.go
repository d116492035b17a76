// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
)

const zkForeign = uint(CKA_ZK_FOREIGN)

// foreignTemplate is a public key for a foreign slot.
func (f *fixture) foreignTemplate(c scm.Curve, public []byte, more ...any) []Attribute {
	return is(append([]any{
		CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, curves[c].keyType, CKA_EC_PARAMS, curves[c].encodeParams(),
		CKA_EC_POINT, curves[c].encodePoint(public), zkForeign, true,
	}, more...)...)
}

// storeForeign stores somebody's public key, and returns it too.
func (f *fixture) storeForeign(c scm.Curve, more ...any) (uint, []byte) {
	f.Helper()
	public := publicOn(f.TB, c)
	h, err := f.CreateObject(f.h, f.foreignTemplate(c, public, more...))
	f.ok(err)
	return h, public
}

func TestForeignKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	for i, c := range scm.Curves {
		h, public := f.storeForeign(c, CKA_LABEL, "peer", CKA_ID, []byte{9, byte(i)})
		stored, err := f.device.ForeignKey(scm.Slot(i))
		if err != nil || string(stored.Public) != string(public) || stored.Curve != c {
			t.Errorf("%v: the device has %+v, %v", c, stored, err)
		}
		for attribute, wanted := range map[uint]any{
			CKA_TOKEN: true, CKA_PRIVATE: false, CKA_LABEL: "peer", CKA_ID: []byte{9, byte(i)}, zkSlot: i, zkForeign: true,
			CKA_LOCAL: false, CKA_DESTROYABLE: true, CKA_PUBLIC_KEY_INFO: curves[c].publicKeyInfo(public), CKA_VERIFY: c != scm.X25519,
		} {
			f.reads(h, attribute, wanted)
		}
		there := other.one(zkForeign, true, zkSlot, i)
		other.reads(there, CKA_LABEL, "peer")
		other.reads(there, CKA_UNIQUE_ID, f.read(h, CKA_UNIQUE_ID))
	}
	if n := len(f.search(zkForeign, false)); n != 16 {
		t.Errorf("%d public keys in key slots, want 16", n)
	}
	if keys, err := f.KeysInSlot(f.h, 0); err != nil || len(keys) != 2 {
		t.Errorf("key slot 0 has the objects %d, %v", keys, err)
	}
}

// TestForeignKeyOfOthers: a key that came by the vendor's interface is there, too,
// with attributes of its own making, and can be named.
func TestForeignKeyOfOthers(t *testing.T) {
	f := newUser(t)
	public := publicOn(t, scm.P256)
	_, err := f.device.StoreForeign(scm.P256, public)
	f.ok(err)
	h := f.one(zkForeign, true)
	f.reads(h, CKA_LABEL, "SCM foreign key 0")
	f.reads(h, CKA_ID, defaultID(scm.Key{Slot: foreignBase, Curve: scm.P256, Public: public}))
	f.ok(f.SetAttributeValue(f.h, h, is(CKA_LABEL, "named")))
	f.another().one(CKA_LABEL, "named", zkForeign, true)
	f.ok(f.Logout(f.h))
	f.one(CKA_LABEL, "named")
}

// TestForeignKeyVerifies: it is for verifying what others sign.
func TestForeignKeyVerifies(t *testing.T) {
	f := newUser(t)
	signature, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	f.ok(err)
	k, err := f.device.PublicKey(0)
	f.ok(err)
	h, err := f.CreateObject(f.h, f.foreignTemplate(scm.P256, k.Public))
	f.ok(err)
	want(t, "verify", f.verify(CKM_ECDSA, h, digest32, signature), CKR_OK)
	want(t, "lock", f.EncryptInit(f.h, zkLock(), h), CKR_KEY_TYPE_INCONSISTENT)
}

func TestDestroyForeignKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	h, _ := f.storeForeign(scm.P256, CKA_LABEL, "first")
	there := other.one(CKA_LABEL, "first")
	f.ok(f.Logout(f.h))
	want(t, "public session", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
	f.login(CKU_USER)
	f.ok(f.DestroyObject(f.h, h))
	if keys, err := f.device.Foreign(); err != nil || len(keys) != 0 {
		t.Errorf("the device has %d foreign keys, %v", len(keys), err)
	}
	want(t, "again", f.DestroyObject(f.h, h), CKR_OBJECT_HANDLE_INVALID)
	second, _ := f.storeForeign(scm.Ed25519)
	want(t, "the handle of the first", other.DestroyObject(other.h, there), CKR_OBJECT_HANDLE_INVALID)
	f.reads(second, zkSlot, 0)
	f.reads(second, CKA_LABEL, "SCM foreign key 0")
}

// TestForeignKeyReplaced: a key that others put in a foreign slot has nothing of the
// one before it.
func TestForeignKeyReplaced(t *testing.T) {
	f := newUser(t)
	old, _ := f.storeForeign(scm.P256, CKA_LABEL, "old")
	f.ok(f.device.RemoveForeign(0))
	_, err := f.device.StoreForeign(scm.Ed25519, publicOn(t, scm.Ed25519))
	f.ok(err)
	_, err = f.tryRead(old, CKA_LABEL)
	want(t, "the old handle", err, CKR_OBJECT_HANDLE_INVALID)
	h := f.one(zkForeign, true)
	f.reads(h, CKA_LABEL, "SCM foreign key 0")
	f.ok(f.SetAttributeValue(f.h, h, is(CKA_LABEL, "new")))
	f.another().one(CKA_LABEL, "new", CKA_KEY_TYPE, CKK_EC_EDWARDS)
	if f.log.count("error: ") != 0 {
		t.Errorf("logged %q", f.log.list)
	}
}

func TestCreateForeignKeyErrors(t *testing.T) {
	f := newUser(t)
	public := publicOn(t, scm.P256)
	try := func(f *fixture, template []Attribute) error {
		_, err := f.CreateObject(f.h, template)
		return err
	}
	for name, tt := range map[string]struct {
		template []Attribute
		code     Error
	}{
		"session object": {f.foreignTemplate(scm.P256, public, CKA_TOKEN, false), CKR_TEMPLATE_INCONSISTENT},
		"private":        {f.foreignTemplate(scm.P256, public, CKA_PRIVATE, true), CKR_TEMPLATE_INCONSISTENT},
		"slot asked":     {f.foreignTemplate(scm.P256, public, zkSlot, 3), CKR_ATTRIBUTE_READ_ONLY},
		"no point":       {is(CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, CKK_EC, CKA_EC_PARAMS, curves[scm.P256].encodeParams(), zkForeign, true), CKR_TEMPLATE_INCOMPLETE},
		"data":           {is(CKA_CLASS, CKO_DATA, zkForeign, true), CKR_ATTRIBUTE_TYPE_INVALID},
	} {
		want(t, name, try(f, tt.template), tt.code)
	}
	for cause, wanted := range map[error]Error{
		scm.ErrFull: CKR_DEVICE_MEMORY, scm.ErrCurve: CKR_CURVE_NOT_SUPPORTED, scm.ErrInput: CKR_ATTRIBUTE_VALUE_INVALID, scm.ErrDevice: CKR_DEVICE_ERROR,
	} {
		f.device.Fail("StoreForeign", 1, cause)
		want(t, fmt.Sprint(cause), try(f, f.foreignTemplate(scm.P256, public)), wanted)
	}
	f.ok(f.Logout(f.h))
	want(t, "public session", try(f, f.foreignTemplate(scm.P256, public)), CKR_USER_NOT_LOGGED_IN)
	f.h = f.session(0)
	want(t, "read-only session", try(f, f.foreignTemplate(scm.P256, public)), CKR_SESSION_READ_ONLY)
	g := withDevice(t, false, func(d scm.Device) scm.Device { return plain{d} })
	g.login(CKU_USER)
	want(t, "plain device", try(g, g.foreignTemplate(scm.P256, public)), CKR_TEMPLATE_INCONSISTENT)
	if keys, err := f.device.Foreign(); err != nil || len(keys) != 0 {
		t.Errorf("the device has %d foreign keys, %v", len(keys), err)
	}
}

// TestCopyForeignKey: a copy is in no slot.
func TestCopyForeignKey(t *testing.T) {
	f := newUser(t)
	h, _ := f.storeForeign(scm.P256)
	c, err := f.CopyObject(f.h, h, is(CKA_TOKEN, false))
	f.ok(err)
	for _, attribute := range []uint{zkSlot, zkForeign} {
		_, err = f.tryRead(c, attribute)
		want(t, AttributeName(attribute), err, CKR_ATTRIBUTE_TYPE_INVALID)
	}
}
