// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestGenerateKeyPair makes a pair on each curve and uses it.
func TestGenerateKeyPair(t *testing.T) {
	for _, c := range scm.Curves {
		makesPair(t, c, true)
	}
}

// TestGenerateSessionPair is TestGenerateKeyPair for pairs of a session.
func TestGenerateSessionPair(t *testing.T) {
	softOnly(t, noSession)
	for _, c := range scm.Curves {
		makesPair(t, c, false)
	}
}

func makesPair(t *testing.T, c scm.Curve, token bool) {
	t.Helper()
	f := newUser(t)
	public, private := f.pair(c, []any{CKA_TOKEN, token}, []any{CKA_TOKEN, token, CKA_DERIVE, c != scm.Ed25519})
	for _, h := range []uint{public, private} {
		f.reads(h, CKA_TOKEN, token)
		f.reads(h, CKA_LOCAL, true)
		f.reads(h, CKA_KEY_TYPE, curves[c].keyType)
		f.reads(h, CKA_EC_PARAMS, curves[c].encodeParams())
		f.reads(h, CKA_KEY_GEN_MECHANISM, curves[c].generate)
	}
	f.reads(private, CKA_EC_POINT, f.read(public, CKA_EC_POINT))
	f.reads(private, CKA_PUBLIC_KEY_INFO, f.read(public, CKA_PUBLIC_KEY_INFO))
	f.reads(private, CKA_ID, f.read(public, CKA_ID))
	f.uses(c, public, private)
}

// uses signs and verifies, or derives, with a pair.
func (f *fixture) uses(c scm.Curve, public, private uint) {
	f.Helper()
	if c == scm.X25519 {
		_, err := f.derive(CKM_ECDH1_DERIVE, private, publicOn(f, c))
		want(f, "derive", err, CKR_OK)
		return
	}
	mechanism := uint(CKM_ECDSA)
	if c == scm.Ed25519 {
		mechanism = CKM_EDDSA
	}
	signature, err := f.sign(mechanism, private, digest32)
	want(f, "sign", err, CKR_OK)
	want(f, "verify", f.verify(mechanism, public, digest32, signature), CKR_OK)
}

// TestGenerateIDs: both halves have the same CKA_ID unless the caller wants two.
func TestGenerateIDs(t *testing.T) {
	f := newUser(t)
	for _, c := range []struct {
		public, private any // CKA_ID of the templates, nil for none
		wanted          [2]string
	}{
		{"a", nil, [2]string{"a", "a"}},
		{nil, "b", [2]string{"b", "b"}},
		{"", "c", [2]string{"c", "c"}},
		{"d", "", [2]string{"d", "d"}},
		{"e", "f", [2]string{"e", "f"}},
	} {
		public, private := []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true}
		if c.public != nil {
			public = append(public, CKA_ID, c.public)
		}
		if c.private != nil {
			private = append(private, CKA_ID, c.private)
		}
		pub, priv := f.pair(scm.P256, public, private)
		f.reads(pub, CKA_ID, c.wanted[0])
		f.reads(priv, CKA_ID, c.wanted[1])
	}
	pub, priv := f.tokenPair(scm.P256)
	if id := f.read(pub, CKA_ID); len(id) != 20 || string(id) != string(f.read(priv, CKA_ID)) {
		t.Errorf("default ID %x", id)
	}
}

