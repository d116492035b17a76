// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"slices"
	"sync"
	"testing"

	"libzk_pkcs11/internal/softkey"
)

// knownRSA is a key that was made elsewhere.
var knownRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// rsaTemplate is a template of a private key with all its numbers.
func rsaTemplate(k *rsa.PrivateKey, more ...any) []Attribute {
	return append(is(
		CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_RSA),
		CKA_MODULUS, k.N.Bytes(), CKA_PUBLIC_EXPONENT, big.NewInt(int64(k.E)).Bytes(), CKA_PRIVATE_EXPONENT, k.D.Bytes(),
		CKA_PRIME_1, k.Primes[0].Bytes(), CKA_PRIME_2, k.Primes[1].Bytes(), CKA_EXPONENT_1, k.Precomputed.Dp.Bytes(),
		CKA_EXPONENT_2, k.Precomputed.Dq.Bytes(), CKA_COEFFICIENT, k.Precomputed.Qinv.Bytes(),
	), is(more...)...)
}

// exchanged returns a template in which an attribute has another value; nil leaves it out.
func exchanged(list []Attribute, typ uint, v []byte) []Attribute {
	var out []Attribute
	for _, a := range list {
		switch {
		case a.Type != typ:
			out = append(out, a)
		case v != nil:
			out = append(out, Attribute{Type: typ, Value: v})
		}
	}
	return out
}

// create makes an object of a template.
func (f *fixture) create(list []Attribute) uint {
	f.Helper()
	h, err := f.CreateObject(f.h, list)
	f.ok(err)
	return h
}

// TestImportRSA brings a key in, as a token and as a session object, and signs with it, also in another process.
func TestImportRSA(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	for _, token := range []bool{true, false} {
		key := f.create(rsaTemplate(k, CKA_TOKEN, token, CKA_LABEL, "mine"))
		f.checkSigns(k, key)
		for typ, v := range map[uint]any{
			CKA_LOCAL: false, CKA_ALWAYS_SENSITIVE: false, CKA_NEVER_EXTRACTABLE: false, CKA_SENSITIVE: true, CKA_EXTRACTABLE: false,
			CKA_KEY_GEN_MECHANISM: uint(CK_UNAVAILABLE_INFORMATION), CKA_MODULUS: k.N.Bytes(), CKA_PUBLIC_EXPONENT: []byte{1, 0, 1},
		} {
			f.reads(key, typ, v)
		}
		info, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
		f.ok(err)
		f.reads(key, CKA_PUBLIC_KEY_INFO, info)
		for _, typ := range []uint{CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_COEFFICIENT} {
			_, err := f.tryRead(key, typ)
			want(t, "a secret number", err, CKR_ATTRIBUTE_SENSITIVE)
		}
	}
	other := f.reopened()
	other.checkSigns(k, other.one(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_LABEL, "mine"))
}

func (f *fixture) checkSigns(k *rsa.PrivateKey, key uint) {
	f.Helper()
	sum := sha256.Sum256(digest32)
	f.ok(rsa.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, sum[:], f.signLong(&Mechanism{Type: CKM_SHA256_RSA_PKCS}, key, digest32)))
}

// TestImportRSAShown: the numbers of a key that is extractable and not sensitive can be read, those that follow from others too.
func TestImportRSAShown(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	few := rsaTemplate(k, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true)
	for _, typ := range []uint{CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT, CKA_PUBLIC_EXPONENT} {
		few = exchanged(few, typ, nil)
	}
	for _, list := range [][]Attribute{rsaTemplate(k, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true), few} {
		key := f.create(list)
		f.reads(key, CKA_PRIVATE_EXPONENT, k.D.Bytes())
		p, q := new(big.Int).SetBytes(f.value(key, CKA_PRIME_1)), new(big.Int).SetBytes(f.value(key, CKA_PRIME_2))
		if p.Mul(p, q).Cmp(k.N) != 0 {
			t.Error("the primes are others")
		}
		size, err := f.GetObjectSize(f.h, key)
		f.ok(err)
		if size < 1000 {
			t.Errorf("the object has %d bytes", size)
		}
	}
}

