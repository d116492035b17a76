// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"crypto"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// The flags that say what a mechanism is for; the others say how.
const (
	functions = pkcs11.CKF_ENCRYPT | pkcs11.CKF_DECRYPT | pkcs11.CKF_DIGEST | pkcs11.CKF_SIGN | pkcs11.CKF_SIGN_RECOVER |
		pkcs11.CKF_VERIFY | pkcs11.CKF_VERIFY_RECOVER | pkcs11.CKF_GENERATE | pkcs11.CKF_GENERATE_KEY_PAIR | pkcs11.CKF_WRAP |
		pkcs11.CKF_UNWRAP | pkcs11.CKF_DERIVE
	signing    = pkcs11.CKF_SIGN | pkcs11.CKF_VERIFY
	encrypting = pkcs11.CKF_ENCRYPT | pkcs11.CKF_DECRYPT
	wrapping   = pkcs11.CKF_WRAP | pkcs11.CKF_UNWRAP
	recovering = pkcs11.CKF_SIGN_RECOVER | pkcs11.CKF_VERIFY_RECOVER
)

// digests are the mechanisms whose result the standard library knows as well.
var digests = map[uint]crypto.Hash{
	pkcs11.CKM_SHA_1: crypto.SHA1, pkcs11.CKM_SHA224: crypto.SHA224, pkcs11.CKM_SHA256: crypto.SHA256, pkcs11.CKM_SHA384: crypto.SHA384,
	pkcs11.CKM_SHA512: crypto.SHA512, pkcs11.CKM_SHA512_224: crypto.SHA512_224, pkcs11.CKM_SHA512_256: crypto.SHA512_256,
	pkcs11.CKM_SHA3_224: crypto.SHA3_224, pkcs11.CKM_SHA3_256: crypto.SHA3_256, pkcs11.CKM_SHA3_384: crypto.SHA3_384, pkcs11.CKM_SHA3_512: crypto.SHA3_512,
}

// trial has everything that the mechanisms are tried on.
type trial struct {
	*live.Token
	t       *testing.T
	s       pkcs11.SessionHandle
	private map[uint][]pkcs11.ObjectHandle // by key type
	public  map[uint][]pkcs11.ObjectHandle // in the same order
	names   map[pkcs11.ObjectHandle]string // of private keys, as docs/mechanisms.md has them
	used    map[use]bool
}

func newTrial(t *testing.T) *trial {
	k := live.New(t)
	x := &trial{k, t, k.User(), map[uint][]pkcs11.ObjectHandle{}, map[uint][]pkcs11.ObjectHandle{}, map[pkcs11.ObjectHandle]string{}, map[use]bool{}}
	for _, c := range curves {
		for range 2 {
			public, private := c.pair(t, k, x.s)
			x.add(c.name, c.keyType, public, private)
		}
	}
	x.addSealed()
	return x
}

// TestMechanisms uses every mechanism of the list for all that its flags say,
// with every kind of key that it takes.
func TestMechanisms(t *testing.T) {
	x := newTrial(t)
	list, err := x.GetMechanismList(0)
	x.OK(err)
	if len(list) < len(digests)+10 {
		t.Errorf("%d mechanisms", len(list))
	}
	for _, m := range list {
		info, err := x.GetMechanismInfo(0, []*pkcs11.Mechanism{m})
		x.OK(err)
		if m.Mechanism == live.CKM_ML_KEM {
			continue // this client has no calls for it: testdata/keys.c has
		}
		f := info.Flags & functions
		if f&wrapping != 0 {
			x.wrap(m.Mechanism)
		}
		if f&recovering != 0 {
			x.recover(m.Mechanism)
		}
		switch f &^= wrapping | recovering; f {
		case 0: // it wraps keys alone
		case pkcs11.CKF_DIGEST:
			x.digest(m.Mechanism)
		case signing:
			x.sign(m.Mechanism)
		case pkcs11.CKF_GENERATE_KEY_PAIR:
			x.generate(m.Mechanism)
		case pkcs11.CKF_GENERATE:
			x.generateSecret(m.Mechanism)
		case encrypting:
			x.encrypt(m.Mechanism)
		case signing | encrypting:
			x.sign(m.Mechanism)
			x.encrypt(m.Mechanism)
		case pkcs11.CKF_DERIVE:
			x.derive(m.Mechanism)
		default:
			t.Errorf("mechanism 0x%x has the flags 0x%x, which this test knows nothing of", m.Mechanism, f)
		}
	}
	x.checkCoverage(list)
}

