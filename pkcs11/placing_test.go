// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"reflect"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// TestPlacedOnce: the public half of a pair is one session object, however often the store
// has the records written.
func TestPlacedOnce(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	s, err := f.findSession(f.h)
	ok(t, err)
	r, err := s.pairRequest(CKK_EC, append(is(CKA_EC_PARAMS, curves[scm.P256].encodeParams()), is(CKA_TOKEN, false)...), is(onToken...))
	ok(t, err)
	draft, err := f.device.Draft(scm.P256)
	ok(t, err)
	p := &placing{session: s, request: r, device: f.device, draft: draft}
	for range 2 {
		_, err = f.store.Update(func(tx *store.Tx) error {
			_, err := p.prepare(tx)
			return err
		})
		ok(t, err)
	}
	f.reads(f.one(CKA_TOKEN, false), CKA_CLASS, CKO_PUBLIC_KEY)
}

// TestAskedSlotIsRemembered: what the store remembers of a key that its slot has lost gives way
// to a key that comes there, with a line in the log, and to none that does not.
func TestAskedSlotIsRemembered(t *testing.T) {
	softOnly(t, noPlace)
	asking := append([]any{zkSlot, 16}, onToken...)
	for _, failing := range []error{scm.ErrFull, nil} {
		f := newUser(t)
		f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_LABEL, "lost"}, []any{CKA_TOKEN, true, CKA_LABEL, "lost"})
		before := f.records()
		ok(t, f.device.Remove(scm.Key{Slot: 16}))
		f.device.Fail("Place", 1, failing)
		_, _, err := f.tryPair(scm.P256, onToken, asking)
		lines := 0
		if failing == nil {
			ok(t, err)
			lines = 1
		} else {
			want(t, "generate", err, CKR_DEVICE_MEMORY)
		}
		if n := f.log.count("is given up"); n != lines {
			t.Errorf("with %v: %d lines, want %d: %q", failing, n, lines, f.log.list)
		}
		now := f.records()
		if len(now) != 2 {
			t.Fatalf("with %v: %d records", failing, len(now))
		}
		if same := bytes.Equal(now[0].Public, before[0].Public); same != (failing != nil) {
			t.Errorf("with %v: the records are of the key that was there: %t", failing, same)
		}
		for i := range now {
			same := reflect.DeepEqual(now[i].Attributes, before[i].Attributes) && now[i].Sealed == before[i].Sealed
			if failing != nil && !same {
				t.Errorf("%+v is back as %+v", before[i], now[i])
			}
		}
	}
}
