// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"libzk_pkcs11/internal/store"
)

// TestDigestVectors are the digests of "abc" of FIPS 180-4 and FIPS 202.
func TestDigestVectors(t *testing.T) {
	f := newPublic(t)
	for typ, wanted := range map[uint]string{
		CKM_SHA_1:      "a9993e364706816aba3e25717850c26c9cd0d89d",
		CKM_SHA224:     "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
		CKM_SHA256:     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		CKM_SHA512_224: "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
		CKM_SHA512_256: "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
		CKM_SHA3_224:   "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
		CKM_SHA3_256:   "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
	} {
		for _, parts := range []bool{false, true} {
			out, digest := buffer(64)
			f.ok(f.DigestInit(f.h, &Mechanism{Type: typ}))
			if parts {
				f.ok(f.DigestUpdate(f.h, []byte("a")))
				f.ok(f.DigestUpdate(f.h, []byte("bc")))
				f.ok(f.DigestFinal(f.h, out))
			} else {
				f.ok(f.Digest(f.h, []byte("abc"), out))
			}
			if got := hex.EncodeToString(digest[:*out.Length]); got != wanted {
				t.Errorf("%s: %s, want %s", MechanismName(typ), got, wanted)
			}
		}
	}
}

// TestDigestAll compares every mechanism with the hash that it names.
func TestDigestAll(t *testing.T) {
	f := newPublic(t)
	for typ, row := range mechanisms {
		if row.digest == nil {
			continue
		}
		size, out := sizeOnly(), room(64)
		f.ok(f.DigestInit(f.h, &Mechanism{Type: typ}))
		f.ok(f.Digest(f.h, digest32, size))
		want(t, "too small", f.Digest(f.h, digest32, room(row.hash.Size()-1)), CKR_BUFFER_TOO_SMALL)
		f.ok(f.Digest(f.h, digest32, out))
		if *size.Length != *out.Length || !bytes.Equal(out.Buffer[:*out.Length], row.input(digest32)) {
			t.Errorf("%s: size %d, digest %x", MechanismName(typ), *size.Length, out.Buffer[:*out.Length])
		}
	}
}

func TestDigestSteps(t *testing.T) {
	f := newPublic(t)
	begin := func() { f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256})) }
	want(t, "digest before init", f.Digest(f.h, nil, room(32)), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "update before init", f.DigestUpdate(f.h, nil), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "final before init", f.DigestFinal(f.h, room(32)), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "a signature's mechanism", f.DigestInit(f.h, &Mechanism{Type: CKM_ECDSA}), CKR_MECHANISM_INVALID)
	want(t, "a parameter", f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256, Parameter: []byte{1}}), CKR_MECHANISM_PARAM_INVALID)
	begin()
	f.ok(f.DigestUpdate(f.h, nil))
	want(t, "whole after parts", f.Digest(f.h, nil, room(32)), CKR_OPERATION_ACTIVE)
	want(t, "which ends it", f.DigestFinal(f.h, room(32)), CKR_OPERATION_NOT_INITIALIZED)
	begin()
	f.ok(f.DigestFinal(f.h, sizeOnly()))
	f.ok(f.DigestUpdate(f.h, nil))
	want(t, "final", f.DigestFinal(f.h, room(32)), CKR_OK)
}

func TestDigestKey(t *testing.T) {
	f := newUser(t)
	secret, err := f.CreateObject(f.h, is(with(secretKey, CKA_SENSITIVE, true)...))
	f.ok(err)
	data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA))
	f.ok(err)
	for _, c := range []struct {
		name string
		key  uint
		code Error
	}{
		{"secret key", secret, CKR_OK},
		{"private key", f.private(0), CKR_KEY_INDIGESTIBLE},
		{"public key", f.public(0), CKR_KEY_INDIGESTIBLE},
		{"data", data, CKR_KEY_HANDLE_INVALID},
		{"nothing", 0, CKR_KEY_HANDLE_INVALID},
	} {
		f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
		f.ok(f.DigestUpdate(f.h, []byte("before ")))
		want(t, c.name, f.DigestKey(f.h, c.key), c.code)
		out, digest := buffer(32)
		after := Error(CKR_OPERATION_NOT_INITIALIZED)
		if c.code == CKR_OK {
			after = CKR_OK
		}
		want(t, c.name+" after it", f.DigestFinal(f.h, out), after)
		if sum := sha256.Sum256([]byte("before a secret")); after == CKR_OK && !bytes.Equal(digest, sum[:]) {
			t.Errorf("digest %x, want %x", digest, sum)
		}
	}
	want(t, "no digest", f.DigestKey(f.h, secret), CKR_OPERATION_NOT_INITIALIZED)
}

// TestKeyLookupTellsTheCause: a device or store that fails is not taken for a
// handle that is wrong.
func TestKeyLookupTellsTheCause(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"sign", func() error { return f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key) }},
		{"digest", func() error {
			f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
			return f.DigestKey(f.h, key)
		}},
		{"read", func() error { _, err := f.tryRead(key, CKA_ID); return err }},
	} {
		f.token().forgetObjects()
		f.device.Fail("Keys", 1, store.ErrBusy)
		want(t, c.name, c.call(), CKR_DEVICE_ERROR)
	}
}
