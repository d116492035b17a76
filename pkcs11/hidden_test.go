// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"
)

// TestHidden uses session objects whose value is masked as if it were not.
func TestHidden(t *testing.T) {
	f := newUser(t)
	for name, template := range map[string][]any{
		"data": {CKA_CLASS, CKO_DATA, CKA_PRIVATE, true},
		"key":  {CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := f.CreateObject(f.h, is(append(template, CKA_VALUE, "first value", CKA_LABEL, name)...))
			ok(t, err)
			if o := f.object(h); o.hidden == nil || o.attrs[CKA_VALUE] != nil {
				t.Error("the value is in the clear")
			}
			f.reads(h, CKA_VALUE, "first value")
			copied, err := f.CopyObject(f.h, h, is(CKA_LABEL, "copy"))
			ok(t, err)
			f.reads(copied, CKA_VALUE, "first value")
			if found := f.search(CKA_VALUE, "first value"); !slices.Contains(found, h) || !slices.Contains(found, copied) {
				t.Errorf("found %d, not %d and %d", found, h, copied)
			}
			ok(t, f.SetAttributeValue(f.h, h, is(CKA_LABEL, "another")))
			f.reads(h, CKA_VALUE, "first value")
			if found := f.search(CKA_VALUE, "first", CKA_LABEL, "another"); len(found) != 0 {
				t.Errorf("found %d by another value", found)
			}
			ok(t, f.DestroyObject(f.h, copied))
			ok(t, f.DestroyObject(f.h, h))
		})
	}
}

// TestHiddenChange gives a masked value another one.
func TestHiddenChange(t *testing.T) {
	f := newUser(t)
	h, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_PRIVATE, true, CKA_VALUE, "before"))
	ok(t, err)
	ok(t, f.SetAttributeValue(f.h, h, is(CKA_VALUE, "after")))
	f.reads(h, CKA_VALUE, "after")
	if o := f.object(h); o.attrs[CKA_VALUE] != nil {
		t.Error("the value is in the clear")
	}
}
