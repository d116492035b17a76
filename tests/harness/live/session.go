// SPDX-License-Identifier: Apache-2.0

package live

import (
	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// Public opens a session that may write and that nobody is logged in to.
func (k *Token) Public() pkcs11.SessionHandle {
	k.t.Helper()
	return k.open(pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION)
}

// ReadOnly opens a session that may not write token objects.
func (k *Token) ReadOnly() pkcs11.SessionHandle {
	k.t.Helper()
	return k.open(pkcs11.CKF_SERIAL_SESSION)
}

// User opens a session that may write and logs the user in.
func (k *Token) User() pkcs11.SessionHandle {
	k.t.Helper()
	s := k.Public()
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	return s
}

// Officer opens a session and logs the security officer in.
func (k *Token) Officer() pkcs11.SessionHandle {
	k.t.Helper()
	s := k.Public()
	k.OK(k.Login(s, pkcs11.CKU_SO, harness.SOPIN))
	return s
}

func (k *Token) open(flags uint) pkcs11.SessionHandle {
	k.t.Helper()
	s, err := k.OpenSession(0, flags)
	k.OK(err)
	return s
}

// Find returns all objects with the attributes.
func (k *Token) Find(s pkcs11.SessionHandle, template ...*pkcs11.Attribute) []pkcs11.ObjectHandle {
	k.t.Helper()
	k.OK(k.FindObjectsInit(s, template))
	var all []pkcs11.ObjectHandle
	for {
		some, _, err := k.FindObjects(s, 100)
		k.OK(err)
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	k.OK(k.FindObjectsFinal(s))
	return all
}

// One returns the only object with the attributes.
func (k *Token) One(s pkcs11.SessionHandle, template ...*pkcs11.Attribute) pkcs11.ObjectHandle {
	k.t.Helper()
	found := k.Find(s, template...)
	if len(found) != 1 {
		k.t.Fatalf("found %d objects, want one", len(found))
	}
	return found[0]
}

// Key returns one half of the key pair in a key slot: CKO_PRIVATE_KEY or
// CKO_PUBLIC_KEY.
func (k *Token) Key(s pkcs11.SessionHandle, class uint, slot int) pkcs11.ObjectHandle {
	k.t.Helper()
	return k.One(s, pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(CKA_ZK_SLOT, slot))
}

// Attr reads one attribute.
func (k *Token) Attr(s pkcs11.SessionHandle, o pkcs11.ObjectHandle, typ uint) []byte {
	k.t.Helper()
	a, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(typ, nil)})
	if err != nil {
		k.t.Fatalf("attribute 0x%x: %v", typ, err)
	}
	return a[0].Value
}

// Mechanism is a mechanism without a parameter, as the binding takes it.
func Mechanism(typ uint) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, nil)}
}
