// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// slotRange lists the slots from one to another.
func slotRange(from, to scm.Slot) (all []scm.Slot) {
	for s := from; s <= to; s++ {
		all = append(all, s)
	}
	return all
}

func TestSlotMap(t *testing.T) {
	permanent := []scm.Key{{Slot: 0, Curve: scm.P256}, {Slot: 15, Curve: scm.Ed25519}}
	for _, test := range []struct {
		name      string
		used      []scm.Slot
		keys      []scm.Key
		userSlots int
		want      []string
	}{
		{"nothing", nil, nil, scm.UserSlots, []string{"    0  free up to 527"}},
		{
			"permanent slots", slotRange(0, 15), permanent, scm.UserSlots,
			[]string{"    0  P####### #######E", "   16  free up to 527"},
		},
		{
			"holes", []scm.Slot{0, 15, 17, 300}, append(permanent, scm.Key{Slot: 300, Curve: scm.Secp256k1}), scm.UserSlots,
			[]string{
				"    0  P....... .......E",
				"   16  .#...... ........ ........ ........ ........ ........ ........ ........",
				"   80  free up to 271",
				"  272  ........ ........ ........ ....K... ........ ........ ........ ........",
				"  336  free up to 527",
			},
		},
		{
			"the last slot", []scm.Slot{527}, []scm.Key{{Slot: 527, Curve: scm.X25519}}, scm.UserSlots,
			[]string{
				"    0  free up to 463",
				"  464  ........ ........ ........ ........ ........ ........ ........ .......X",
			},
		},
		{
			"a small SCM that was larger", []scm.Slot{16, 25, 40}, nil, 10,
			[]string{"    0  free up to 15", "   16  #....... .#"},
		},
		{
			"slots that are in no map", []scm.Slot{scm.EphemeralSlot, 5000}, []scm.Key{{Slot: 3, Curve: 99}}, 0,
			[]string{"    0  free up to 15"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			newOccupancy(test.used, test.keys, test.userSlots).drawMap(&out)
			want := strings.Join(append(test.want, "       "+legend), "\n") + "\n"
			if out.String() != want {
				t.Errorf("got\n%swant\n%s", &out, want)
			}
		})
	}
}

func TestSlotMapFitsATerminal(t *testing.T) {
	var out strings.Builder
	newOccupancy(slotRange(0, scm.LastUser), nil, scm.UserSlots).drawMap(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 10 {
		t.Errorf("%d lines, want 9 rows and the legend", len(lines))
	}
	for _, line := range lines {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}
