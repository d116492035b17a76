// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

// aesKey makes an AES key of the session.
func (f *fixture) aesKey(attributes ...any) uint {
	f.Helper()
	key, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_AES_KEY_GEN},
		append(is(CKA_VALUE_LEN, uint(32), CKA_ENCRYPT, true, CKA_DECRYPT, true), is(attributes...)...))
	f.ok(err)
	return key
}

// inParts gives a message to an Update function in parts of 13 bytes, each first with too little room, and returns what
// came of it, with what the Final function gives.
func (f *fixture) inParts(message []byte, update func(uint, []byte, Output[byte]) error, final func(uint, Output[byte]) error) []byte {
	f.Helper()
	var all []byte
	for len(message) > 0 {
		part := message[:min(13, len(message))]
		message = message[len(part):]
		size := sizeOnly()
		f.ok(update(f.h, part, size))
		if n := int(*size.Length); n > 0 {
			want(f, "too small", update(f.h, part, room(n-1)), CKR_BUFFER_TOO_SMALL)
		}
		out, b := buffer(64)
		copy(b, part) // the result may go to where the part is
		f.ok(update(f.h, b[:len(part)], out))
		all = append(all, b[:*out.Length]...)
	}
	out, b := buffer(64)
	f.ok(final(f.h, out))
	return append(all, b[:*out.Length]...)
}

// TestDualDigest encrypts and hashes at a time, and undoes it.
func TestDualDigest(t *testing.T) {
	f := newSealing(t)
	key, m := f.aesKey(), &Mechanism{Type: CKM_AES_CBC_PAD, Parameter: make([]byte, 16)}
	message := bytes.Repeat([]byte("two at a time, "), 9)
	sum := sha256.Sum256(message)

	want(t, "no digest", f.DigestEncryptUpdate(f.h, message, room(200)), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	want(t, "no encryption", f.DigestEncryptUpdate(f.h, message, room(200)), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.EncryptInit(f.h, m, key))
	text := f.inParts(message, f.DigestEncryptUpdate, f.EncryptFinal)
	out, digest := buffer(32)
	f.ok(f.DigestFinal(f.h, out))
	if !bytes.Equal(digest, sum[:]) {
		t.Errorf("the digest of the encryption is %x, want %x", digest, sum)
	}

	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	f.ok(f.DecryptInit(f.h, m, key))
	held := f.inParts(text, f.DecryptDigestUpdate, func(h uint, out Output[byte]) error {
		// What C_DecryptFinal gives is for the caller to hash.
		err := f.DecryptFinal(h, out)
		f.ok(f.DigestUpdate(h, out.Buffer[:*out.Length]))
		return err
	})
	f.ok(f.DigestFinal(f.h, out))
	if !bytes.Equal(held, message) || !bytes.Equal(digest, sum[:]) {
		t.Errorf("decrypted to %q with the digest %x", held, digest)
	}
}

// TestDualSignature encrypts and signs at a time, and undoes it.
func TestDualSignature(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair(nil, nil)
	key, m, by := f.aesKey(), &Mechanism{Type: CKM_AES_CBC_PAD, Parameter: make([]byte, 16)}, &Mechanism{Type: CKM_SHA256_RSA_PKCS}
	message := bytes.Repeat([]byte("two at a time, "), 9)

	f.ok(f.SignInit(f.h, by, private))
	f.ok(f.EncryptInit(f.h, m, key))
	text := f.inParts(message, f.SignEncryptUpdate, f.EncryptFinal)
	out, signature := buffer(256)
	f.ok(f.SignFinal(f.h, out))
	f.ok(f.verify(CKM_SHA256_RSA_PKCS, public, message, signature))

	f.ok(f.VerifyInit(f.h, by, public))
	f.ok(f.DecryptInit(f.h, m, key))
	held := f.inParts(text, f.DecryptVerifyUpdate, func(h uint, out Output[byte]) error {
		err := f.DecryptFinal(h, out)
		f.ok(f.VerifyUpdate(h, out.Buffer[:*out.Length]))
		return err
	})
	f.ok(f.VerifyFinal(f.h, signature))
	if !bytes.Equal(held, message) {
		t.Errorf("decrypted to %q", held)
	}
}

// TestDualRefusals: a signature of one part takes none; what is refused leaves the other operation as it was.
func TestDualRefusals(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair(nil, nil)
	key, m := f.aesKey(), &Mechanism{Type: CKM_AES_CBC_PAD, Parameter: make([]byte, 16)}
	f.ok(f.EncryptInit(f.h, m, key))
	f.ok(f.DecryptInit(f.h, m, key))
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_RSA_PKCS}, private))
	want(t, "one part", f.SignEncryptUpdate(f.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.VerifyInit(f.h, &Mechanism{Type: CKM_RSA_PKCS}, public))
	want(t, "one part", f.DecryptVerifyUpdate(f.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.EncryptUpdate(f.h, digest32, room(64)))
	f.ok(f.DecryptUpdate(f.h, digest32, room(64)))

	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	want(t, "no length", f.DigestEncryptUpdate(f.h, digest32, Output[byte]{Buffer: make([]byte, 64)}), CKR_ARGUMENTS_BAD)
	f.ok(f.DigestUpdate(f.h, []byte("abc")))
	out, digest := buffer(32)
	f.ok(f.DigestFinal(f.h, out))
	if sum := sha256.Sum256([]byte("abc")); !bytes.Equal(digest, sum[:]) {
		t.Error("what was not encrypted was hashed")
	}
}

// TestDigestSealedKey: the value of a sealed key goes into a digest, of a session and of the token, shown or not.
func TestDigestSealedKey(t *testing.T) {
	f := newSealing(t)
	sum := sha256.Sum256(digest32)
	for _, token := range []bool{true, false} {
		key := f.create(is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE, string(digest32), CKA_TOKEN, token,
			CKA_SENSITIVE, true, CKA_EXTRACTABLE, false))
		f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
		f.ok(f.DigestKey(f.h, key))
		want(t, "state", f.GetOperationState(f.h, room(300)), CKR_STATE_UNSAVEABLE)
		out, digest := buffer(32)
		f.ok(f.DigestFinal(f.h, out))
		if !bytes.Equal(digest, sum[:]) {
			t.Errorf("digest %x, want %x", digest, sum)
		}
	}
}
