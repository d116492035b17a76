// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"
)

func TestUlong(t *testing.T) {
	for _, v := range []uint{0, 1, 258, 1 << 31, CK_UNAVAILABLE_INFORMATION} {
		if got, ok := decodeULong(encodeULong(v)); !ok || got != v {
			t.Errorf("%d is read as %d, %v", v, got, ok)
		}
	}
	for _, size := range []int{0, 1, ulongSize - 1, ulongSize + 1} {
		if _, ok := decodeULong(make([]byte, size)); ok {
			t.Errorf("%d bytes are taken for a CK_ULONG", size)
		}
	}
}

func TestAttributesAccess(t *testing.T) {
	a := attributes{
		CKA_TOKEN: yes, CKA_PRIVATE: no, CKA_SIGN: {}, CKA_VERIFY: {1, 1},
		CKA_CLASS: encodeULong(CKO_DATA), CKA_VALUE_LEN: {1},
	}
	for _, c := range []struct {
		attribute uint
		is        bool
	}{{CKA_TOKEN, true}, {CKA_PRIVATE, false}, {CKA_SIGN, false}, {CKA_VERIFY, false}, {CKA_DERIVE, false}} {
		if a.isTrue(c.attribute) != c.is {
			t.Errorf("%s is %v", AttributeName(c.attribute), !c.is)
		}
	}
	for _, c := range []struct{ attribute, number uint }{
		{CKA_CLASS, CKO_DATA}, {CKA_VALUE_LEN, CK_UNAVAILABLE_INFORMATION}, {CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION},
	} {
		if got := a.number(c.attribute); got != c.number {
			t.Errorf("%s is %d, want %d", AttributeName(c.attribute), got, c.number)
		}
	}
}

func TestWithAndFill(t *testing.T) {
	a := attributes{CKA_LABEL: []byte("a"), CKA_ID: []byte("a")}
	b := attributes{CKA_ID: []byte("b"), CKA_URL: []byte("b")}
	joined := a.withAll(b)
	if string(joined[CKA_LABEL])+string(joined[CKA_ID])+string(joined[CKA_URL]) != "abb" {
		t.Errorf("with: %x", joined)
	}
	if len(a) != 2 || string(a[CKA_ID]) != "a" {
		t.Errorf("with changed its receiver to %x", a)
	}
	a.addMissing(b)
	if string(a[CKA_LABEL])+string(a[CKA_ID])+string(a[CKA_URL]) != "aab" {
		t.Errorf("fill: %x", a)
	}
}

func TestTemplate(t *testing.T) {
	memory := []byte("label")
	a, err := template([]Attribute{{CKA_LABEL, memory}, {CKA_ID, nil}})
	ok(t, err)
	memory[0] = 'L'
	if !bytes.Equal(a[CKA_LABEL], []byte("label")) {
		t.Error("the template shares the caller's memory")
	}
	if v, there := a[CKA_ID]; !there || v == nil {
		t.Error("an empty attribute is not there")
	}
	a, err = template(is(CKA_ID, "1", CKA_LABEL, "x", CKA_ID, "1"))
	want(t, "the same value twice", err, CKR_OK)
	if len(a) != 2 {
		t.Errorf("the same value twice makes %d attributes, want 2", len(a))
	}
	_, err = template(is(CKA_ID, "1", CKA_LABEL, "x", CKA_ID, "2"))
	want(t, "two values", codeOf(err), CKR_TEMPLATE_INCONSISTENT)
}