func TestGenerateTemplates(t *testing.T) {
	f := newUser(t)
	token := []any{CKA_TOKEN, true}
	for _, c := range []struct {
		name            string
		public, private []any
		code            Error
	}{
		{"everything a client gives", with(token, CKA_VERIFY, true, CKA_LABEL, "x", CKA_CLASS, CKO_PUBLIC_KEY, CKA_KEY_TYPE, CKK_EC),
			with(token, CKA_SIGN, true, CKA_SENSITIVE, true, CKA_EXTRACTABLE, false, CKA_PRIVATE, true, CKA_CLASS, CKO_PRIVATE_KEY), CKR_OK},
		{"extractable", token, with(token, CKA_EXTRACTABLE, true), CKR_TEMPLATE_INCONSISTENT},
		{"not sensitive", token, with(token, CKA_SENSITIVE, false), CKR_OK},
		{"what pkcs11-tool --always-auth gives", token,
			with(token, CKA_SENSITIVE, true, CKA_SIGN, true, CKA_DERIVE, true, CKA_ALWAYS_AUTHENTICATE, true), CKR_OK},
		{"not private", token, with(token, CKA_PRIVATE, false), CKR_TEMPLATE_INCONSISTENT},
		{"wrong class", []any{CKA_CLASS, CKO_PRIVATE_KEY}, nil, CKR_TEMPLATE_INCONSISTENT},
		{"wrong private class", nil, []any{CKA_CLASS, CKO_PUBLIC_KEY}, CKR_TEMPLATE_INCONSISTENT},
		{"wrong key type", []any{CKA_KEY_TYPE, CKK_EC_EDWARDS}, nil, CKR_TEMPLATE_INCONSISTENT},
		{"point", []any{CKA_EC_POINT, "x"}, nil, CKR_ATTRIBUTE_READ_ONLY},
		{"value", nil, []any{CKA_VALUE, "x"}, CKR_ATTRIBUTE_READ_ONLY},
		{"local", nil, []any{CKA_LOCAL, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"key info", []any{CKA_PUBLIC_KEY_INFO, "x"}, nil, CKR_ATTRIBUTE_READ_ONLY},
		{"private key info", nil, []any{CKA_PUBLIC_KEY_INFO, "x"}, CKR_ATTRIBUTE_TYPE_INVALID},
		{"unknown attribute", nil, []any{CKA_MODULUS_BITS, 2048}, CKR_ATTRIBUTE_TYPE_INVALID},
		{"bad boolean", nil, []any{CKA_SIGN, "\x02"}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"a type twice", []any{CKA_LABEL, "x", CKA_LABEL, "y"}, nil, CKR_TEMPLATE_INCONSISTENT},
		{"trusted", []any{CKA_TRUSTED, true}, nil, CKR_ATTRIBUTE_READ_ONLY},
		{"slot of a session key", nil, []any{zkSlot, 20}, CKR_TEMPLATE_INCONSISTENT},
		{"slot of a session key's public half", []any{zkSlot, 20}, nil, CKR_TEMPLATE_INCONSISTENT},
		{"two slots", with(token, zkSlot, 20), with(token, zkSlot, 21), CKR_TEMPLATE_INCONSISTENT},
		{"a slot that is permanent", token, with(token, zkSlot, 3), CKR_TEMPLATE_INCONSISTENT},
		{"no slot", token, with(token, zkSlot, 528), CKR_ATTRIBUTE_VALUE_INVALID},
		{"a volatile slot", token, with(token, zkSlot, CK_UNAVAILABLE_INFORMATION-1), CKR_ATTRIBUTE_VALUE_INVALID},
		{"a large number", token, with(token, zkSlot, uint(1<<31)), CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		f.makes(c.name, c.public, c.private, c.code)
	}
	f.reads(f.private(16), zkSlot, 16)
}

// makes makes a key pair, or nothing where a code is wanted.
func (f *fixture) makes(name string, public, private []any, code Error) {
	f.Helper()
	before := len(f.search())
	pub, priv, err := f.tryPair(scm.P256, public, private)
	want(f, name, err, code)
	if made := len(f.search()) - before; made != 0 && code != CKR_OK || (pub != 0 && priv != 0) != (code == CKR_OK) {
		f.Errorf("%s: made %d objects, handles %d and %d", name, made, pub, priv)
	}
}

// TestGenerateInSlot puts a key pair where the template says. A device that chooses
// the slots by itself makes none.
func TestGenerateInSlot(t *testing.T) {
	f := newUser(t)
	token := []any{CKA_TOKEN, true}
	made := Error(CKR_OK)
	if overVendor() {
		made = CKR_TEMPLATE_INCONSISTENT
	}
	f.makes("a slot", token, with(token, zkSlot, 20), made)
	f.makes("the slot again", token, with(token, zkSlot, 20), CKR_TEMPLATE_INCONSISTENT)
	f.makes("a slot named twice", with(token, zkSlot, 30), with(token, zkSlot, 30), made)
	f.makes("a slot named by the public half", with(token, zkSlot, 31), token, made)
	for _, slot := range []int{20, 30, 31} {
		if found := len(f.search(zkSlot, slot)); (found == 2) != (made == CKR_OK) {
			t.Errorf("slot %d has %d objects", slot, found)
		}
	}
}

func TestGenerateMechanisms(t *testing.T) {
	f := newUser(t)
	params := func(c scm.Curve) []Attribute { return is(CKA_EC_PARAMS, curves[c].encodeParams()) }
	for _, c := range []struct {
		name     string
		m        *Mechanism
		template []Attribute
		code     Error
	}{
		{"none", nil, params(scm.P256), CKR_ARGUMENTS_BAD},
		{"RSA", &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN}, params(scm.P256), CKR_MECHANISM_INVALID},
		{"a signature", &Mechanism{Type: CKM_ECDSA}, params(scm.P256), CKR_MECHANISM_INVALID},
		{"a parameter", &Mechanism{Type: CKM_EC_KEY_PAIR_GEN, Parameter: []byte{1}}, params(scm.P256), CKR_MECHANISM_PARAM_INVALID},
		{"no curve", &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, nil, CKR_TEMPLATE_INCOMPLETE},
		{"another type's curve", &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, params(scm.Ed25519), CKR_CURVE_NOT_SUPPORTED},
		{"another type's curve", &Mechanism{Type: CKM_EC_EDWARDS_KEY_PAIR_GEN}, params(scm.X25519), CKR_CURVE_NOT_SUPPORTED},
		{"no parameters at all", &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, is(CKA_EC_PARAMS, "x"), CKR_DOMAIN_PARAMS_INVALID},
	} {
		_, _, err := f.GenerateKeyPair(f.h, c.m, c.template, nil)
		want(t, c.name, err, c.code)
	}
	if n := f.device.Calls("Generate") + f.device.Calls("GenerateVolatile"); n > 0 {
		t.Errorf("the device made %d keys", n)
	}
}

// TestWhoMayGenerate needs the user, and a session that may write for what lasts.
func TestWhoMayGenerate(t *testing.T) {
	f := newPublic(t)
	token, session := []any{CKA_TOKEN, true}, []any{CKA_TOKEN, false}
	_, _, err := f.tryPair(scm.P256, token, token)
	want(t, "nobody", err, CKR_USER_NOT_LOGGED_IN)
	f.login(CKU_SO)
	_, _, err = f.tryPair(scm.P256, token, token)
	want(t, "the SO", err, CKR_USER_NOT_LOGGED_IN)
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.h = f.session(0)
	sessionPair := Error(CKR_OK)
	if overVendor() { // noSession
		sessionPair = CKR_TEMPLATE_INCONSISTENT
	}
	for _, c := range []struct {
		public, private []any
		code            Error
	}{
		{token, token, CKR_SESSION_READ_ONLY}, {session, token, CKR_SESSION_READ_ONLY},
		{token, session, CKR_SESSION_READ_ONLY}, {session, session, sessionPair}, {nil, nil, sessionPair},
	} {
		_, _, err := f.tryPair(scm.P256, c.public, c.private)
		want(t, "R/O session", err, c.code)
	}
}

// TestMixedPairs: the halves of a pair may live in different places.
func TestMixedPairs(t *testing.T) {
	softOnly(t, noSession)
	f := newUser(t)
	second := f.session(CKF_RW_SESSION)
	main := f.h
	f.h = second
	stored, volatile := f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_LABEL, "stored"}, []any{CKA_TOKEN, false})
	mine, slot := f.pair(scm.Ed25519, []any{CKA_TOKEN, false, CKA_LABEL, "mine"}, []any{CKA_TOKEN, true})
	f.uses(scm.P256, stored, volatile)
	f.uses(scm.Ed25519, mine, slot)
	f.reads(stored, CKA_TOKEN, true)
	f.reads(mine, CKA_TOKEN, false)
	if _, err := f.tryRead(mine, zkSlot); err == nil {
		t.Error("a session object is in a slot")
	}
	if got := f.one(zkSlot, 16); got != slot {
		t.Errorf("slot 16 shows object %d, want the private key %d", got, slot)
	}
	f.h = main
	f.ok(f.CloseSession(second))
	f.one(CKA_LABEL, "stored")
	if n := len(f.search(CKA_LABEL, "mine")); n > 0 {
		t.Error("the session's public key outlives it")
	}
	_, err := f.tryRead(volatile, CKA_CLASS)
	want(t, "the session's private key", err, CKR_OBJECT_HANDLE_INVALID)
}

