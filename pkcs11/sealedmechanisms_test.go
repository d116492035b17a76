// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"
)

// numbersOf is a parameter that consists of CK_ULONGs.
func numbersOf(list ...uint) []byte {
	var b []byte
	for _, n := range list {
		b = append(b, encodeULong(n)...)
	}
	return b
}

// usable are the attributes of a key that is for everything.
func usable() []any {
	return []any{CKA_SIGN, true, CKA_VERIFY, true, CKA_ENCRYPT, true, CKA_DECRYPT, true}
}

// trial has the keys that the mechanisms of sealed keys are tried with.
type trial struct {
	*fixture
	public, private map[*keySort]uint // of a secret key both are that
}

func newTrial(t *testing.T) *trial {
	x := &trial{newSealing(t), map[*keySort]uint{}, map[*keySort]uint{}}
	x.public[rsaKeys], x.private[rsaKeys] = x.rsaPair([]any{CKA_ENCRYPT, true}, []any{CKA_DECRYPT, true})
	key, err := x.GenerateKey(x.h, &Mechanism{Type: CKM_AES_KEY_GEN},
		is(append(usable(), CKA_VALUE_LEN, uint(32), CKA_SENSITIVE, false, CKA_EXTRACTABLE, true)...))
	x.ok(err)
	x.public[aesKeys], x.private[aesKeys] = key, key
	key, err = x.GenerateKey(x.h, &Mechanism{Type: CKM_GENERIC_SECRET_KEY_GEN}, is(append(usable(), CKA_VALUE_LEN, uint(32))...))
	x.ok(err)
	for _, row := range secretMechanisms {
		x.public[row.keys], x.private[row.keys] = key, key
	}
	x.public[mldsaKeys], x.private[mldsaKeys], err = x.GenerateKeyPair(x.h, &Mechanism{Type: CKM_ML_DSA_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, uint(CKP_ML_DSA_65)), nil)
	x.ok(err)
	return x
}

// TestSealedMechanisms uses each mechanism of sealed keys for all that it is for, in one part and in several.
func TestSealedMechanisms(t *testing.T) {
	x := newTrial(t)
	for typ, row := range mechanisms {
		if !row.sealed || row.keys == nil {
			continue
		}
		m := x.example(typ, row)
		if row.sign != nil {
			x.signs(m, row)
		}
		if row.encrypt != nil && !row.wrapsOnly {
			x.encrypts(m, row)
		}
	}
}

// example is a mechanism with a parameter that is right.
func (x *trial) example(typ uint, row *mechanism) *Mechanism {
	if list := parameters[typ].right; len(list) > 0 {
		m := list[0]
		return &m
	}
	for digest, h := range hashMechanisms {
		if row.hash != 0 && h.hash == row.hash && row.params != nil {
			return &Mechanism{Type: typ, Parameter: numbersOf(digest, mgfOf(row), uint(row.hash.Size()))}
		}
	}
	return &Mechanism{Type: typ}
}

// mgfOf is the CKG_MGF1_ of the hash of a row.
func mgfOf(row *mechanism) uint {
	for mgf, h := range masks {
		if h == row.hash {
			return mgf
		}
	}
	return 0
}

