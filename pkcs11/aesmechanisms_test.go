// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"
)

// withParameters are mechanisms of one type with different parameters.
func withParameters(typ uint, list ...[]byte) (all []Mechanism) {
	for _, p := range list {
		all = append(all, Mechanism{Type: typ, Parameter: p})
	}
	return all
}

func blockExamples(all map[uint]examples) {
	for _, typ := range []uint{CKM_AES_CBC, CKM_AES_CBC_PAD} {
		all[typ] = examples{
			right: withParameters(typ, make([]byte, 16), bytes.Repeat([]byte{9}, 16)),
			wrong: append(withParameters(typ, nil, make([]byte, 15), make([]byte, 17)), Mechanism{Type: typ, Params: &OAEPParams{}}),
		}
	}
}

func counterExamples(all map[uint]examples) {
	counter := func(bits uint, first int) []byte { return append(numbersOf(bits), make([]byte, first)...) }
	all[CKM_AES_CTR] = examples{
		right: withParameters(CKM_AES_CTR, counter(128, 16), counter(32, 16), counter(1, 16)),
		wrong: withParameters(CKM_AES_CTR, nil, counter(0, 16), counter(129, 16), counter(^uint(0), 16), counter(32, 15), counter(32, 17), make([]byte, 16)),
	}
}

func gcmExamples(all map[uint]examples) {
	gcm := func(iv int, tag uint) Mechanism {
		return Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: make([]byte, iv), AAD: []byte("besides"), TagBits: tag}}
	}
	all[CKM_AES_GCM] = examples{
		right: []Mechanism{gcm(12, 128), gcm(1, 96), gcm(256, 104), gcm(16, 32)},
		wrong: []Mechanism{gcm(0, 128), gcm(12, 0), gcm(12, 136), gcm(12, 127), gcm(12, ^uint(0)), {Type: CKM_AES_GCM}, {Type: CKM_AES_GCM, Parameter: make([]byte, 48)}},
	}
}

func macExamples(all map[uint]examples) {
	all[CKM_AES_CMAC_GENERAL] = macSizes(CKM_AES_CMAC_GENERAL, 16)
}

// macSizes are parameters for a code of which a part counts.
func macSizes(typ, most uint) examples {
	return examples{
		right: withParameters(typ, numbersOf(8), numbersOf(most), numbersOf(1)),
		wrong: withParameters(typ, nil, []byte{8}, numbersOf(most+1), numbersOf(^uint(0)), numbersOf(8, 8)),
	}
}

func wrapExamples(all map[uint]examples) {
	for _, typ := range []uint{CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PKCS7} {
		all[typ] = examples{withParameters(typ, nil, make([]byte, 8)), withParameters(typ, make([]byte, 4), make([]byte, 9))}
	}
	for _, typ := range []uint{CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD} {
		all[typ] = examples{withParameters(typ, nil, make([]byte, 4)), withParameters(typ, make([]byte, 3), make([]byte, 8))}
	}
}

// encrypted encrypts with the key of AES.
func (x *trial) encrypted(m *Mechanism, data []byte) []byte {
	x.Helper()
	x.ok(x.EncryptInit(x.h, m, x.public[aesKeys]))
	out := room(len(data) + 64)
	x.ok(x.Encrypt(x.h, data, out))
	return out.Buffer[:*out.Length]
}

// TestAESModes: the modes are those of the standard library.
func TestAESModes(t *testing.T) {
	x := newTrial(t)
	block, err := aes.NewCipher(x.value(x.public[aesKeys], CKA_VALUE))
	x.ok(err)
	iv, data := bytes.Repeat([]byte{5}, 16), bytes.Repeat([]byte("data"), 20)
	aead, err := cipher.NewGCM(block)
	x.ok(err)
	cbc, ctr, ecb := make([]byte, 80), make([]byte, 80), make([]byte, 80)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(cbc, data)
	cipher.NewCTR(block, iv).XORKeyStream(ctr, data)
	for i := 0; i < 80; i += 16 {
		block.Encrypt(ecb[i:], data[i:])
	}
	for _, c := range []struct {
		m      Mechanism
		wanted []byte
	}{
		{Mechanism{Type: CKM_AES_ECB}, ecb},
		{Mechanism{Type: CKM_AES_CBC, Parameter: iv}, cbc},
		{Mechanism{Type: CKM_AES_CTR, Parameter: slices.Concat(numbersOf(128), iv)}, ctr},
		{Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: iv[:12], AAD: []byte("a"), TagBits: 128}}, aead.Seal(nil, iv[:12], data, []byte("a"))},
	} {
		if got := x.encrypted(&c.m, data); !bytes.Equal(got, c.wanted) {
			t.Errorf("%s: %x, want %x", MechanismName(c.m.Type), got, c.wanted)
		}
	}
}