// TestVolatileKeysAreErased: with their object, their session, or the login.
func TestVolatileKeysAreErased(t *testing.T) {
	softOnly(t, noSession)
	for name, end := range map[string]func(*fixture, uint){
		"destroyed":      func(f *fixture, private uint) { f.ok(f.DestroyObject(f.h, private)) },
		"session closed": func(f *fixture, _ uint) { f.ok(f.CloseSession(f.h)); f.h = f.session(0) },
		"logged out":     func(f *fixture, _ uint) { f.ok(f.Logout(f.h)) },
	} {
		f := newUser(t)
		public, private := f.pairOn(scm.P256)
		slot := f.object(private).deviceKey().Slot
		if !slot.Volatile() {
			t.Fatalf("slot %d is not volatile", slot)
		}
		end(f, private)
		if _, err := f.device.PublicKey(slot); err == nil {
			t.Errorf("%s: the key is still in the device", name)
		}
		_, err := f.tryRead(private, CKA_CLASS)
		want(t, name, err, CKR_OBJECT_HANDLE_INVALID)
		if name == "logged out" {
			f.reads(public, CKA_TOKEN, false)
		}
		if n := f.log.count("warning"); n > 0 {
			t.Errorf("%s: %d warnings", name, n)
		}
	}
}

// TestPublicHalfOfVolatileKey: destroying it leaves the private half alone.
func TestPublicHalfOfVolatileKey(t *testing.T) {
	softOnly(t, noSession)
	f := newUser(t)
	public, private := f.pairOn(scm.P256)
	f.ok(f.DestroyObject(f.h, public))
	_, err := f.sign(CKM_ECDSA, private, digest32)
	want(t, "sign", err, CKR_OK)
}
