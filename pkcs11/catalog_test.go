// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha1"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// TestDefaults: a key that nobody gave attributes shows up by itself, with
// defaults that depend on nothing but the slot and the key.
func TestDefaults(t *testing.T) {
	f := newPublic(t)
	for slot := range int(scm.PermanentSlots) {
		h := f.public(slot)
		k, err := f.device.PublicKey(scm.Slot(slot))
		f.ok(err)
		c := &curves[k.Curve]
		f.reads(h, CKA_LABEL, fmt.Sprint("SCM slot ", slot))
		f.reads(h, CKA_ID, []byte{byte(slot)})
		f.reads(h, CKA_TOKEN, true)
		f.reads(h, CKA_PRIVATE, false)
		f.reads(h, CKA_VERIFY, true)
		f.reads(h, CKA_LOCAL, true)
		f.reads(h, CKA_KEY_TYPE, c.keyType)
		f.reads(h, CKA_KEY_GEN_MECHANISM, c.generate)
		f.reads(h, CKA_EC_PARAMS, c.encodeParams())
		f.reads(h, CKA_EC_POINT, octetString(c.rawPoint(k.Public)))
		f.reads(h, CKA_PUBLIC_KEY_INFO, c.publicKeyInfo(k.Public))
	}
	if n := len(f.search(CKA_CLASS, CKO_PRIVATE_KEY)); n > 0 {
		t.Errorf("%d private keys are visible without a login", n)
	}
	f.login(CKU_USER)
	for slot := range int(scm.PermanentSlots) {
		h := f.private(slot)
		for _, x := range []uint{CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SIGN} {
			f.reads(h, x, true)
		}
		for _, x := range []uint{CKA_EXTRACTABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_ALWAYS_AUTHENTICATE} {
			f.reads(h, x, false)
		}
		f.reads(h, CKA_DERIVE, slot < int(scm.FirstEd25519))
		f.reads(h, CKA_EC_POINT, f.read(f.public(slot), CKA_EC_POINT))
	}
}

// TestDefaultsOfUserSlot: a key that another program put in a slot.
func TestDefaultsOfUserSlot(t *testing.T) {
	f := newUser(t)
	k, err := f.device.Generate(scm.Secp256k1)
	f.ok(err)
	id := sha1.Sum(append([]byte{4}, k.Public...))
	for _, h := range []uint{f.public(16), f.private(16)} {
		f.reads(h, CKA_LABEL, "SCM slot 16")
		f.reads(h, CKA_ID, id[:])
		f.reads(h, CKA_DESTROYABLE, true)
	}
	_, err = f.sign(CKM_ECDSA, f.private(16), digest32)
	want(t, "sign", err, CKR_OK)
	want(t, "destroy", f.DestroyObject(f.h, f.private(16)), CKR_OK)
}

func TestRawPoints(t *testing.T) {
	f := newPublicWith(t, Options{ECPointRaw: true})
	for slot, size := range map[int]int{0: 67, 14: 32} {
		if got := f.read(f.public(slot), CKA_EC_POINT); len(got) != size {
			t.Errorf("slot %d: CKA_EC_POINT has %d bytes, want %d", slot, len(got), size)
		}
	}
}

// TestHandlesStay: however often the objects are read anew, and no matter who changed
// them, an object keeps the handle that it has.
func TestHandlesStay(t *testing.T) {
	f := newUser(t)
	_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
	f.ok(err)
	before := f.search()
	other := f.another()
	mine, _ := other.tokenPair(scm.P256)
	f.ok(other.SetAttributeValue(other.h, mine, is(CKA_LABEL, "x")))
	after := f.search()
	kept := slices.DeleteFunc(slices.Clone(after), func(h uint) bool { return !slices.Contains(before, h) })
	if len(after) != len(before)+2 || !slices.Equal(kept, before) {
		t.Errorf("handles %d, before %d", after, before)
	}
	f.token().forgetObjects()
	if again := f.search(); !slices.Equal(again, after) {
		t.Errorf("handles %d, before %d", again, after)
	}
}