// TestAESBadData: what is too short, too long or was changed.
func TestAESBadData(t *testing.T) {
	x := newTrial(t)
	key := x.public[aesKeys]
	gcm := parameters[CKM_AES_GCM].right[0]
	cbc := Mechanism{Type: CKM_AES_CBC, Parameter: make([]byte, 16)}
	encrypt := func(m Mechanism, n int) error {
		x.ok(x.EncryptInit(x.h, &m, key))
		return x.Encrypt(x.h, make([]byte, n), room(512))
	}
	decrypt := func(m Mechanism, text []byte) error {
		x.ok(x.DecryptInit(x.h, &m, key))
		return x.Decrypt(x.h, text, room(512))
	}
	for _, m := range []Mechanism{{Type: CKM_AES_ECB}, cbc} {
		want(t, "no whole blocks", encrypt(m, 17), CKR_DATA_LEN_RANGE)
		want(t, "no whole blocks", decrypt(m, make([]byte, 17)), CKR_ENCRYPTED_DATA_LEN_RANGE)
		x.ok(x.EncryptInit(x.h, &m, key))
		x.ok(x.EncryptUpdate(x.h, make([]byte, 15), room(32)))
		want(t, "no whole blocks", x.EncryptFinal(x.h, room(32)), CKR_DATA_LEN_RANGE)
	}
	want(t, "wrap", encrypt(Mechanism{Type: CKM_AES_KEY_WRAP}, 20), CKR_DATA_LEN_RANGE)
	want(t, "wrap", encrypt(Mechanism{Type: CKM_AES_KEY_WRAP}, 8), CKR_DATA_LEN_RANGE)
	want(t, "wrap", encrypt(Mechanism{Type: CKM_AES_KEY_WRAP_KWP}, 0), CKR_DATA_LEN_RANGE)
	want(t, "a counter at its end", encrypt(Mechanism{Type: CKM_AES_CTR, Parameter: append(numbersOf(1), make([]byte, 16)...)}, 33), CKR_DATA_LEN_RANGE)
	for _, m := range []Mechanism{gcm, {Type: CKM_AES_KEY_WRAP}, {Type: CKM_AES_KEY_WRAP_KWP}, {Type: CKM_AES_KEY_WRAP_PKCS7}} {
		text := x.encrypted(&m, digest32)
		for i := range text {
			changed := bytes.Clone(text)
			changed[i] ^= 1
			want(t, MechanismName(m.Type)+" changed", decrypt(m, changed), CKR_ENCRYPTED_DATA_INVALID)
		}
		for n := range text {
			if err := decrypt(m, text[:n]); err != error(CKR_ENCRYPTED_DATA_INVALID) && err != error(CKR_ENCRYPTED_DATA_LEN_RANGE) {
				t.Errorf("%s cut to %d: %v", MechanismName(m.Type), n, err)
			}
		}
	}
	other := gcm
	other.Params = &GCMParams{IV: make([]byte, 12), AAD: []byte("other"), TagBits: 128}
	want(t, "other data besides", decrypt(other, x.encrypted(&gcm, digest32)), CKR_ENCRYPTED_DATA_INVALID)
}

// TestGCMGivesNothingBefore: nothing of a message comes out that is not authentic.
func TestGCMGivesNothingBefore(t *testing.T) {
	x := newTrial(t)
	gcm := parameters[CKM_AES_GCM].right[0]
	text := x.encrypted(&gcm, digest32)
	text[0] ^= 1
	x.ok(x.DecryptInit(x.h, &gcm, x.public[aesKeys]))
	out := room(64)
	x.ok(x.DecryptUpdate(x.h, text, out))
	if *out.Length != 0 {
		t.Errorf("%d bytes before the tag was looked at", *out.Length)
	}
	want(t, "final", x.DecryptFinal(x.h, room(64)), CKR_ENCRYPTED_DATA_INVALID)
}

// TestAESSizes: keys have 16, 24 or 32 bytes.
func TestAESSizes(t *testing.T) {
	f := newSealing(t)
	for n, code := range map[uint]Error{
		0: CKR_ATTRIBUTE_VALUE_INVALID, 15: CKR_ATTRIBUTE_VALUE_INVALID, 16: CKR_OK, 17: CKR_ATTRIBUTE_VALUE_INVALID, 24: CKR_OK, 32: CKR_OK,
		33: CKR_ATTRIBUTE_VALUE_INVALID, ^uint(0): CKR_ATTRIBUTE_VALUE_INVALID,
	} {
		_, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, n))
		want(t, "size", err, code)
	}
	_, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_AES_KEY_GEN}, nil)
	want(t, "no size", err, CKR_TEMPLATE_INCOMPLETE)
}

// TestVerifyAfterLogout: a verification with a secret key ends with the login.
func TestVerifyAfterLogout(t *testing.T) {
	x := newTrial(t)
	m := &Mechanism{Type: CKM_AES_CMAC}
	code := x.signLong(m, x.private[aesKeys], digest32)
	x.ok(x.VerifyInit(x.h, m, x.private[aesKeys]))
	x.ok(x.VerifySignatureInit(x.h, m, x.private[aesKeys], code))
	x.ok(x.Logout(x.h))
	want(t, "verify", x.Verify(x.h, digest32, code), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "verify", x.VerifySignature(x.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
}
