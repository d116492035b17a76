// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/asn1"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// firstUser is the first key slot for keys of the user.
const firstUser = 16

func slotOf(t *testing.T, k *live.Token, s pkcs11.SessionHandle, o pkcs11.ObjectHandle) uint {
	t.Helper()
	return numberOf(t, k.Attr(s, o, live.CKA_ZK_SLOT))
}

// TestGenerate makes key pairs on every curve, named by OID and by name.
func TestGenerate(t *testing.T) {
	k := live.New(t)
	s := k.User()
	names := map[string]string{"P-256": "prime256v1", "secp256k1": "secp256k1", "Ed25519": "edwards25519", "X25519": "curve25519"}
	for _, c := range curves {
		byOID := c.params
		byName, err := asn1.MarshalWithParams(names[c.name], "printable")
		k.OK(err)
		for _, params := range [][]byte{byOID, byName} {
			c.params = params
			public, private := c.pair(t, k, s)
			for _, o := range []pkcs11.ObjectHandle{public, private} {
				has(t, k, s, o, attr(pkcs11.CKA_KEY_TYPE, c.keyType), attr(pkcs11.CKA_LOCAL, true),
					attr(pkcs11.CKA_KEY_GEN_MECHANISM, c.generate), attr(pkcs11.CKA_DESTROYABLE, true), attr(pkcs11.CKA_EC_PARAMS, params))
			}
			id := k.Attr(s, private, pkcs11.CKA_ID)
			has(t, k, s, public, attr(pkcs11.CKA_ID, id), attr(live.CKA_ZK_SLOT, slotOf(t, k, s, private)))
			if len(id) == 0 {
				t.Errorf("%s: no CKA_ID", c.name)
			}
			c.try(t, k, s, public, private)
		}
	}
}

// try signs and verifies with a key pair that can.
func (c *curve) try(t *testing.T, k *live.Token, s pkcs11.SessionHandle, public, private pkcs11.ObjectHandle) {
	t.Helper()
	has(t, k, s, private, attr(pkcs11.CKA_SIGN, c.sign != 0))
	has(t, k, s, public, attr(pkcs11.CKA_VERIFY, c.sign != 0))
	if c.sign == 0 {
		return
	}
	message := []byte("32 bytes: the hardware's for EdDSA")[:32]
	signature := k.Signed(s, c.sign, private, message)
	k.Want(c.name, k.Verified(s, c.sign, public, message, signature), pkcs11.CKR_OK)
}

// TestLowestSlot fills slots in order, and first those that became free.
func TestLowestSlot(t *testing.T) {
	k := live.New(t)
	s := k.User()
	var private [4]pkcs11.ObjectHandle
	for i := range private {
		_, private[i] = curves[i].pair(t, k, s)
		if slot := slotOf(t, k, s, private[i]); slot != firstUser+uint(i) {
			t.Errorf("key pair %d is in slot %d", i, slot)
		}
	}
	k.OK(k.DestroyObject(s, private[1]))
	if _, o := curves[0].pair(t, k, s); slotOf(t, k, s, o) != firstUser+1 {
		t.Error("the slot that became free was not used first")
	}
}

// TestSlotAsked puts key pairs where CKA_ZK_SLOT says. By the vendor's C API, which
// makes a key in a slot of its own choice, it is refused before there is a key.
func TestSlotAsked(t *testing.T) {
	k := live.New(t)
	s := k.User()
	before := k.Find(s)
	wanted := map[uint]pkcs11.Error{
		0: pkcs11.CKR_TEMPLATE_INCONSISTENT, 15: pkcs11.CKR_TEMPLATE_INCONSISTENT,
		528: pkcs11.CKR_ATTRIBUTE_VALUE_INVALID, 1 << 40: pkcs11.CKR_ATTRIBUTE_VALUE_INVALID,
	}
	for _, slot := range []uint{16, 100, 527} {
		wanted[slot] = pkcs11.CKR_TEMPLATE_INCONSISTENT // as it is taken
		if harness.OverVendor() {
			continue
		}
		if _, o := curves[0].pair(t, k, s, attr(live.CKA_ZK_SLOT, slot)); slotOf(t, k, s, o) != slot {
			t.Errorf("slot %d was asked for, the key is in another", slot)
		}
	}
	for slot, want := range wanted {
		_, _, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN),
			[]*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, live.P256)}, onToken(attr(live.CKA_ZK_SLOT, slot)))
		if live.RV(err) != want {
			t.Errorf("slot %d: %v, want %v", slot, live.RV(err), want)
		}
	}
	if harness.OverVendor() && len(k.Find(s)) != len(before) {
		t.Error("a key was made")
	}
}

