// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha3"
	"slices"
	"testing"
)

// TestOperationState saves a digest of each kind part way and finishes it twice,
// in another session.
func TestOperationState(t *testing.T) {
	f := newPublic(t)
	other := f.session(0)
	for typ, row := range mechanisms {
		if row.digest == nil {
			continue
		}
		f.ok(f.DigestInit(f.h, &Mechanism{Type: typ}))
		f.ok(f.DigestUpdate(f.h, digest32[:10]))
		size := sizeOnly()
		f.ok(f.GetOperationState(f.h, size))
		want(t, "too small", f.GetOperationState(f.h, room(3)), CKR_BUFFER_TOO_SMALL)
		out, state := buffer(int(*size.Length))
		f.ok(f.GetOperationState(f.h, out))
		for range 2 {
			f.ok(f.SetOperationState(other, state, 0, 0))
			f.ok(f.DigestUpdate(other, digest32[10:]))
			digest, got := buffer(64)
			f.ok(f.DigestFinal(other, digest))
			if !bytes.Equal(got[:*digest.Length], row.input(digest32)) {
				t.Errorf("%s: digest %x", MechanismName(typ), got[:*digest.Length])
			}
		}
		f.ok(f.DigestFinal(f.h, room(64))) // the original goes on
	}
}

// TestOperationStateOfNothing: a digest that has only begun goes on in every way.
func TestOperationStateOfNothing(t *testing.T) {
	f := newUser(t)
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	size := sizeOnly()
	f.ok(f.GetOperationState(f.h, size))
	out, state := buffer(int(*size.Length))
	f.ok(f.GetOperationState(f.h, out))
	f.ok(f.SetOperationState(f.h, state, 0, 0))
	want(t, "in one part", f.Digest(f.h, digest32, room(32)), CKR_OK)
	f.ok(f.SetOperationState(f.h, state, 0, 0))
	want(t, "in parts", f.DigestUpdate(f.h, digest32), CKR_OK)
}

func TestOperationStateErrors(t *testing.T) {
	f := newUser(t)
	sign := func() error { return f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.private(0)) }
	verify := func() error { return f.VerifyInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.public(0)) }
	digest := func() error { return f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}) }
	key := func() error {
		h, err := f.CreateObject(f.h, is(secretKey...))
		f.ok(err)
		return f.DigestKey(f.h, h)
	}
	for _, c := range []struct {
		name  string
		steps []func() error
		code  Error
	}{
		{"nothing", nil, CKR_OPERATION_NOT_INITIALIZED},
		{"digest", []func() error{digest}, CKR_OK},
		{"signature", []func() error{sign}, CKR_STATE_UNSAVEABLE},
		{"verification", []func() error{verify}, CKR_STATE_UNSAVEABLE},
		{"digest and signature", []func() error{digest, sign}, CKR_STATE_UNSAVEABLE},
		{"digest of a key", []func() error{digest, key}, CKR_STATE_UNSAVEABLE},
	} {
		for _, step := range c.steps {
			f.ok(step())
		}
		want(t, c.name, f.GetOperationState(f.h, room(1000)), c.code)
		f.ok(f.SessionCancel(f.h, ^uint(0)))
	}
}

func TestSetOperationStateErrors(t *testing.T) {
	f := newUser(t)
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	out, state := buffer(1000)
	f.ok(f.GetOperationState(f.h, out))
	state = state[:*out.Length]
	for _, c := range []struct {
		name         string
		state        []byte
		cipher, auth uint
		code         Error
	}{
		{"nothing", nil, 0, 0, CKR_SAVED_STATE_INVALID},
		{"cut", state[:len(state)-1], 0, 0, CKR_SAVED_STATE_INVALID},
		{"mechanism only", state[:8], 0, 0, CKR_SAVED_STATE_INVALID},
		{"of another hash", append([]byte{0, 0, 0, 0, 0, 0, 2, 0x70}, state[8:]...), 0, 0, CKR_SAVED_STATE_INVALID},
		{"of no hash", append([]byte{0, 0, 0, 0, 0, 0, 0x10, 0x41}, state[8:]...), 0, 0, CKR_SAVED_STATE_INVALID},
		{"with a key", state, 1, 0, CKR_KEY_NOT_NEEDED},
		{"with a key for authentication", state, 0, 1, CKR_KEY_NOT_NEEDED},
	} {
		want(t, c.name, f.SetOperationState(f.h, c.state, c.cipher, c.auth), c.code)
		want(t, c.name+" leaves the digest", f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}), CKR_OPERATION_ACTIVE)
	}
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.private(0)))
	f.ok(f.FindObjectsInit(f.h, nil))
	want(t, "right", f.SetOperationState(f.h, state, 0, 0), CKR_OK)
	want(t, "a signature in its place", f.Sign(f.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "a search in its place", f.FindObjectsFinal(f.h), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "the digest", f.DigestFinal(f.h, room(32)), CKR_OK)
}

// TestStateOfOutput: a state of SHA-3 after which nothing can be digested is none.
func TestStateOfOutput(t *testing.T) {
	w := &digester{Hash: sha3.New256(), mechanism: CKM_SHA3_256}
	state, err := w.savedState()
	ok(t, err)
	_, err = resumed(state)
	ok(t, err)
	state[len(state)-1] ^= 1 // from taking data to giving output
	_, err = resumed(state)
	want(t, "resumed", err, CKR_SAVED_STATE_INVALID)
}

// FuzzState: whatever is taken for a state can be saved again, and is the same.
func FuzzState(f *testing.F) {
	for typ, row := range mechanisms {
		if row.digest != nil {
			w := &digester{Hash: row.hash.New(), mechanism: typ}
			w.Write(digest32)
			state, err := w.savedState()
			ok(f, err)
			f.Add(state)
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		w, err := resumed(slices.Clone(state))
		if err != nil {
			return
		}
		w.Write(digest32)
		w.Sum(nil)
		if _, err := w.savedState(); err != nil {
			t.Fatal(err)
		}
	})
}
