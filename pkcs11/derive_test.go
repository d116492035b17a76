// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha1"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// party is the other side of an agreement, with keys of its own.
type party struct {
	public []byte // a point of SEC 1, or 32 bytes
	secret func(ours []byte) []byte
}

func newParty(t testing.TB, c scm.Curve) party {
	t.Helper()
	if c == scm.Secp256k1 {
		k, err := secp256k1.GeneratePrivateKey()
		ok(t, err)
		return party{k.PubKey().SerializeUncompressed(), func(ours []byte) []byte {
			public, err := secp256k1.ParsePubKey(append([]byte{4}, ours...))
			ok(t, err)
			return secp256k1.GenerateSharedSecret(k, public)
		}}
	}
	standard, prefix := ecdh.P256(), []byte{4}
	if c == scm.X25519 {
		standard, prefix = ecdh.X25519(), nil
	}
	k, err := standard.GenerateKey(rand.Reader)
	ok(t, err)
	return party{k.PublicKey().Bytes(), func(ours []byte) []byte {
		public, err := standard.NewPublicKey(append(prefix, ours...))
		ok(t, err)
		secret, err := k.ECDH(public)
		ok(t, err)
		return secret
	}}
}

// TestDerive agrees with a party on each curve, whatever the form of its public
// key, and cuts the secret at its leading end.
func TestDerive(t *testing.T) {
	f := newUser(t)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.X25519} {
		_, base := f.pairOn(c, CKA_DERIVE, true)
		other := newParty(t, c)
		secret := other.secret(f.object(base).deviceKey().Public)
		forms := map[string][]byte{"raw": other.public, "DER": octetString(other.public)}
		if c != scm.X25519 {
			forms["compressed"] = compressed(other.public[1:])
		}
		for form, peer := range forms {
			h, err := f.derive(CKM_ECDH1_DERIVE, base, peer, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true)
			want(t, c.String()+" "+form, err, CKR_OK)
			f.reads(h, CKA_VALUE, secret)
			f.reads(h, CKA_VALUE_LEN, 32)
			f.reads(h, CKA_CLASS, CKO_SECRET_KEY)
			f.reads(h, CKA_KEY_TYPE, CKK_GENERIC_SECRET)
		}
		for _, n := range []int{1, 16, 31, 32} {
			h, err := f.derive(CKM_ECDH1_DERIVE, base, other.public, CKA_VALUE_LEN, n, CKA_EXTRACTABLE, true)
			want(t, "cut", err, CKR_OK)
			f.reads(h, CKA_VALUE, secret[32-n:])
			f.reads(h, CKA_VALUE_LEN, n)
			sum := sha1.Sum(secret[32-n:])
			f.reads(h, CKA_CHECK_VALUE, sum[:3])
		}
	}
}

func TestDeriveAttributes(t *testing.T) {
	f := newUser(t)
	_, base := f.pairOn(scm.P256, CKA_DERIVE, true)
	for _, c := range []struct{ sensitive, extractable bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		h, err := f.derive(CKM_ECDH1_DERIVE, base, publicPoint(t), CKA_SENSITIVE, c.sensitive, CKA_EXTRACTABLE, c.extractable, CKA_LABEL, "derived")
		f.ok(err)
		f.reads(h, CKA_ALWAYS_SENSITIVE, c.sensitive)
		f.reads(h, CKA_NEVER_EXTRACTABLE, !c.extractable)
		f.reads(h, CKA_LOCAL, false)
		f.reads(h, CKA_LABEL, "derived")
		f.reads(h, CKA_PRIVATE, true)
	}
	h, err := f.derive(CKM_ECDH1_DERIVE, base, publicPoint(t), CKA_TOKEN, true, CKA_ID, "kept")
	f.ok(err)
	other := f.another()
	if mine, theirs := f.read(h, CKA_VALUE), other.read(other.one(CKA_ID, "kept"), CKA_VALUE); !bytes.Equal(mine, theirs) {
		t.Errorf("stored as %x, derived as %x", theirs, mine)
	}
}

func publicPoint(t testing.TB) []byte { return curves[scm.P256].rawPoint(publicOn(t, scm.P256)) }