func (x *trial) digest(m uint) {
	x.t.Helper()
	hash, known := digests[m]
	if !known {
		x.t.Fatalf("mechanism 0x%x is a digest that this test does not know", m)
	}
	h := hash.New()
	h.Write([]byte("abc"))
	x.OK(x.DigestInit(x.s, live.Mechanism(m)))
	whole, err := x.Digest(x.s, []byte("abc"))
	x.OK(err)
	x.OK(x.DigestInit(x.s, live.Mechanism(m)))
	x.OK(x.DigestUpdate(x.s, []byte("a")))
	x.OK(x.DigestUpdate(x.s, []byte("bc")))
	parts, err := x.DigestFinal(x.s)
	x.OK(err)
	if want := h.Sum(nil); !bytes.Equal(whole, want) || !bytes.Equal(parts, want) {
		x.t.Errorf("%v: %x and in parts %x, want %x", hash, whole, parts, want)
	}
}

// messages are shorter than a digest, as long as one, and longer.
var messages = [][]byte{[]byte("m"), bytes.Repeat([]byte("m"), 32), bytes.Repeat([]byte("m"), 100)}

// sign uses a mechanism with all keys that it takes; there have to be some.
func (x *trial) sign(m uint) {
	x.t.Helper()
	used := 0
	for keyType, keys := range x.private {
		for i, private := range keys {
			for _, message := range messages {
				if x.signsWith(m, private, x.public[keyType][i], message) {
					used++
				}
			}
		}
	}
	if used == 0 {
		x.t.Errorf("mechanism 0x%x signs with none of the keys", m)
	}
}

// signsWith signs and verifies, and reports whether the key is one for the mechanism and the message.
func (x *trial) signsWith(m uint, private, public pkcs11.ObjectHandle, message []byte) bool {
	x.t.Helper()
	how := howTo(m)
	err := x.SignInit(x.s, how, private)
	if rv := live.RV(err); rv == pkcs11.CKR_KEY_TYPE_INCONSISTENT || rv == pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED {
		return false
	}
	x.OK(err)
	signature, err := x.Sign(x.s, message)
	if m == pkcs11.CKM_RSA_PKCS_PSS && len(message) != 32 {
		x.Want("C_Sign of what is no hash", err, pkcs11.CKR_DATA_LEN_RANGE)
		return false
	}
	if m == live.CKM_EDDSA && len(message) != 32 && harness.OverVendor() {
		x.Want("C_Sign of what the hardware does not take", err, pkcs11.CKR_DATA_LEN_RANGE)
		return false
	}
	x.OK(err)
	x.Want("C_Verify", x.verified(how, public, message, signature), pkcs11.CKR_OK)
	x.note(m, private)
	signature[5] ^= 1
	x.Want("C_Verify of another signature", x.verified(how, public, message, signature), pkcs11.CKR_SIGNATURE_INVALID)
	return true
}

func (x *trial) verified(how []*pkcs11.Mechanism, key pkcs11.ObjectHandle, message, signature []byte) error {
	x.OK(x.VerifyInit(x.s, how, key))
	return x.Verify(x.s, message, signature)
}

// encrypt encrypts and decrypts with all keys that the mechanism takes; there have to be some.
func (x *trial) encrypt(m uint) {
	x.t.Helper()
	if m == live.CKM_ZK_LOCK {
		x.lock(m)
		return
	}
	used := 0
	for keyType, keys := range x.private {
		for i, private := range keys {
			used += x.encryptsWith(m, private, x.public[keyType][i])
		}
	}
	if used == 0 {
		x.t.Errorf("mechanism 0x%x encrypts with none of the keys", m)
	}
}

