// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
)

// signer is a token with a key pair on each curve that signs.
type signer struct {
	*fixture
	public, private map[scm.Curve]uint
	keys            map[scm.Curve]scm.Key
}

func newSigner(t testing.TB) *signer {
	s := &signer{newUser(t), map[scm.Curve]uint{}, map[scm.Curve]uint{}, map[scm.Curve]scm.Key{}}
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519} {
		s.public[c], s.private[c] = s.pairOn(c)
		s.keys[c] = *s.object(s.private[c]).deviceKey()
	}
	return s
}

// input is what a mechanism gives the device of a message.
func (m *mechanism) input(message []byte) []byte {
	if m.hash == 0 {
		return message
	}
	h := m.hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// TestSignEveryMechanism signs with each mechanism and each key that it takes,
// in one part and in several, and verifies with the token and without it.
func TestSignEveryMechanism(t *testing.T) {
	s := newSigner(t)
	message := []byte("a message of more than one part, which is longer than any digest there is")
	if overVendor() { // which is told no length, so that an Ed25519 key signs 32 bytes
		message = []byte("a message of more than one part.")
	}
	for typ, row := range mechanisms {
		if row.sign == nil || row.sealed {
			continue
		}
		for c, private := range s.private {
			if !row.keys.include(curves[c].keyType) {
				want(t, MechanismName(typ)+" with a key on "+c.String(),
					s.SignInit(s.h, &Mechanism{Type: typ}, private), CKR_KEY_TYPE_INCONSISTENT)
				want(t, MechanismName(typ)+" with a public key on "+c.String(),
					s.VerifyInit(s.h, &Mechanism{Type: typ}, s.public[c]), CKR_KEY_TYPE_INCONSISTENT)
				continue
			}
			name := MechanismName(typ) + " on " + c.String()
			whole, err := s.sign(typ, private, message)
			want(t, name, err, CKR_OK)
			s.checks(name, c, row, message, whole)
			want(t, name+" verify", s.verify(typ, s.public[c], message, whole), CKR_OK)
			if row.onePart {
				continue
			}
			parts, err := s.signParts(typ, private, message)
			want(t, name+" in parts", err, CKR_OK)
			s.checks(name+" in parts", c, row, message, parts)
			want(t, name+" verify in parts", s.verifyParts(typ, s.public[c], message, parts), CKR_OK)
			want(t, name+" verify less", s.verifyParts(typ, s.public[c], message[1:], parts), CKR_SIGNATURE_INVALID)
		}
	}
}

// checks verifies a signature without the provider.
func (s *signer) checks(name string, c scm.Curve, row *mechanism, message, signature []byte) {
	s.Helper()
	input := row.input(message)
	if c != scm.Ed25519 {
		var digest [32]byte
		input = fitDigest(&digest, input)
	}
	if err := scmtest.Verify(s.keys[c], input, signature); err != nil {
		s.Errorf("%s: %v", name, err)
	}
}

func (f *fixture) signParts(mechanism, key uint, message []byte) ([]byte, error) {
	if err := f.SignInit(f.h, &Mechanism{Type: mechanism}, key); err != nil {
		return nil, err
	}
	for _, part := range [][]byte{message[:1], message[1:1], message[1:]} {
		if err := f.SignUpdate(f.h, part); err != nil {
			return nil, err
		}
	}
	out, signature := buffer(signatureSize)
	err := f.SignFinal(f.h, out)
	return signature, err
}

func (f *fixture) verifyParts(mechanism, key uint, message, signature []byte) error {
	if err := f.VerifyInit(f.h, &Mechanism{Type: mechanism}, key); err != nil {
		return err
	}
	for _, part := range [][]byte{message[:5], nil, message[5:]} {
		if err := f.VerifyUpdate(f.h, part); err != nil {
			return err
		}
	}
	return f.VerifyFinal(f.h, signature)
}

// TestSignLengths: CKM_ECDSA takes any length, the leftmost bits of a longer
// digest, a shorter one as the same number.
func TestSignLengths(t *testing.T) {
	s := newSigner(t)
	long := bytes.Repeat([]byte{0xab, 1}, 40)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1} {
		for _, n := range []int{0, 1, 20, 31, 32, 33, 48, 64, 80} {
			signature, err := s.sign(CKM_ECDSA, s.private[c], long[:n])
			want(t, "sign", err, CKR_OK)
			digest := make([]byte, 32)
			if n >= 32 {
				copy(digest, long)
			} else {
				copy(digest[32-n:], long)
			}
			if err := scmtest.Verify(s.keys[c], digest, signature); err != nil {
				t.Errorf("%s, %d bytes: %v", c, n, err)
			}
			want(t, "verify", s.verify(CKM_ECDSA, s.public[c], long[:n], signature), CKR_OK)
		}
	}
}

