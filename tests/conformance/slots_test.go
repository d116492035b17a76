// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// permanent is how many key slots come with an SCM; the last two are Ed25519.
const permanent = 16

// profiles is how many profile objects a token has.
const profiles = 3

var halves = []uint{pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_PRIVATE_KEY}

func attr(typ uint, value any) *pkcs11.Attribute { return pkcs11.NewAttribute(typ, value) }

// TestPermanentSlots checks what every new SCM shows of its key slots.
func TestPermanentSlots(t *testing.T) {
	k := live.New(t)
	s := k.User()
	for slot := range permanent {
		keyType, params := uint(pkcs11.CKK_EC), live.P256
		if slot >= 14 {
			keyType, params = live.CKK_EC_EDWARDS, live.Ed25519
		}
		for _, class := range halves {
			o := k.Key(s, class, slot)
			common := []*pkcs11.Attribute{
				attr(pkcs11.CKA_CLASS, class), attr(pkcs11.CKA_KEY_TYPE, keyType), attr(pkcs11.CKA_EC_PARAMS, params),
				attr(pkcs11.CKA_LABEL, fmt.Sprintf("SCM slot %d", slot)), attr(pkcs11.CKA_ID, []byte{byte(slot)}),
				attr(live.CKA_ZK_SLOT, slot), attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LOCAL, true),
				attr(pkcs11.CKA_PRIVATE, class == pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_DESTROYABLE, false),
				attr(pkcs11.CKA_MODIFIABLE, true), attr(pkcs11.CKA_START_DATE, []byte{}), attr(pkcs11.CKA_SUBJECT, []byte{}),
			}
			has(t, k, s, o, common...)
			k.Want("C_DestroyObject", k.DestroyObject(s, o), live.CKR_ACTION_PROHIBITED)
		}
		has(t, k, s, k.Key(s, pkcs11.CKO_PRIVATE_KEY, slot),
			attr(pkcs11.CKA_SENSITIVE, true), attr(pkcs11.CKA_ALWAYS_SENSITIVE, true), attr(pkcs11.CKA_EXTRACTABLE, false),
			attr(pkcs11.CKA_NEVER_EXTRACTABLE, true), attr(pkcs11.CKA_SIGN, true), attr(pkcs11.CKA_ALWAYS_AUTHENTICATE, false))
		has(t, k, s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, slot), attr(pkcs11.CKA_VERIFY, true), attr(pkcs11.CKA_TRUSTED, false))
	}
}

// has checks attributes of an object.
func has(t *testing.T, k *live.Token, s pkcs11.SessionHandle, o pkcs11.ObjectHandle, want ...*pkcs11.Attribute) {
	t.Helper()
	for _, a := range want {
		if got := k.Attr(s, o, a.Type); !bytes.Equal(got, a.Value) {
			t.Errorf("object %d: attribute 0x%x is %x, want %x", o, a.Type, got, a.Value)
		}
	}
}

// TestPublicWithoutLogin lists what a program sees that has no PIN.
func TestPublicWithoutLogin(t *testing.T) {
	k := live.New(t)
	s := k.ReadOnly()
	if n := len(k.Find(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY))); n != permanent {
		t.Errorf("%d public keys, want %d", n, permanent)
	}
	if n := len(k.Find(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))); n != 0 {
		t.Errorf("%d private keys without a login", n)
	}
	k.OK(k.Login(s, pkcs11.CKU_USER, "12345678"))
	if n := len(k.Find(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))); n != permanent {
		t.Errorf("%d private keys, want %d", n, permanent)
	}
}

// TestPublicKeyInfo parses CKA_PUBLIC_KEY_INFO of both halves, compares it with
// CKA_EC_POINT, and has it verify a signature of the slot.
func TestPublicKeyInfo(t *testing.T) {
	k := live.New(t)
	s := k.User()
	for slot := range permanent {
		private := k.Key(s, pkcs11.CKO_PRIVATE_KEY, slot)
		info := k.Attr(s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, slot), pkcs11.CKA_PUBLIC_KEY_INFO)
		has(t, k, s, private, attr(pkcs11.CKA_PUBLIC_KEY_INFO, info))
		key, err := x509.ParsePKIXPublicKey(info)
		if err != nil {
			t.Fatalf("slot %d: %v", slot, err)
		}
		for _, class := range halves {
			if p := point(t, k.Attr(s, k.Key(s, class, slot), pkcs11.CKA_EC_POINT)); !bytes.Equal(p, bytesOf(t, key)) {
				t.Errorf("slot %d: CKA_EC_POINT %x is not the key of CKA_PUBLIC_KEY_INFO", slot, p)
			}
		}
		if !signs(t, k, s, private, key) {
			t.Errorf("slot %d: its signature is not one of its public key", slot)
		}
	}
}

// point takes the OCTET STRING off.
func point(t *testing.T, der []byte) []byte {
	t.Helper()
	var p []byte
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		t.Fatalf("CKA_EC_POINT %x: %v", der, err)
	}
	return p
}

func bytesOf(t *testing.T, key any) []byte {
	t.Helper()
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		b, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	case ed25519.PublicKey:
		return key
	}
	t.Fatalf("a key of type %T", key)
	return nil
}

// signs has a private key sign, and reports whether the standard library verifies that.
func signs(t *testing.T, k *live.Token, s pkcs11.SessionHandle, private pkcs11.ObjectHandle, public any) bool {
	t.Helper()
	digest := sha256.Sum256([]byte("signed in a slot"))
	if key, ok := public.(ed25519.PublicKey); ok {
		return ed25519.Verify(key, digest[:], k.Signed(s, live.CKM_EDDSA, private, digest[:]))
	}
	signature := k.Signed(s, pkcs11.CKM_ECDSA, private, digest[:])
	return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest[:], derOf(t, signature))
}
