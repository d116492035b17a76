// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"maps"
	"testing"
)

// TestStoreForm checks the bytes: they must be the same on every machine.
func TestStoreForm(t *testing.T) {
	a := attributes{
		CKA_CLASS:              encodeULong(CKO_PUBLIC_KEY),
		CKA_KEY_GEN_MECHANISM:  encodeULong(CK_UNAVAILABLE_INFORMATION),
		CKA_ALLOWED_MECHANISMS: append(encodeULong(CKM_ECDSA), encodeULong(CKM_ECDSA_SHA256)...),
		CKA_TOKEN:              yes,
		CKA_LABEL:              []byte("eight by"),
		CKA_START_DATE:         empty,
	}
	stored := toStore(a)
	for x, v := range map[uint64]string{
		CKA_CLASS:              "\x02\x00\x00\x00\x00\x00\x00\x00",
		CKA_KEY_GEN_MECHANISM:  "\xff\xff\xff\xff\xff\xff\xff\xff",
		CKA_ALLOWED_MECHANISMS: "\x41\x10\x00\x00\x00\x00\x00\x00\x44\x10\x00\x00\x00\x00\x00\x00",
		CKA_TOKEN:              "\x01",
		CKA_LABEL:              "eight by",
		CKA_START_DATE:         "",
	} {
		if got := stored[x]; string(got) != v {
			t.Errorf("%s is stored as %x, want %x", AttributeName(uint(x)), got, v)
		}
	}
	if back := fromStore(stored); !maps.EqualFunc(back, a, bytes.Equal) {
		t.Errorf("read back as %x", back)
	}
}

// TestStoreFormEveryAttribute stores and reads a value of each attribute.
func TestStoreFormEveryAttribute(t *testing.T) {
	a := attributes{}
	for x, rule := range allRules {
		a[x] = rule.sample(true)
	}
	if back := fromStore(toStore(a)); !maps.EqualFunc(back, a, bytes.Equal) {
		t.Errorf("read back as %x, want %x", back, a)
	}
}