func TestSignInitErrors(t *testing.T) {
	s := newSigner(t)
	secret, err := s.CreateObject(s.h, is(secretKey...))
	s.ok(err)
	data, err := s.CreateObject(s.h, is(CKA_CLASS, CKO_DATA))
	s.ok(err)
	_, noSign := s.pairOn(scm.P256, CKA_SIGN, false)
	_, some := s.pairOn(scm.P256, CKA_ALLOWED_MECHANISMS, append(encodeULong(CKM_ECDSA_SHA256), encodeULong(CKM_ECDSA_SHA384)...))
	_, none := s.pairOn(scm.P256, CKA_ALLOWED_MECHANISMS, "")
	_, x25519 := s.pairOn(scm.X25519)
	for _, c := range []struct {
		name string
		m    Mechanism
		key  uint
		code Error
	}{
		{"no key", Mechanism{Type: CKM_ECDSA}, 0, CKR_KEY_HANDLE_INVALID},
		{"a session's handle", Mechanism{Type: CKM_ECDSA}, s.h, CKR_KEY_HANDLE_INVALID},
		{"a data object", Mechanism{Type: CKM_ECDSA}, data, CKR_KEY_HANDLE_INVALID},
		{"a secret key", Mechanism{Type: CKM_ECDSA}, secret, CKR_KEY_TYPE_INCONSISTENT},
		{"a public key", Mechanism{Type: CKM_ECDSA}, s.public[scm.P256], CKR_KEY_TYPE_INCONSISTENT},
		{"an X25519 key", Mechanism{Type: CKM_EDDSA}, x25519, CKR_KEY_TYPE_INCONSISTENT},
		{"a key that may not", Mechanism{Type: CKM_ECDSA}, noSign, CKR_KEY_FUNCTION_NOT_PERMITTED},
		{"a mechanism that is not for it", Mechanism{Type: CKM_SHA256}, s.private[scm.P256], CKR_MECHANISM_INVALID},
		{"a mechanism that there is not", Mechanism{Type: CKM_RSA_PKCS}, s.private[scm.P256], CKR_MECHANISM_INVALID},
		{"a parameter", Mechanism{Type: CKM_ECDSA, Parameter: []byte{0}}, s.private[scm.P256], CKR_MECHANISM_PARAM_INVALID},
		{"a mechanism not allowed", Mechanism{Type: CKM_ECDSA}, some, CKR_MECHANISM_INVALID},
		{"a mechanism allowed", Mechanism{Type: CKM_ECDSA_SHA384}, some, CKR_OK},
		{"no mechanism allowed", Mechanism{Type: CKM_ECDSA}, none, CKR_MECHANISM_INVALID},
	} {
		want(t, c.name, s.SignInit(s.h, &c.m, c.key), c.code)
		s.ok(s.SignInit(s.h, nil, 0))
	}
}

// TestEdDSAParameter: none, or one that says that nothing special is wanted.
func TestEdDSAParameter(t *testing.T) {
	s := newSigner(t)
	for _, c := range []struct {
		name string
		m    Mechanism
		code Error
	}{
		{"none", Mechanism{}, CKR_OK},
		{"plain", Mechanism{Params: &EdDSAParams{}}, CKR_OK},
		{"prehash", Mechanism{Params: &EdDSAParams{Prehash: true}}, CKR_MECHANISM_PARAM_INVALID},
		{"context", Mechanism{Params: &EdDSAParams{Context: []byte("c")}}, CKR_MECHANISM_PARAM_INVALID},
		{"bytes", Mechanism{Parameter: []byte{0}}, CKR_MECHANISM_PARAM_INVALID},
		{"another's", Mechanism{Params: &ECDH1Params{}}, CKR_MECHANISM_PARAM_INVALID},
	} {
		c.m.Type = CKM_EDDSA
		want(t, c.name, s.SignInit(s.h, &c.m, s.private[scm.Ed25519]), c.code)
		s.ok(s.SignInit(s.h, nil, 0))
	}
}