// TestImportBadNumbers: what is no key is refused by the specification's code, and nothing is kept.
func TestImportBadNumbers(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	good := slices.Clip(rsaTemplate(k, CKA_TOKEN, true))
	even := new(big.Int).Sub(k.N, big.NewInt(1)).Bytes()
	p256 := curveOID(softkey.P256)
	ec := func(typ uint, params, v []byte, more ...any) []Attribute {
		return append(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, typ, CKA_EC_PARAMS, params, CKA_VALUE, v, CKA_TOKEN, true), is(more...)...)
	}
	secret := func(typ uint, n int) []Attribute {
		return is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, typ, CKA_VALUE, make([]byte, n), CKA_TOKEN, true)
	}
	rsaPublic := func(n, e []byte) []Attribute {
		return is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_RSA), CKA_MODULUS, n, CKA_PUBLIC_EXPONENT, e, CKA_TOKEN, true)
	}
	for name, x := range map[string]struct {
		list []Attribute
		code Error
	}{
		"an even modulus":            {exchanged(good, CKA_MODULUS, even), CKR_ATTRIBUTE_VALUE_INVALID},
		"e = 1":                      {exchanged(good, CKA_PUBLIC_EXPONENT, []byte{1}), CKR_ATTRIBUTE_VALUE_INVALID},
		"e is even":                  {exchanged(good, CKA_PUBLIC_EXPONENT, []byte{4}), CKR_ATTRIBUTE_VALUE_INVALID},
		"p = q":                      {exchanged(good, CKA_PRIME_1, k.Primes[1].Bytes()), CKR_ATTRIBUTE_VALUE_INVALID},
		"another d":                  {exchanged(good, CKA_PRIVATE_EXPONENT, even), CKR_ATTRIBUTE_VALUE_INVALID},
		"another coefficient":        {exchanged(good, CKA_COEFFICIENT, []byte{2}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a modulus of one byte":      {exchanged(good, CKA_MODULUS, []byte{15}), CKR_ATTRIBUTE_VALUE_INVALID},
		"no modulus":                 {exchanged(good, CKA_MODULUS, nil), CKR_TEMPLATE_INCOMPLETE},
		"an empty modulus":           {exchanged(good, CKA_MODULUS, []byte{}), CKR_ATTRIBUTE_VALUE_INVALID},
		"no private exponent":        {exchanged(good, CKA_PRIVATE_EXPONENT, nil), CKR_TEMPLATE_INCOMPLETE},
		"seen by everybody":          {append(good, is(CKA_PRIVATE, false)...), CKR_TEMPLATE_INCONSISTENT},
		"local":                      {append(good, is(CKA_LOCAL, true)...), CKR_ATTRIBUTE_READ_ONLY},
		"the form in the store":      {append(good, Attribute{privateKeyInfo, []byte{1}}), CKR_ATTRIBUTE_TYPE_INVALID},
		"in a key slot":              {ec(CKK_EC, p256, []byte{1}, zkSlot, 16), CKR_ATTRIBUTE_READ_ONLY},
		"another public key":         {append(good, is(CKA_PUBLIC_KEY_INFO, "no")...), CKR_ATTRIBUTE_VALUE_INVALID},
		"0 on P-256":                 {ec(CKK_EC, p256, make([]byte, 32)), CKR_ATTRIBUTE_VALUE_INVALID},
		"beyond the order":           {ec(CKK_EC, p256, bytes.Repeat([]byte{255}, 32)), CKR_ATTRIBUTE_VALUE_INVALID},
		"no number":                  {ec(CKK_EC, p256, []byte{}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a key type of other curves": {ec(CKK_EC_EDWARDS, p256, []byte{1}), CKR_TEMPLATE_INCONSISTENT},
		"no curve":                   {ec(CKK_EC, []byte{1, 2, 3}, []byte{1}), CKR_DOMAIN_PARAMS_INVALID},
		"an unknown curve":           {ec(CKK_EC, []byte{6, 3, 1, 2, 3}, []byte{1}), CKR_CURVE_NOT_SUPPORTED},
		"31 bytes of Ed25519":        {ec(CKK_EC_EDWARDS, curveOID(softkey.Ed25519), make([]byte, 31)), CKR_ATTRIBUTE_VALUE_INVALID},
		"33 bytes of X25519":         {ec(CKK_EC_MONTGOMERY, curveOID(softkey.X25519), make([]byte, 33)), CKR_ATTRIBUTE_VALUE_INVALID},
		"AES of 17 bytes":            {secret(CKK_AES, 17), CKR_ATTRIBUTE_VALUE_INVALID},
		"AES of none":                {secret(CKK_AES, 0), CKR_ATTRIBUTE_VALUE_INVALID},
		"DES":                        {secret(CKK_DES3, 24), CKR_ATTRIBUTE_VALUE_INVALID},
		"a public key, e = 1":        {rsaPublic(k.N.Bytes(), []byte{1}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a public key, even":         {rsaPublic(even, []byte{1, 0, 1}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a public key of 1024 bits":  {rsaPublic(bytes.Repeat([]byte{0xff}, 128), []byte{1, 0, 1}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a point off P-384": {is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_EC), CKA_EC_PARAMS, curveOID(softkey.P384),
			CKA_EC_POINT, append([]byte{4}, make([]byte, 96)...), CKA_TOKEN, true), CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		before := len(f.records())
		_, err := f.CreateObject(f.h, x.list)
		want(t, name, err, x.code)
		if now := len(f.records()); now != before {
			t.Errorf("%s: %d records, then %d", name, before, now)
		}
	}
}

func curveOID(c softkey.Curve) []byte { return c.Params() }

// TestImportOnCurves brings in keys on all curves, with their public keys.
func TestImportOnCurves(t *testing.T) {
	f := newSealing(t)
	for c := softkey.P224; c <= softkey.X25519; c++ {
		size := 32
		if c < softkey.Secp256k1 {
			size = c.Size()
		}
		number := bytes.Repeat([]byte{1}, size)
		k, err := numberOn(c, number)
		f.ok(err)
		public := k.Public().(curvePublic)
		for _, token := range []bool{true, false} {
			private := f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, curveType(c), CKA_EC_PARAMS, c.Params(), CKA_VALUE, number,
				CKA_TOKEN, token, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true))
			half := f.create(is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, curveType(c), CKA_EC_PARAMS, c.Params(), CKA_EC_POINT, public.Point(),
				CKA_TOKEN, token))
			info, err := public.Marshal()
			f.ok(err)
			for _, h := range []uint{private, half} {
				f.reads(h, CKA_EC_POINT, public.Point())
				f.reads(h, CKA_PUBLIC_KEY_INFO, info)
			}
			f.reads(private, CKA_VALUE, number)
			if f.object(private).deviceKey() != nil {
				t.Errorf("%v: the key is in the device", c)
			}
			_, err = f.tryRead(private, zkSlot)
			want(t, "slot", err, CKR_ATTRIBUTE_TYPE_INVALID)
		}
	}
	other := f.reopened()
	if n := len(other.search(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_EXTRACTABLE, true)); n != 7 {
		t.Errorf("another process finds %d private keys", n)
	}
}

// TestImportPublished: keys that the standard library has made have the public keys that it says.
func TestImportPublished(t *testing.T) {
	f := newSealing(t)
	seed := bytes.Repeat([]byte{7}, 32)
	x, err := ecdh.X25519().NewPrivateKey(seed)
	f.ok(err)
	for c, public := range map[softkey.Curve][]byte{
		softkey.Ed25519: ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey),
		softkey.X25519:  x.PublicKey().Bytes(),
	} {
		h := f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, curveType(c), CKA_EC_PARAMS, c.Params(), CKA_VALUE, seed))
		if !bytes.HasSuffix(f.value(h, CKA_EC_POINT), public) {
			t.Errorf("%v: another public key", c)
		}
	}
}

// TestImportRefused: without sealed keys private keys stay out.
func TestImportRefused(t *testing.T) {
	f := newUser(t)
	_, err := f.CreateObject(f.h, rsaTemplate(knownRSA()))
	want(t, "private", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_EC), CKA_EC_PARAMS, curveOID(softkey.P384),
		CKA_EC_POINT, []byte{4}))
	want(t, "P-384", err, CKR_CURVE_NOT_SUPPORTED)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE, make([]byte, 16)))
	want(t, "AES", err, CKR_ATTRIBUTE_VALUE_INVALID)
}

// TestImportGone: after the logout nothing private is left in the session.
func TestImportGone(t *testing.T) {
	f := newSealing(t)
	key := f.create(rsaTemplate(knownRSA()))
	f.checkSigns(knownRSA(), key)
	o := f.object(key)
	f.ok(f.Logout(f.h))
	if _, err := f.token().withValue(o); err == nil && o.hidden == nil {
		t.Error("the key is still there")
	}
	want(t, "sign", f.SignInit(f.h, &Mechanism{Type: CKM_RSA_PKCS}, key), CKR_KEY_HANDLE_INVALID)
}
