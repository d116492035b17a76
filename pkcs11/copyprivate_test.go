// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// TestCopySealed copies a sealed key in all four directions, and makes it stricter on the way but never looser.
func TestCopySealed(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	for _, from := range []bool{true, false} {
		key := f.create(rsaTemplate(k, CKA_TOKEN, from, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true))
		for _, to := range []bool{true, false} {
			copied, err := f.CopyObject(f.h, key, is(CKA_TOKEN, to, CKA_SENSITIVE, true, CKA_EXTRACTABLE, false, CKA_LABEL, "copy"))
			f.ok(err)
			f.checkSigns(k, copied)
			for typ, v := range map[uint]any{CKA_TOKEN: to, CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_ALWAYS_SENSITIVE: false,
				CKA_NEVER_EXTRACTABLE: false, CKA_LOCAL: false} {
				f.reads(copied, typ, v)
			}
			_, err = f.tryRead(copied, CKA_PRIME_1)
			want(t, "a prime", err, CKR_ATTRIBUTE_SENSITIVE)
			for _, looser := range [][]Attribute{is(CKA_SENSITIVE, false), is(CKA_EXTRACTABLE, true)} {
				_, err = f.CopyObject(f.h, copied, looser)
				want(t, "looser", err, CKR_ATTRIBUTE_READ_ONLY)
			}
			_, err = f.CopyObject(f.h, copied, is(CKA_PRIVATE, false))
			want(t, "not private", err, CKR_TEMPLATE_INCONSISTENT)
		}
		f.checkSigns(k, key)
	}
}

// TestCopySessionPair: a key pair of a session is copied to the token, where it is sealed. So does Java's keytool.
func TestCopySessionPair(t *testing.T) {
	f := newSealing(t)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519, scm.X25519} {
		public, private := f.pairOn(c, CKA_TOKEN, false)
		f.reads(private, CKA_COPYABLE, true)
		kept, err := f.CopyObject(f.h, private, is(CKA_TOKEN, true, CKA_ID, "java", CKA_LABEL, c.String()))
		f.ok(err)
		f.reads(kept, CKA_PUBLIC_KEY_INFO, f.read(public, CKA_PUBLIC_KEY_INFO))
		for typ, v := range map[uint]any{CKA_LOCAL: true, CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_NEVER_EXTRACTABLE: true} {
			f.reads(kept, typ, v)
		}
		_, err = f.tryRead(kept, zkSlot)
		want(t, "slot", err, CKR_ATTRIBUTE_TYPE_INVALID)
		other := f.reopened()
		other.reads(other.one(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_LABEL, c.String()), CKA_PUBLIC_KEY_INFO, f.read(public, CKA_PUBLIC_KEY_INFO))
	}
	_, inSlot := f.tokenPair(scm.P256)
	_, err := f.CopyObject(f.h, inSlot, is(CKA_TOKEN, false))
	want(t, "a key slot's", err, CKR_ACTION_PROHIBITED)
}

// TestCopySessionPairOff: without sealed keys there is one of each private key.
func TestCopySessionPairOff(t *testing.T) {
	softOnly(t, noSession)
	f := newUser(t)
	_, private := f.pairOn(scm.P256, CKA_TOKEN, false)
	f.reads(private, CKA_COPYABLE, false)
	_, err := f.CopyObject(f.h, private, is(CKA_TOKEN, true))
	want(t, "copy", err, CKR_ACTION_PROHIBITED)
}

// TestGenerateWithoutPlace: a key pair on a curve that no key slot can hold is sealed, all others are in the device.
func TestGenerateWithoutPlace(t *testing.T) {
	f := newSealing(t)
	oid := func(list []any, params []byte) []Attribute { return append(is(CKA_EC_PARAMS, params), is(list...)...) }
	p384 := curveOID(softkey.P384)
	for name, x := range map[string]struct {
		params  []byte
		private []any
		sealed  bool
	}{
		"P-384":             {p384, []any{CKA_TOKEN, true}, true},
		"P-384, session":    {p384, []any{CKA_TOKEN, false}, true},
		"P-256":             {curves[scm.P256].encodeParams(), []any{CKA_TOKEN, true}, false},
		"P-256, to go":      {curves[scm.P256].encodeParams(), []any{CKA_TOKEN, true, CKA_EXTRACTABLE, true}, true},
		"P-256, session":    {curves[scm.P256].encodeParams(), []any{CKA_TOKEN, false}, overVendor()}, // noSession
		"P-256, not hidden": {curves[scm.P256].encodeParams(), []any{CKA_TOKEN, true, CKA_SENSITIVE, false}, false},
	} {
		_, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, oid([]any{CKA_TOKEN, true}, x.params), is(x.private...))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := f.object(private).isSealed(); got != x.sealed {
			t.Errorf("%s: sealed is %v", name, got)
		}
		f.reads(private, CKA_LOCAL, true)
	}
	_, _, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, oid(nil, p384), is(CKA_TOKEN, true, zkSlot, 20))
	want(t, "P-384 in a slot", err, CKR_CURVE_NOT_SUPPORTED)
}

// TestCopyLeavesOriginal: the value of a copy that is sealed or masked is overwritten where it was, and no other one with it.
func TestCopyLeavesOriginal(t *testing.T) {
	f := newSealing(t)
	value := bytes.Repeat([]byte{7}, 32)
	for _, list := range [][]Attribute{is(CKA_CLASS, uint(CKO_DATA), CKA_VALUE, value), secretTemplate(CKK_AES, CKA_VALUE, value)} {
		for _, onToken := range []bool{true, false} {
			for _, change := range [][]Attribute{is(CKA_TOKEN, true), is(CKA_TOKEN, false), is(CKA_TOKEN, true, CKA_PRIVATE, true), is(CKA_TOKEN, false, CKA_PRIVATE, true)} {
				original := f.create(append(is(CKA_PRIVATE, false, CKA_TOKEN, onToken), list...))
				f.reads(original, CKA_VALUE, value)
				copied, err := f.CopyObject(f.h, original, change)
				f.ok(err)
				f.reads(original, CKA_VALUE, value)
				f.reads(copied, CKA_VALUE, value)
			}
		}
	}
}