func (x *trial) signs(m *Mechanism, row *mechanism) {
	x.Helper()
	name, private, public := MechanismName(m.Type), x.private[row.keys], x.public[row.keys]
	signature := x.signLong(m, private, digest32)
	verify := func(data, signature []byte) error {
		x.ok(x.VerifyInit(x.h, m, public))
		return x.Verify(x.h, data, signature)
	}
	want(x.TB, name, verify(digest32, signature), CKR_OK)
	want(x.TB, name+" cut", verify(digest32, signature[1:]), CKR_SIGNATURE_LEN_RANGE)
	for _, i := range []int{0, len(signature) - 1} {
		changed := bytes.Clone(signature)
		changed[i] ^= 1
		want(x.TB, name+" changed", verify(digest32, changed), CKR_SIGNATURE_INVALID)
	}
	x.ok(x.SignInit(x.h, m, private))
	if row.onePart {
		want(x.TB, name+" in parts", x.SignUpdate(x.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
		x.ok(x.VerifyInit(x.h, m, public))
		want(x.TB, name+" in parts", x.VerifyUpdate(x.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
		return
	}
	x.ok(x.SignUpdate(x.h, digest32[:5]))
	x.ok(x.SignUpdate(x.h, digest32[5:]))
	out := room(len(signature))
	x.ok(x.SignFinal(x.h, out))
	x.ok(x.VerifyInit(x.h, m, public))
	x.ok(x.VerifyUpdate(x.h, digest32[:7]))
	x.ok(x.VerifyUpdate(x.h, digest32[7:]))
	want(x.TB, name+" in parts", x.VerifyFinal(x.h, out.Buffer[:*out.Length]), CKR_OK)
}

func (x *trial) encrypts(m *Mechanism, row *mechanism) {
	x.Helper()
	name, private, public := MechanismName(m.Type), x.private[row.keys], x.public[row.keys]
	x.ok(x.EncryptInit(x.h, m, public))
	size := sizeOnly()
	x.ok(x.Encrypt(x.h, digest32, size))
	want(x.TB, name+" in too little", x.Encrypt(x.h, digest32, room(int(*size.Length)-1)), CKR_BUFFER_TOO_SMALL)
	out, text := buffer(int(*size.Length))
	x.ok(x.Encrypt(x.h, digest32, out))

	x.ok(x.DecryptInit(x.h, m, private))
	size = sizeOnly()
	x.ok(x.Decrypt(x.h, text, size))
	want(x.TB, name+" in too little", x.Decrypt(x.h, text, room(len(digest32)-1)), CKR_BUFFER_TOO_SMALL)
	plain := room(int(*size.Length))
	x.ok(x.Decrypt(x.h, text, plain))
	if got := plain.Buffer[:*plain.Length]; !bytes.HasSuffix(got, digest32) || m.Type != CKM_RSA_X_509 && len(got) != len(digest32) {
		x.Errorf("%s: decrypted to %x", name, got)
	}
	x.ok(x.EncryptInit(x.h, m, public))
	x.ok(x.DecryptInit(x.h, m, private))
	if row.onePart {
		want(x.TB, name+" in parts", x.EncryptUpdate(x.h, digest32, room(512)), CKR_OPERATION_NOT_INITIALIZED)
		want(x.TB, name+" in parts", x.DecryptUpdate(x.h, text, room(512)), CKR_OPERATION_NOT_INITIALIZED)
		return
	}
	inParts := x.throughParts(x.EncryptUpdate, x.EncryptFinal, digest32)
	if got := x.throughParts(x.DecryptUpdate, x.DecryptFinal, inParts); !bytes.Equal(got, digest32) {
		x.Errorf("%s: decrypted to %x in parts", name, got)
	}
}

// throughParts has a message go through an operation by parts of 7 bytes.
func (x *trial) throughParts(update func(uint, []byte, Output[byte]) error, final func(uint, Output[byte]) error, message []byte) (all []byte) {
	x.Helper()
	for len(message) > 0 {
		n := min(7, len(message))
		out := room(64)
		x.ok(update(x.h, message[:n], out))
		all, message = append(all, out.Buffer[:*out.Length]...), message[n:]
	}
	out := room(128)
	x.ok(final(x.h, out))
	return append(all, out.Buffer[:*out.Length]...)
}

// begins begins what a mechanism is for, and returns what each Init function answers.
func (x *trial) begins(m *Mechanism, row *mechanism) (answers []error) {
	private, public := x.private[row.keys], x.public[row.keys]
	if row.sign != nil {
		answers = append(answers, x.SignInit(x.h, m, private), x.VerifyInit(x.h, m, public))
	}
	if row.encrypt != nil {
		answers = append(answers, x.EncryptInit(x.h, m, public), x.DecryptInit(x.h, m, private))
	}
	x.ok(x.SessionCancel(x.h, ^uint(0)))
	return answers
}

// TestSealedParameters: each mechanism takes what is right as its parameter, and nothing else.
func TestSealedParameters(t *testing.T) {
	x := newTrial(t)
	for typ, row := range mechanisms {
		if !row.sealed || row.keys == nil || row.sign == nil && row.encrypt == nil || row.wrapsOnly {
			continue
		}
		wrong := parameters[typ].wrong
		if row.params == nil {
			wrong = []Mechanism{{Type: typ, Parameter: []byte{0}}, {Type: typ, Params: &EdDSAParams{}}}
		}
		for i, m := range wrong {
			for _, err := range x.begins(&m, row) {
				if err != error(CKR_MECHANISM_PARAM_INVALID) {
					t.Errorf("%s: wrong parameter %d: %v", MechanismName(typ), i, err)
				}
			}
		}
		for i, m := range parameters[typ].right {
			for _, err := range x.begins(&m, row) {
				if err != nil {
					t.Errorf("%s: parameter %d: %v", MechanismName(typ), i, err)
				}
			}
		}
		if row.params != nil && len(wrong) == 0 {
			t.Errorf("%s: no wrong parameter is tried", MechanismName(typ))
		}
	}
}

// parameters are parameters of mechanisms that are right, and such that are wrong.
var parameters = parametersOf(pssExamples, oaepExamples, blockExamples, counterExamples, gcmExamples, macExamples, wrapExamples, hmacExamples, mldsaExamples)

type examples struct{ right, wrong []Mechanism }

func parametersOf(families ...func(map[uint]examples)) map[uint]examples {
	all := map[uint]examples{}
	for _, add := range families {
		add(all)
	}
	return all
}

func pssExamples(all map[uint]examples) {
	for typ, row := range rsaMechanisms {
		if row.params == nil || row.sign == nil {
			continue
		}
		var e examples
		digest, mgf := uint(CKM_SHA256), uint(CKG_MGF1_SHA256)
		if row.hash != 0 {
			mgf = mgfOf(&row)
			for d, h := range hashMechanisms {
				if h.hash == row.hash {
					digest = d
				}
			}
			e.wrong = append(e.wrong, Mechanism{Type: typ, Parameter: numbersOf(CKM_SHA512_224, mgf, 20)})
		}
		for _, p := range [][]byte{numbersOf(digest, mgf, 32), numbersOf(digest, mgf, 0), numbersOf(digest, CKG_MGF1_SHA1, 20)} {
			e.right = append(e.right, Mechanism{Type: typ, Parameter: p})
		}
		for _, p := range [][]byte{
			nil, {}, numbersOf(digest, mgf), numbersOf(digest, mgf, 32, 0), numbersOf(digest, 0, 32), numbersOf(0, mgf, 32), numbersOf(CKM_RSA_PKCS, mgf, 32),
			numbersOf(digest, mgf, 256), numbersOf(digest, mgf, ^uint(0)), numbersOf(digest, mgf, 1<<31), numbersOf(digest, mgf, 32)[1:],
		} {
			e.wrong = append(e.wrong, Mechanism{Type: typ, Parameter: p})
		}
		e.wrong = append(e.wrong, Mechanism{Type: typ, Parameter: numbersOf(digest, mgf, 32), Params: &EdDSAParams{}})
		all[typ] = e
	}
}

func oaepExamples(all map[uint]examples) {
	oaep := func(p OAEPParams) Mechanism { return Mechanism{Type: CKM_RSA_PKCS_OAEP, Params: &p} }
	all[CKM_RSA_PKCS_OAEP] = examples{
		right: []Mechanism{
			oaep(OAEPParams{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, []byte("label")}),
			oaep(OAEPParams{CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nil}),
			oaep(OAEPParams{CKM_SHA512, CKG_MGF1_SHA1, 0, nil}),
		},
		wrong: []Mechanism{
			{Type: CKM_RSA_PKCS_OAEP}, {Type: CKM_RSA_PKCS_OAEP, Parameter: make([]byte, 40)}, {Type: CKM_RSA_PKCS_OAEP, Params: &ECDH1Params{}},
			oaep(OAEPParams{CKM_SHA256, CKG_MGF1_SHA256, 0, []byte("label")}), oaep(OAEPParams{CKM_SHA256, CKG_MGF1_SHA256, 2, nil}),
			oaep(OAEPParams{CKM_SHA256, 0, 1, nil}), oaep(OAEPParams{CKM_RSA_PKCS, CKG_MGF1_SHA1, 1, nil}),
		},
	}
}
