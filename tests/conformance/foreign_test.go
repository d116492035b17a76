// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// TestForeignKeys fills the foreign slots with public keys of others, finds them
// again after C_Initialize, and removes one.
func TestForeignKeys(t *testing.T) {
	k := live.New(t)
	s := k.User()
	const n = 5
	for range n {
		private, err := ecdh.P256().GenerateKey(rand.Reader)
		k.OK(err)
		_, err = k.CreateObject(s, append(live.PublicKey(pkcs11.CKK_EC, live.P256, private.PublicKey().Bytes()),
			attr(live.CKA_ZK_FOREIGN, true), attr(pkcs11.CKA_LABEL, "peer")))
		k.OK(err)
	}
	k.OK(k.Finalize())
	k.OK(k.Initialize())
	s = k.User()
	if found := k.Find(s, attr(live.CKA_ZK_FOREIGN, true), attr(pkcs11.CKA_LABEL, "peer"), attr(pkcs11.CKA_TOKEN, true)); len(found) != n {
		t.Errorf("%d foreign keys, want %d", len(found), n)
	}
	k.OK(k.DestroyObject(s, k.One(s, attr(live.CKA_ZK_FOREIGN, true), attr(live.CKA_ZK_SLOT, 2))))
	if found := k.Find(s, attr(live.CKA_ZK_FOREIGN, true)); len(found) != n-1 {
		t.Errorf("%d foreign keys, want %d", len(found), n-1)
	}
	if found := k.Find(s, attr(live.CKA_ZK_FOREIGN, false)); len(found) != 16 {
		t.Errorf("%d public keys in key slots, want 16", len(found))
	}
}

// TestForeignKeysFull: there is room for 128, and one that is too many says so.
func TestForeignKeysFull(t *testing.T) {
	k := live.New(t)
	s := k.User()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	k.OK(err)
	template := append(live.PublicKey(pkcs11.CKK_EC, live.P256, private.PublicKey().Bytes()), attr(live.CKA_ZK_FOREIGN, true))
	for range 128 {
		_, err = k.CreateObject(s, template)
		k.OK(err)
	}
	_, err = k.CreateObject(s, template)
	k.Want("C_CreateObject", err, pkcs11.CKR_DEVICE_MEMORY)
}