func TestDeriveErrors(t *testing.T) {
	f := newUser(t)
	_, base := f.pairOn(scm.P256, CKA_DERIVE, true)
	_, montgomery := f.pairOn(scm.X25519, CKA_DERIVE, true)
	public, mayNot := f.pairOn(scm.P256, CKA_DERIVE, false)
	_, edwards := f.pairOn(scm.Ed25519, CKA_DERIVE, true)
	point := publicPoint(t)
	off := bytes.Clone(point)
	off[64] ^= 1
	good := ECDH1Params{KDF: CKD_NULL, Public: point}
	for _, c := range []struct {
		name     string
		key      uint
		params   ECDH1Params
		template []any
		code     Error
	}{
		{"right", base, good, nil, CKR_OK},
		{"point off the curve", base, ECDH1Params{KDF: CKD_NULL, Public: off}, nil, CKR_PUBLIC_KEY_INVALID},
		{"no point", base, ECDH1Params{KDF: CKD_NULL}, nil, CKR_MECHANISM_PARAM_INVALID},
		{"of small order", montgomery, ECDH1Params{KDF: CKD_NULL, Public: make([]byte, 32)}, nil, CKR_PUBLIC_KEY_INVALID},
		{"another KDF", base, ECDH1Params{KDF: CKD_SHA1_KDF, Public: point}, nil, CKR_MECHANISM_PARAM_INVALID},
		{"shared data", base, ECDH1Params{KDF: CKD_NULL, Public: point, SharedData: []byte("x")}, nil, CKR_MECHANISM_PARAM_INVALID},
		{"no key", 0, good, nil, CKR_KEY_HANDLE_INVALID},
		{"public key", public, good, nil, CKR_KEY_TYPE_INCONSISTENT},
		{"Edwards key", edwards, good, nil, CKR_KEY_TYPE_INCONSISTENT},
		{"key that may not", mayNot, good, nil, CKR_KEY_FUNCTION_NOT_PERMITTED},
		{"too long", base, good, []any{CKA_VALUE_LEN, 33}, CKR_TEMPLATE_INCONSISTENT},
		{"of no length", base, good, []any{CKA_VALUE_LEN, 0}, CKR_TEMPLATE_INCONSISTENT},
		{"with a value", base, good, []any{CKA_VALUE, "x"}, CKR_ATTRIBUTE_READ_ONLY},
		{"of another class", base, good, []any{CKA_CLASS, CKO_DATA}, CKR_TEMPLATE_INCONSISTENT},
		{"of another type", base, good, []any{CKA_KEY_TYPE, CKK_AES}, CKR_TEMPLATE_INCONSISTENT},
		{"with another checksum", base, good, []any{CKA_CHECK_VALUE, "abc"}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"with a point", base, good, []any{CKA_EC_POINT, "x"}, CKR_ATTRIBUTE_TYPE_INVALID},
		{"a type twice", base, good, []any{CKA_ID, "x", CKA_ID, "y"}, CKR_TEMPLATE_INCONSISTENT},
	} {
		_, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDH1_DERIVE, Params: &c.params}, c.key, is(c.template...))
		want(t, c.name, err, c.code)
	}
	_, err := f.DeriveKey(f.h, nil, base, nil)
	want(t, "no mechanism", err, CKR_ARGUMENTS_BAD)
	_, err = f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDSA}, base, nil)
	want(t, "a signature's mechanism", err, CKR_MECHANISM_INVALID)
	_, err = f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDH1_DERIVE}, base, nil)
	want(t, "no parameter", err, CKR_MECHANISM_PARAM_INVALID)
	_, err = f.DeriveKey(f.session(0), &Mechanism{Type: CKM_ECDH1_DERIVE, Params: &good}, base, is(CKA_TOKEN, true))
	want(t, "R/O session", err, CKR_SESSION_READ_ONLY)
}

// TestDeriveAlwaysAuthenticate: each use of such a key needs a login of its own, which
// follows the C_DeriveKey that was refused for the lack of it.
func TestDeriveAlwaysAuthenticate(t *testing.T) {
	f := newUser(t)
	_, key := f.pairOn(scm.P256, CKA_ALWAYS_AUTHENTICATE, true, CKA_DERIVE, true)
	_, other := f.pairOn(scm.P256, CKA_ALWAYS_AUTHENTICATE, true, CKA_DERIVE, true)
	f.reads(key, CKA_DERIVE, true)
	derive := func(key uint) error {
		_, err := f.derive(CKM_ECDH1_DERIVE, key, publicPoint(t))
		return err
	}
	login := func(pin []byte) error { return f.Login(f.h, CKU_CONTEXT_SPECIFIC, pin) }

	want(t, "login for nothing", login(userPIN), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "derive", derive(key), CKR_USER_NOT_LOGGED_IN)
	want(t, "wrong PIN", login(soPIN), CKR_PIN_INCORRECT)
	want(t, "right PIN", login(userPIN), CKR_OK)
	want(t, "derive after login", derive(key), CKR_OK)
	want(t, "once more", derive(key), CKR_USER_NOT_LOGGED_IN)
	want(t, "login for the one", login(userPIN), CKR_OK)
	want(t, "the other", derive(other), CKR_USER_NOT_LOGGED_IN)
	want(t, "the one", derive(key), CKR_USER_NOT_LOGGED_IN)
	want(t, "login before logout", login(userPIN), CKR_OK)
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.private(0)))
	want(t, "login for a signature that needs none", login(userPIN), CKR_OPERATION_NOT_INITIALIZED)
}

// TestDeriveAlwaysAuthenticateAfterLogout: a login does not outlast the one that the key is seen by.
func TestDeriveAlwaysAuthenticateAfterLogout(t *testing.T) {
	f := newUser(t)
	pub, priv := f.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, CKA_LABEL, "mine", CKA_ALWAYS_AUTHENTICATE, true, CKA_DERIVE, true})
	_, err := f.derive(CKM_ECDH1_DERIVE, priv, f.read(pub, CKA_EC_POINT))
	want(t, "derive", err, CKR_USER_NOT_LOGGED_IN)
	want(t, "PIN", f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN), CKR_OK)
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	_, err = f.derive(CKM_ECDH1_DERIVE, f.one(CKA_LABEL, "mine", CKA_CLASS, CKO_PRIVATE_KEY), publicPoint(t))
	want(t, "derive after logout and login", err, CKR_USER_NOT_LOGGED_IN)
}

// TestDeriveAlwaysAuthenticateOfOld: the same goes for keys in a store of an earlier version,
// which let none of them derive.
func TestDeriveAlwaysAuthenticateOfOld(t *testing.T) {
	f := newUser(t)
	k, err := f.device.PublicKey(3)
	f.ok(err)
	_, err = f.store.Update(func(tx *store.Tx) error {
		return tx.Put(&store.Record{Slot: 3, Private: true, Public: k.Public,
			Attributes: toStore(attributes{CKA_ALWAYS_AUTHENTICATE: yes, CKA_DERIVE: yes})})
	})
	f.ok(err)
	key := f.private(3)
	f.reads(key, CKA_ALWAYS_AUTHENTICATE, true)
	_, err = f.derive(CKM_ECDH1_DERIVE, key, publicPoint(t))
	want(t, "derive", err, CKR_USER_NOT_LOGGED_IN)
}
