// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// The tests of this file are of two processes that change the same object: what
// one does comes between two steps of what the other does.

// during runs f once in the middle of a device call of a method.
func (f *fixture) during(method string, do func()) {
	f.device.Before(method, func(int) error {
		f.device.Before(method, func(int) error { return nil })
		do()
		return nil
	})
}

// newLabelled makes a key pair of token objects with a label, and returns the
// private one.
func (f *fixture) newLabelled(label string) uint {
	f.Helper()
	_, private := f.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, CKA_LABEL, label})
	return private
}

// replaceKey destroys a key and makes another, which takes its slot.
func (f *fixture) replaceKey(from, to string) {
	f.Helper()
	f.ok(f.DestroyObject(f.h, f.one(CKA_LABEL, from, CKA_CLASS, CKO_PRIVATE_KEY)))
	f.newLabelled(to)
}

// TestDestroyReplacedKey: who destroys a key never destroys the one that has
// taken its slot.
func TestDestroyReplacedKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	key := f.newLabelled("first")
	f.during("Remove", func() { other.replaceKey("first", "second") })
	want(t, "destroy", f.DestroyObject(f.h, key), CKR_OBJECT_HANDLE_INVALID)
	second := other.one(CKA_LABEL, "second")
	_, err := other.sign(CKM_ECDSA, second, digest32)
	want(t, "sign with the key of the other", err, CKR_OK)
}

// TestSignWithReplacedKey: a signature is by the key that it was begun with, or
// there is none. The same goes for a shared secret.
func TestSignWithReplacedKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	for _, c := range []struct {
		name, method string
		use          func(key uint) error
	}{
		{"C_Sign", "Sign", func(key uint) error { _, err := f.sign(CKM_ECDSA, key, digest32); return err }},
		{"C_SignFinal", "Sign", func(key uint) error { _, err := f.signParts(CKM_ECDSA_SHA256, key, digest32); return err }},
		{"C_DeriveKey", "Agree", func(key uint) error {
			_, err := f.derive(CKM_ECDH1_DERIVE, key, curves[scm.P256].raw(publicOn(t, scm.P256)))
			return err
		}},
	} {
		key := f.newLabelled(c.name)
		f.during(c.method, func() { other.replaceKey(c.name, "another") })
		want(t, c.name, c.use(key), CKR_FUNCTION_FAILED)
		want(t, c.name+" with the new key", c.use(f.one(CKA_LABEL, "another", zkSlot, 16)), CKR_OK)
		f.ok(f.DestroyObject(f.h, f.one(CKA_LABEL, "another")))
	}
}