// TestEdDSAOfLongMessage: the message needs no hash of its own, and no limit.
func TestEdDSAOfLongMessage(t *testing.T) {
	s := newSigner(t)
	message := bytes.Repeat([]byte("m"), 5000)
	signature, err := s.sign(CKM_EDDSA, s.private[scm.Ed25519], message)
	if overVendor() {
		want(t, "by the vendor's C API, which is told no length", err, CKR_DATA_LEN_RANGE)
		return
	}
	s.ok(err)
	if !ed25519.Verify(s.keys[scm.Ed25519].Public, message, signature) {
		t.Error("the signature of a long message is wrong")
	}
}

// TestSignSteps are the orders in which the functions of one operation can come.
func TestSignSteps(t *testing.T) {
	s := newSigner(t)
	init := func(typ uint) func() error {
		return func() error { return s.SignInit(s.h, &Mechanism{Type: typ}, s.private[scm.P256]) }
	}
	update := func() error { return s.SignUpdate(s.h, digest32) }
	final := func() error { return s.SignFinal(s.h, room(64)) }
	whole := func() error { return s.Sign(s.h, digest32, room(64)) }
	size := func() error { return s.Sign(s.h, digest32, sizeOnly()) }
	finalSize := func() error { return s.SignFinal(s.h, sizeOnly()) }
	small := func() error { return s.Sign(s.h, digest32, room(63)) }
	type step struct {
		do   func() error
		code Error
	}
	for name, steps := range map[string][]step{
		"nothing begun":        {{whole, CKR_OPERATION_NOT_INITIALIZED}, {update, CKR_OPERATION_NOT_INITIALIZED}, {final, CKR_OPERATION_NOT_INITIALIZED}},
		"once":                 {{init(CKM_ECDSA), CKR_OK}, {whole, CKR_OK}, {whole, CKR_OPERATION_NOT_INITIALIZED}},
		"size first":           {{init(CKM_ECDSA_SHA256), CKR_OK}, {size, CKR_OK}, {small, CKR_BUFFER_TOO_SMALL}, {whole, CKR_OK}},
		"whole after parts":    {{init(CKM_ECDSA_SHA256), CKR_OK}, {update, CKR_OK}, {whole, CKR_OPERATION_ACTIVE}, {final, CKR_OPERATION_NOT_INITIALIZED}},
		"parts":                {{init(CKM_ECDSA_SHA256), CKR_OK}, {update, CKR_OK}, {finalSize, CKR_OK}, {update, CKR_OK}, {final, CKR_OK}, {final, CKR_OPERATION_NOT_INITIALIZED}},
		"no part at all":       {{init(CKM_ECDSA_SHA256), CKR_OK}, {final, CKR_OK}},
		"parts of a digest":    {{init(CKM_ECDSA), CKR_OK}, {update, CKR_OPERATION_NOT_INITIALIZED}, {whole, CKR_OPERATION_NOT_INITIALIZED}},
		"end without a digest": {{init(CKM_ECDSA), CKR_OK}, {final, CKR_OPERATION_NOT_INITIALIZED}, {whole, CKR_OPERATION_NOT_INITIALIZED}},
		"twice begun":          {{init(CKM_ECDSA), CKR_OK}, {init(CKM_ECDSA), CKR_OPERATION_ACTIVE}, {whole, CKR_OK}},
	} {
		for i, step := range steps {
			if err := step.do(); err != error(step.code) && (err != nil || step.code != CKR_OK) {
				t.Errorf("%s, step %d: %v, want %v", name, i+1, err, step.code)
			}
		}
		s.ok(s.SignInit(s.h, nil, 0))
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct{ in, out []byte }{
		{nil, make([]byte, 32)},
		{[]byte{1, 2}, append(make([]byte, 30), 1, 2)},
		{digest32, digest32},
		{append(bytes.Clone(digest32), 9), digest32},
	} {
		var buffer [32]byte
		if got := fitDigest(&buffer, c.in); !bytes.Equal(got, c.out) {
			t.Errorf("%x: %x, want %x", c.in, got, c.out)
		}
	}
}

// TestHashesAreLinked: a mechanism's hash that is not in the binary panics when
// it is first used.
func TestHashesAreLinked(t *testing.T) {
	for typ, row := range mechanisms {
		if row.hash != crypto.Hash(0) && !row.hash.Available() {
			t.Errorf("%s: %v is not linked in", MechanismName(typ), row.hash)
		}
	}
}