// TestNamesOfPair gives names to one half, to none and to both.
func TestNamesOfPair(t *testing.T) {
	k := live.New(t)
	s := k.User()
	a, b := []byte("a"), []byte("b")
	for _, x := range []struct{ public, private, wantPublic, wantPrivate []byte }{
		{a, nil, a, a},
		{nil, b, b, b},
		{a, a, a, a},
		{a, b, a, b},
	} {
		public := []*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, live.P256), attr(pkcs11.CKA_TOKEN, true)}
		private := onToken()
		if x.public != nil {
			public = append(public, attr(pkcs11.CKA_ID, x.public))
		}
		if x.private != nil {
			private = append(private, attr(pkcs11.CKA_ID, x.private))
		}
		p, q, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), public, private)
		k.OK(err)
		if !bytes.Equal(k.Attr(s, p, pkcs11.CKA_ID), x.wantPublic) || !bytes.Equal(k.Attr(s, q, pkcs11.CKA_ID), x.wantPrivate) {
			t.Errorf("asked for %q and %q, got others", x.public, x.private)
		}
	}
}

// TestGenerateNeedsLogin has everyone but the user fail to make keys.
func TestGenerateNeedsLogin(t *testing.T) {
	k := live.New(t)
	generate := func(s pkcs11.SessionHandle, private []*pkcs11.Attribute) error {
		_, _, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), []*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, live.P256)}, private)
		return err
	}
	ro := k.ReadOnly()
	k.Want("nobody", generate(k.Public(), onToken()), pkcs11.CKR_USER_NOT_LOGGED_IN)
	k.OK(k.Login(ro, pkcs11.CKU_USER, "12345678"))
	k.Want("read-only session, key on the token", generate(ro, onToken()), pkcs11.CKR_SESSION_READ_ONLY)
	k.Want("read-only session, session key", generate(ro, nil), pkcs11.CKR_OK)
	k.OK(k.CloseAllSessions(0))
	k.Want("security officer", generate(k.Officer(), onToken()), pkcs11.CKR_USER_NOT_LOGGED_IN)
}

// TestSessionKeyPair makes a key pair that goes with its session.
func TestSessionKeyPair(t *testing.T) {
	k := live.New(t)
	stays, s := k.User(), k.Public()
	public, private, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), []*pkcs11.Attribute{attr(pkcs11.CKA_EC_PARAMS, live.P256)}, nil)
	k.OK(err)
	has(t, k, s, private, attr(pkcs11.CKA_TOKEN, false))
	curves[0].try(t, k, s, public, private)
	k.OK(k.CloseSession(s))
	for _, o := range []pkcs11.ObjectHandle{public, private} {
		_, err := k.GetAttributeValue(stays, o, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, nil)})
		k.Want("a half of it afterwards", err, pkcs11.CKR_OBJECT_HANDLE_INVALID)
	}
	if n := len(k.Find(stays, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))); n != permanent {
		t.Errorf("%d private keys, want the permanent ones", n)
	}
}

// TestDestroyPair destroys the halves of a pair one after the other.
func TestDestroyPair(t *testing.T) {
	k := live.New(t)
	s := k.User()
	public, _ := curves[0].pair(t, k, s)
	k.OK(k.Logout(s))
	k.Want("the public half, by nobody", k.DestroyObject(s, public), live.CKR_ACTION_PROHIBITED)
	k.OK(k.Login(s, pkcs11.CKU_USER, "12345678"))
	private := k.Key(s, pkcs11.CKO_PRIVATE_KEY, firstUser)
	k.OK(k.DestroyObject(s, public))
	signature := k.Signed(s, pkcs11.CKM_ECDSA_SHA256, private, []byte("still there"))
	if len(signature) != 64 {
		t.Errorf("%d bytes", len(signature))
	}
	k.OK(k.DestroyObject(s, private))
	public, private = curves[0].pair(t, k, s)
	signature = k.Signed(s, pkcs11.CKM_ECDSA_SHA256, private, []byte("goes first"))
	k.OK(k.DestroyObject(s, private))
	k.Want("the public half alone", k.Verified(s, pkcs11.CKM_ECDSA_SHA256, public, []byte("goes first"), signature), pkcs11.CKR_OK)
	k.OK(k.DestroyObject(s, public))
	if n := len(k.Find(s, attr(pkcs11.CKA_TOKEN, true))); n != 2*permanent+profiles {
		t.Errorf("%d token objects, want both halves of the permanent keys and the profiles", n)
	}
}
