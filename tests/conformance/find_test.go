// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// TestFindByAny finds an object by each of its attributes, alone and together
// with its class and label.
func TestFindByAny(t *testing.T) {
	k := live.New(t)
	s := k.User()
	objects := map[string]pkcs11.ObjectHandle{
		"data": data(t, k, s, attr(pkcs11.CKA_LABEL, "d"), attr(pkcs11.CKA_APPLICATION, "a"), attr(pkcs11.CKA_VALUE, "v")),
		"key":  k.Key(s, pkcs11.CKO_PRIVATE_KEY, 7),
	}
	o, err := k.CreateObject(s, certificateObject(certificate(t, "found"), attr(pkcs11.CKA_ID, "certificate")))
	k.OK(err)
	objects["certificate"] = o
	types := []uint{
		pkcs11.CKA_CLASS, pkcs11.CKA_TOKEN, pkcs11.CKA_PRIVATE, pkcs11.CKA_LABEL, pkcs11.CKA_APPLICATION, pkcs11.CKA_VALUE, pkcs11.CKA_ID,
		pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKA_SUBJECT, pkcs11.CKA_CHECK_VALUE, pkcs11.CKA_PUBLIC_KEY_INFO, pkcs11.CKA_KEY_TYPE, pkcs11.CKA_SIGN,
		pkcs11.CKA_SENSITIVE, pkcs11.CKA_EC_PARAMS, pkcs11.CKA_EC_POINT, pkcs11.CKA_LOCAL, pkcs11.CKA_DESTROYABLE, live.CKA_UNIQUE_ID, live.CKA_ZK_SLOT,
	}
	for name, o := range objects {
		found := 0
		for _, typ := range types {
			a, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{attr(typ, nil)})
			if err != nil {
				continue // the object does not have it, or keeps it secret
			}
			found++
			if !slices.Contains(k.Find(s, a...), o) {
				t.Errorf("%s is not found by attribute 0x%x alone", name, typ)
			}
			narrow := append(a, attr(pkcs11.CKA_CLASS, k.Attr(s, o, pkcs11.CKA_CLASS)), attr(pkcs11.CKA_LABEL, k.Attr(s, o, pkcs11.CKA_LABEL)))
			if typ != pkcs11.CKA_CLASS && typ != pkcs11.CKA_LABEL && !slices.Contains(k.Find(s, narrow...), o) {
				t.Errorf("%s is not found by attribute 0x%x among others", name, typ)
			}
		}
		if found < 8 {
			t.Errorf("%s has %d of the attributes only", name, found)
		}
	}
}

// TestFindNothing has searches that must find nothing, and no error either.
func TestFindNothing(t *testing.T) {
	k := live.New(t)
	s := k.ReadOnly()
	for name, template := range map[string][]*pkcs11.Attribute{
		"an unknown attribute":        {attr(0x7ffffffe, "x")},
		"a class of none":             {attr(pkcs11.CKA_CLASS, pkcs11.CKO_DOMAIN_PARAMETERS)},
		"a profile that it has not":   {attr(pkcs11.CKA_CLASS, live.CKO_PROFILE), attr(live.CKA_PROFILE_ID, live.CKP_COMPLETE_PROVIDER)},
		"a trust":                     {attr(pkcs11.CKA_CLASS, live.CKO_TRUST), attr(pkcs11.CKA_TOKEN, true)},
		"a validation":                {attr(pkcs11.CKA_CLASS, live.CKO_VALIDATION), attr(pkcs11.CKA_TOKEN, true)},
		"a vendor's class":            {attr(pkcs11.CKA_CLASS, uint(pkcs11.CKO_VENDOR_DEFINED|0x4E534350))},
		"a class of one byte":         {attr(pkcs11.CKA_CLASS, []byte{3})},
		"a class of no bytes":         {attr(pkcs11.CKA_CLASS, []byte{})},
		"attributes of two objects":   {attr(live.CKA_ZK_SLOT, 0), attr(pkcs11.CKA_ID, []byte{1})},
		"one attribute of two values": {attr(pkcs11.CKA_ID, []byte{0}), attr(pkcs11.CKA_ID, []byte{1})},
		"private keys of nobody":      {attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)},
		"the start of a label":        {attr(pkcs11.CKA_LABEL, "SCM slot")},
	} {
		if err := k.FindObjectsInit(s, template); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found, _, err := k.FindObjects(s, 10)
		if err != nil || len(found) != 0 {
			t.Errorf("%s: %d objects, %v", name, len(found), err)
		}
		k.OK(k.FindObjectsFinal(s))
	}
}

// TestFindTwice gives one attribute twice with the same value.
func TestFindTwice(t *testing.T) {
	k := live.New(t)
	s := k.ReadOnly()
	k.One(s, attr(pkcs11.CKA_ID, []byte{3}), attr(pkcs11.CKA_ID, []byte{3}))
}

// TestFindInBatches reads the objects of a search in batches of all sizes.
func TestFindInBatches(t *testing.T) {
	k := live.New(t)
	s := k.User()
	for _, batch := range []int{1, 2, 7, 31, 32, 33, 1000} {
		k.OK(k.FindObjectsInit(s, nil))
		seen := map[pkcs11.ObjectHandle]bool{}
		for {
			some, _, err := k.FindObjects(s, batch)
			k.OK(err)
			if len(some) == 0 {
				break
			}
			if len(some) > batch {
				t.Errorf("%d objects in a batch of %d", len(some), batch)
			}
			for _, o := range some {
				seen[o] = true
			}
		}
		k.OK(k.FindObjectsFinal(s))
		if all := 2*permanent + profiles; len(seen) != all {
			t.Errorf("in batches of %d: %d objects, want %d", batch, len(seen), all)
		}
	}
}

// TestFindWhileChanging makes and destroys objects during a search, which must
// go on: what it has found is either still there or not.
func TestFindWhileChanging(t *testing.T) {
	k := live.New(t)
	s, other := k.User(), k.Public()
	label := attr(pkcs11.CKA_LABEL, "changing")
	var made []pkcs11.ObjectHandle
	for range 20 {
		made = append(made, data(t, k, other, label))
	}
	k.OK(k.FindObjectsInit(s, []*pkcs11.Attribute{label}))
	for i := range made {
		some, _, err := k.FindObjects(s, 1)
		k.OK(err)
		if len(some) != 1 {
			t.Fatalf("the search ends after %d of %d objects", i, len(made))
		}
		_, err = k.GetAttributeValue(s, some[0], []*pkcs11.Attribute{label})
		if rv := live.RV(err); rv != pkcs11.CKR_OK && rv != pkcs11.CKR_OBJECT_HANDLE_INVALID {
			t.Errorf("an object of the search: %v", err)
		}
		k.OK(k.DestroyObject(other, made[len(made)-1-i]))
		data(t, k, other, attr(pkcs11.CKA_LABEL, fmt.Sprint("new ", i)))
	}
	k.OK(k.FindObjectsFinal(s))
	if n := len(k.Find(s, label)); n != 0 {
		t.Errorf("%d objects are left of those destroyed", n)
	}
}