// TestSessionObjectsSurviveReading: what another process does to the token does
// not touch the objects of our sessions.
func TestSessionObjectsSurviveReading(t *testing.T) {
	f := newUser(t)
	h, err := f.CreateObject(f.h, is(with(secretKey, CKA_LABEL, "mine")...))
	f.ok(err)
	f.another().tokenPair(scm.P256)
	if got := f.one(CKA_LABEL, "mine"); got != h {
		t.Errorf("handle %d, want %d", got, h)
	}
}

// exchange puts another key in a slot behind the back of the store, as firmware
// that reuses its slots does.
func exchange(t testing.TB, d scm.Device, slot scm.Slot, c scm.Curve) {
	t.Helper()
	ok(t, d.Remove(scm.Key{Slot: slot}))
	k, err := d.Generate(c)
	ok(t, err)
	if k.Slot != slot { // the lowest that is free
		t.Fatalf("the new key is in slot %d, not %d", k.Slot, slot)
	}
}

// TestExchangedKey: a slot that holds another key than the store remembers does
// not sign as the one that it held.
func TestExchangedKey(t *testing.T) {
	for _, c := range []scm.Curve{scm.P256, scm.Ed25519} {
		f := newUser(t)
		public, private := f.pairOn(scm.P256, CKA_TOKEN, true, CKA_LABEL, "mine", CKA_DERIVE, true)
		_ = public
		exchange(t, f.device, 16, c)
		f.device.Reset()

		want(t, "the old key", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, private), CKR_KEY_HANDLE_INVALID)
		changed := f.private(16)
		f.reads(changed, CKA_LABEL, "SCM slot 16")
		mechanism := uint(CKM_ECDSA)
		if c == scm.Ed25519 {
			mechanism = CKM_EDDSA
		}
		want(t, "sign", f.SignInit(f.h, &Mechanism{Type: mechanism}, changed), CKR_DEVICE_ERROR)
		if c == scm.P256 {
			_, err := f.derive(CKM_ECDH1_DERIVE, changed, publicOn(t, c))
			want(t, "derive", err, CKR_DEVICE_ERROR)
		}
		want(t, "change", f.SetAttributeValue(f.h, changed, is(CKA_LABEL, "x")), CKR_ACTION_PROHIBITED)
		f.token().forgetObjects()
		f.search()
		if n := f.log.count("key slot 16 holds another key"); n != 1 {
			t.Errorf("%d log lines, want 1", n)
		}
		if n := f.device.Calls("Sign") + f.device.Calls("Agree"); n > 0 {
			t.Errorf("the device was asked %d times", n)
		}
		want(t, "destroy", f.DestroyObject(f.h, changed), CKR_OK)
		_, fresh := f.tokenPair(scm.P256)
		_, err := f.sign(CKM_ECDSA, fresh, digest32)
		want(t, "a new key in the slot", err, CKR_OK)
	}
}

// TestExchangedKeyByOneHalf: it is enough that the store remembers one half.
func TestExchangedKeyByOneHalf(t *testing.T) {
	for _, class := range []int{CKO_PUBLIC_KEY, CKO_PRIVATE_KEY} {
		f := newUser(t)
		_, err := f.device.Generate(scm.P256)
		f.ok(err)
		named := f.one(zkSlot, 16, CKA_CLASS, class)
		f.ok(f.SetAttributeValue(f.h, named, is(CKA_LABEL, "named")))
		exchange(t, f.device, 16, scm.P256)
		want(t, "sign", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.private(16)), CKR_DEVICE_ERROR)
		want(t, "verify", f.VerifyInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.public(16)), CKR_DEVICE_ERROR)
	}
}

