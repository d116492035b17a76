// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestChildThere: a child that is there is not derived a second time.
func TestChildThere(t *testing.T) {
	f := newFake(t)
	d := f.device()
	master := mustPlant(t, f, "w")
	first, chain, err := d.ChildKey(master, scm.Child{Index: 3, Hardened: true})
	if err != nil || len(chain) != 32 {
		t.Fatalf("chain code of %d bytes, %v", len(chain), err)
	}
	f.restarted = true
	again, chain, err := d.ChildKey(master, scm.Child{Index: 3, Hardened: true})
	if again != first || chain != nil || err != nil {
		t.Errorf("slot %d, then %d with a chain code of %d bytes, %v", first, again, len(chain), err)
	}
	if other, _, err := d.ChildKey(master, scm.Child{Index: 3}); other == first || err != nil {
		t.Errorf("the child that is not hardened: slot %d, %v", other, err)
	}
	if len(f.indices) != 2 {
		t.Errorf("derived %v", f.indices)
	}
}

func TestChildErrors(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	master := mustPlant(t, f, "w")
	for _, test := range []struct {
		parent scm.Slot
		index  uint32
		want   error
	}{
		{master, hardened, scm.ErrInput},
		{k.Slot, 0, scm.ErrInput},
		{0, 0, scm.ErrSlotRange},
		{-1, 0, scm.ErrSlotRange},
		{scm.LastUser + 1, 0, scm.ErrSlotRange},
		{scm.LastUser, 0, scm.ErrInput},
	} {
		_, _, err := d.ChildKey(test.parent, scm.Child{Index: test.index})
		wantError(t, err, test.want)
	}
	for n := range 4 { // slots, node, nodeSlot, child
		f.failures = append(make([]error, n), errTimeout, errTimeout, errTimeout)
		_, _, err := d.ChildKey(master, scm.Child{Index: 1})
		wantError(t, err, scm.ErrTimeout)
		f.failures = nil
	}
	if s, _, err := d.ChildKey(master, scm.Child{Index: 1}); err != nil || !hasKey(t, d, s) {
		t.Errorf("a child after all: slot %d, %v", s, err)
	}
}

func TestSlotOfNode(t *testing.T) {
	f := newFake(t)
	d := f.device()
	master := mustPlant(t, f, "w")
	f.restarted = true
	for _, test := range []struct {
		address, wallet string
		master, want    scm.Slot
	}{
		{"m", "w", -1, master},
		{"m", "", master, master},
		{"m/0", "w", -1, 0},
		{"m", "v", -1, 0},
	} {
		s, err := d.SlotOfNode(test.address, test.wallet, test.master)
		if test.want == 0 {
			wantError(t, err, scm.ErrSlotEmpty)
		} else if s != test.want || err != nil {
			t.Errorf("%+v: slot %d, %v", test, s, err)
		}
	}
	f.failures = []error{nil, errTimeout}
	_, err := d.SlotOfNode("m", "w", -1)
	wantError(t, err, scm.ErrTimeout)
}

// TestAllSlots: hidden keys are listed, slots that there cannot be are not.
func TestAllSlots(t *testing.T) {
	f := newFake(t)
	d := f.device()
	master := mustPlant(t, f, "w")
	k := mustGenerate(t, d, scm.P256)
	slots, err := d.Slots()
	if err != nil || len(slots) != scm.PermanentSlots+2 || !slices.IsSorted(slots) || !slices.Contains(slots, master) {
		t.Errorf("slots %v, %v", slots, err)
	}
	s, err := d.StoreForeign(scm.P256, k.Public)
	if err != nil {
		t.Fatal(err)
	}
	if foreign, err := d.ForeignSlots(); err != nil || !slices.Equal(foreign, []scm.Slot{s}) {
		t.Errorf("foreign slots %v, %v", foreign, err)
	}
}