// encryptsWith encrypts and decrypts, and returns how many messages that was.
func (x *trial) encryptsWith(m uint, private, public pkcs11.ObjectHandle) (used int) {
	x.t.Helper()
	for _, message := range messages {
		err := x.EncryptInit(x.s, howTo(m), public)
		if live.RV(err) == pkcs11.CKR_KEY_TYPE_INCONSISTENT || live.RV(err) == pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED {
			return used
		}
		x.OK(err)
		text, err := x.Encrypt(x.s, message)
		if !takesLength(m, len(message)) {
			x.Want("C_Encrypt of another length", err, pkcs11.CKR_DATA_LEN_RANGE)
			continue
		}
		x.OK(err)
		x.OK(x.DecryptInit(x.s, howTo(m), private))
		plain, err := x.Decrypt(x.s, text)
		x.OK(err)
		if m == pkcs11.CKM_RSA_X_509 {
			plain = bytes.TrimLeft(plain, "\x00")
		}
		x.note(m, private)
		if used++; !bytes.Equal(plain, message) {
			x.t.Errorf("mechanism 0x%x decrypts to %x, want %x", m, plain, message)
		}
	}
	return used
}

// generateSecret makes a secret key.
func (x *trial) generateSecret(m uint) {
	x.t.Helper()
	how, release := x.howToPoint(m)
	defer release()
	template := []*pkcs11.Attribute{attr(pkcs11.CKA_VALUE_LEN, 32), attr(pkcs11.CKA_SENSITIVE, false), attr(pkcs11.CKA_EXTRACTABLE, true)}
	if m == pkcs11.CKM_PKCS5_PBKD2 {
		template = append(template, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET))
	}
	key, err := x.GenerateKey(x.s, how, template)
	x.OK(err)
	if n := len(x.Attr(x.s, key, pkcs11.CKA_VALUE)); n != 32 {
		x.t.Errorf("mechanism 0x%x makes a key of %d bytes", m, n)
	}
}

// wrap wraps a key of AES with a key that the mechanism takes, and unwraps it.
func (x *trial) wrap(m uint) {
	x.t.Helper()
	show := []*pkcs11.Attribute{attr(pkcs11.CKA_SENSITIVE, false), attr(pkcs11.CKA_EXTRACTABLE, true)}
	key := aesKey(x.Token, x.s, show...)
	for _, keyType := range []uint{pkcs11.CKK_AES, pkcs11.CKK_RSA} {
		how, release := x.howToPoint(m)
		defer release()
		text, err := x.WrapKey(x.s, how, x.public[keyType][0], key)
		if live.RV(err) == pkcs11.CKR_WRAPPING_KEY_TYPE_INCONSISTENT {
			continue
		}
		x.OK(err)
		again, err := x.UnwrapKey(x.s, how, x.private[keyType][0], text, append([]*pkcs11.Attribute{
			attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES), attr(pkcs11.CKA_VALUE_LEN, 32),
		}, show...))
		x.OK(err)
		if !bytes.Equal(x.Attr(x.s, again, pkcs11.CKA_VALUE), x.Attr(x.s, key, pkcs11.CKA_VALUE)) {
			x.t.Errorf("mechanism 0x%x unwraps another key", m)
		}
		return
	}
	x.t.Errorf("mechanism 0x%x wraps with none of the keys", m)
}

func (x *trial) generate(m uint) {
	x.t.Helper()
	if m == pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN {
		rsaPair(x.Token, x.s)
		return
	}
	if m == live.CKM_ML_DSA_KEY_PAIR_GEN || m == live.CKM_ML_KEM_KEY_PAIR_GEN {
		_, _, err := x.GenerateKeyPair(x.s, live.Mechanism(m), []*pkcs11.Attribute{attr(live.CKA_PARAMETER_SET, 3)}, nil)
		x.OK(err)
		return
	}
	used := 0
	for _, c := range curves {
		if c.generate == m {
			used++
			c.pair(x.t, x.Token, x.s)
		}
	}
	if used == 0 {
		x.t.Errorf("mechanism 0x%x makes keys of none of the types", m)
	}
}

// derive has both sides of a key agreement come to the same secret.
func (x *trial) derive(m uint) {
	x.t.Helper()
	if !agreements[m] {
		x.deriveSecret(m)
		return
	}
	used := 0
	for keyType, keys := range x.private {
		for i := 0; i+1 < len(keys); i += 2 {
			if !bytes.Equal(x.Attr(x.s, keys[i], pkcs11.CKA_DERIVE), []byte{1}) {
				continue
			}
			used++
			x.note(m, keys[i])
			a, b := x.secret(m, keys[i], x.public[keyType][i+1]), x.secret(m, keys[i+1], x.public[keyType][i])
			if len(a) == 0 || !bytes.Equal(a, b) {
				x.t.Errorf("mechanism 0x%x, key type 0x%x: %x and %x", m, keyType, a, b)
			}
		}
	}
	if used == 0 {
		x.t.Errorf("mechanism 0x%x derives from none of the keys", m)
	}
}