// TestExchangedWhileSigning: the slot gets another key after C_SignInit.
func TestExchangedWhileSigning(t *testing.T) {
	f := newUser(t)
	_, private := f.tokenPair(scm.P256)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, private))
	exchange(t, f.device, 16, scm.P256)
	out, signature := buffer(64)
	want(t, "sign", f.Sign(f.h, digest32, out), CKR_FUNCTION_FAILED)
	if !bytes.Equal(signature, make([]byte, 64)) {
		t.Error("a signature by another key was given out")
	}
	want(t, "the operation", f.Sign(f.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
}

// TestVanishedKey: a slot that the store knows and the device does not.
func TestVanishedKey(t *testing.T) {
	f := newUser(t)
	_, private := f.tokenPair(scm.P256)
	f.ok(f.device.Remove(scm.Key{Slot: 16}))
	want(t, "sign", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, private), CKR_KEY_HANDLE_INVALID)
	if n := len(f.search(zkSlot, 16)); n > 0 {
		t.Errorf("%d objects are left", n)
	}
	f.token().forgetObjects()
	f.search()
	if n := f.log.count("key slot 16 is empty"); n != 1 {
		t.Errorf("%d log lines, want 1", n)
	}
	_, private = f.tokenPair(scm.P256)
	if overVendor() {
		f.private(16)
		return
	}
	f.reads(private, zkSlot, 17) // what is known of the other stays
	if n := len(f.records()); n != 4 {
		t.Errorf("%d records, want those of two pairs", n)
	}
}

// TestForgedRecords: what somebody wrote into the store's file by hand does not
// become a key, and is no reason to fail.
func TestForgedRecords(t *testing.T) {
	f := newUser(t)
	n := len(f.search())
	_, err := f.store.Update(func(tx *store.Tx) error {
		for _, a := range []attributes{
			{CKA_CLASS: encodeULong(CKO_PRIVATE_KEY), CKA_KEY_TYPE: encodeULong(CKK_EC), CKA_SIGN: yes, CKA_TOKEN: yes},
			{CKA_CLASS: encodeULong(CKO_PUBLIC_KEY), CKA_KEY_TYPE: encodeULong(CKK_EC), CKA_TOKEN: yes},
			{CKA_CLASS: encodeULong(CKO_PUBLIC_KEY), CKA_KEY_TYPE: encodeULong(CKK_EC), CKA_EC_PARAMS: curves[0].encodeParams()},
			{CKA_CLASS: encodeULong(CKO_HW_FEATURE)},
			{CKA_CLASS: {1}}, {},
		} {
			if err := tx.Put(&store.Record{Slot: store.NoSlot, Attributes: toStore(a)}); err != nil {
				return err
			}
		}
		return nil
	})
	f.ok(err)
	if got := len(f.search()); got != n {
		t.Errorf("%d objects, want %d", got, n)
	}
}

// TestDamagedRecord: a record that was changed in the file is left out and
// reported.
func TestDamagedRecord(t *testing.T) {
	f := newUser(t)
	f.tokenPair(scm.P256)
	f.Close()
	forge(t, f.dir, "UPDATE records SET hidden = 1 WHERE slot = 16 AND private = 1")
	again := openIn(t, f.dir, Options{})
	again.h = again.session(0)
	again.login(CKU_USER)
	again.reads(again.private(16), CKA_LABEL, "SCM slot 16")
	if again.log.count("is damaged or was changed") == 0 {
		t.Error("nothing is in the log")
	}
}

// forge changes the store's file as an intruder would.
func forge(t testing.TB, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "token.db"))
	ok(t, err)
	defer db.Close()
	result, err := db.Exec(statement)
	ok(t, err)
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// TestDeviceWithoutUser: keys of the device are there although the token was
// never initialised.
func TestDeviceWithoutUser(t *testing.T) {
	f := newBlank(t)
	f.h = f.session(CKF_RW_SESSION)
	if n := len(f.search(CKA_CLASS, CKO_PUBLIC_KEY)); n != scm.PermanentSlots {
		t.Errorf("%d keys", n)
	}
	k, err := f.world().PublicKey(3)
	f.ok(err)
	if got := f.read(f.public(3), CKA_EC_POINT); !bytes.HasSuffix(got, k.Public) {
		t.Errorf("point %x", got)
	}
}
