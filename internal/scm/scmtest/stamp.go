// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// stamps are those of one slot, each of which has to be a new one.
type stamps struct {
	t    *testing.T
	d    scm.Stamper
	slot scm.Slot
	seen map[uint64]string // after what
	last uint64
}

// newStamps skips the test for a device that is no Stamper.
func newStamps(t *testing.T, d scm.Device, slot scm.Slot) *stamps {
	t.Helper()
	stamper, ok := d.(scm.Stamper)
	if !ok {
		t.Skip("the device is no Stamper")
	}
	return &stamps{t: t, d: stamper, slot: slot, seen: make(map[uint64]string)}
}

// differ checks that the stamp is another one after what has happened.
func (s *stamps) differ(after string) {
	s.t.Helper()
	stamp := s.d.Stamp(s.slot)
	if stamp == 0 {
		s.t.Errorf("the stamp of slot %d is 0 after %s", s.slot, after)
	}
	if earlier, ok := s.seen[stamp]; ok {
		s.t.Errorf("slot %d has one stamp after %s and after %s", s.slot, earlier, after)
	}
	s.seen[stamp], s.last = after, stamp
}

// stay checks that the stamp is the last one still.
func (s *stamps) stay(after string) {
	s.t.Helper()
	if s.d.Stamp(s.slot) != s.last {
		s.t.Errorf("slot %d has another stamp after %s", s.slot, after)
	}
}

func testStamp(t *testing.T, d scm.Device) {
	s := newStamps(t, d, lowestFree(keys(t, d)))
	s.differ("nothing")
	for range 3 {
		k := generate(t, d, scm.P256)
		s.differ("Generate")
		checkSigns(t, d, k)
		keys(t, d)
		s.stay("Sign and Keys")
		if err := d.Remove(k); err != nil {
			t.Fatal(err)
		}
		s.differ("Remove")
	}
	stampVolatile(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if stamp := s.d.Stamp(s.slot); stamp != 0 {
		t.Errorf("the stamp is %d after Close", stamp)
	}
}

func stampVolatile(t *testing.T, d scm.Device) {
	v, ok := d.(scm.Volatile)
	if !ok {
		return
	}
	k, err := v.GenerateVolatile(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	s := newStamps(t, d, k.Slot)
	s.differ("GenerateVolatile")
	checkSigns(t, d, k)
	s.stay("Sign")
	h, heritable := d.(scm.Heritable)
	if !heritable {
		return
	}
	secret, err := h.VolatileSecret(k.Slot)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(k); err != nil {
		t.Fatal(err)
	}
	s.differ("Remove")
	if err := h.AdoptVolatile(k, secret); err != nil {
		t.Fatal(err)
	}
	s.differ("AdoptVolatile")
}

// sharedStamp checks that the stamps of b tell what a does.
func sharedStamp(t *testing.T, a, b scm.Device) {
	s := newStamps(t, b, lowestFree(keys(t, b)))
	s.differ("nothing")
	for range 2 {
		k := generate(t, a, scm.P256)
		s.differ("Generate by another")
		checkSame(t, b, k)
		if err := a.Remove(k); err != nil {
			t.Fatal(err)
		}
		s.differ("Remove by another")
	}
	sa, ok := a.(scm.Sealer)
	if !ok {
		return
	}
	seal(t, sa, []byte("stamped"))
	s.differ("Unseal by another")
}