// deriveSecret makes a secret of others, of two types.
func (x *trial) deriveSecret(m uint) {
	x.t.Helper()
	for _, base := range []pkcs11.ObjectHandle{x.private[pkcs11.CKK_GENERIC_SECRET][0], x.private[pkcs11.CKK_AES][0]} {
		how, release := x.howToPoint(m)
		class := uint(pkcs11.CKO_SECRET_KEY)
		template := []*pkcs11.Attribute{attr(pkcs11.CKA_VALUE_LEN, 16)}
		if m == live.CKM_HKDF_DATA {
			class = pkcs11.CKO_DATA
		} else {
			template = append(template, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES))
		}
		_, err := x.DeriveKey(x.s, how, base, append(template, attr(pkcs11.CKA_CLASS, class)))
		release()
		if m == pkcs11.CKM_AES_ECB_ENCRYPT_DATA || m == pkcs11.CKM_AES_CBC_ENCRYPT_DATA {
			if base != x.private[pkcs11.CKK_AES][0] {
				x.Want("a base that is none", err, pkcs11.CKR_KEY_TYPE_INCONSISTENT)
				continue
			}
		}
		x.OK(err)
		x.note(m, base)
	}
}

func (x *trial) secret(m uint, private, peer pkcs11.ObjectHandle) []byte {
	x.t.Helper()
	params := pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, point(x.t, x.Attr(x.s, peer, pkcs11.CKA_EC_POINT)))
	key, err := x.DeriveKey(x.s, []*pkcs11.Mechanism{pkcs11.NewMechanism(m, params)}, private, []*pkcs11.Attribute{
		attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		attr(pkcs11.CKA_SENSITIVE, false), attr(pkcs11.CKA_EXTRACTABLE, true),
	})
	x.OK(err)
	return x.Attr(x.s, key, pkcs11.CKA_VALUE)
}

// TestMechanismSizes checks what is said of key sizes.
func TestMechanismSizes(t *testing.T) {
	k := live.New(t)
	for m, sizes := range map[uint][]uint{
		pkcs11.CKM_ECDSA: {256}, pkcs11.CKM_EC_KEY_PAIR_GEN: {256}, live.CKM_EDDSA: {255, 256}, live.CKM_EC_EDWARDS_KEY_PAIR_GEN: {255, 256},
	} {
		info, err := k.GetMechanismInfo(0, live.Mechanism(m))
		k.OK(err)
		for _, n := range sizes {
			if n < info.MinKeySize || n > info.MaxKeySize {
				t.Errorf("mechanism 0x%x: sizes %d to %d, not %d", m, info.MinKeySize, info.MaxKeySize, n)
			}
		}
	}
}

// TestOtherMechanisms asks for mechanisms that are not in the list.
func TestOtherMechanisms(t *testing.T) {
	k := live.New(t)
	list, err := k.GetMechanismList(0)
	k.OK(err)
	s := k.User()
	key := k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0)
	for _, m := range []uint{pkcs11.CKM_DSA, pkcs11.CKM_DES3_CBC, pkcs11.CKM_MD5, pkcs11.CKM_SHA1_RSA_X9_31, pkcs11.CKM_VENDOR_DEFINED, 0xFFFFFFFF} {
		if slices.ContainsFunc(list, func(x *pkcs11.Mechanism) bool { return x.Mechanism == m }) {
			t.Errorf("mechanism 0x%x is in the list", m)
		}
		_, err := k.GetMechanismInfo(0, live.Mechanism(m))
		k.Want("C_GetMechanismInfo", err, pkcs11.CKR_MECHANISM_INVALID)
		k.Want("C_SignInit", k.SignInit(s, live.Mechanism(m), key), pkcs11.CKR_MECHANISM_INVALID)
		k.Want("C_DigestInit", k.DigestInit(s, live.Mechanism(m)), pkcs11.CKR_MECHANISM_INVALID)
	}
}
