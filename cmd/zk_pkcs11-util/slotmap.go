// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"

	"libzk_pkcs11/internal/scm"
)

// occupancy is what the key slots of an SCM hold, a mark each.
type occupancy struct {
	marks []byte // by slot
	total int    // how many slots there are
}

// Marks of key slots.
const (
	markFree  = '.'
	markKnown = "PKEX" // by curve
	markOther = '#'    // in use; the public key is not given away
)

// legend explains the marks.
const legend = "P nistp256  K secp256k1  E ed25519  X x25519  # hidden  . free"

// newOccupancy marks the slots in use, of some of which the keys are known.
func newOccupancy(used []scm.Slot, keys []scm.Key, userSlots int) occupancy {
	o := occupancy{total: scm.PermanentSlots + userSlots}
	o.marks = []byte(strings.Repeat(string(markFree), o.total))
	for _, s := range used {
		o.markSlot(s, markOther)
	}
	for _, k := range keys {
		if k.Curve >= 0 && int(k.Curve) < len(markKnown) {
			o.markSlot(k.Slot, markKnown[k.Curve])
		}
	}
	return o
}

// markSlot leaves slots out that a smaller SCM had while it was larger.
func (o occupancy) markSlot(s scm.Slot, m byte) {
	if s >= 0 && int(s) < len(o.marks) {
		o.marks[s] = m
	}
}

// The map has a row for the permanent slots, then rows of rowSize, in groups of
// groupSize: 79 columns at most.
const (
	rowSize   = 64
	groupSize = 8
)

// drawMap prints the map. Rows without a key become one line.
func (o occupancy) drawMap(w io.Writer) {
	drawn := 0 // up to which slot
	for from, to := 0, scm.PermanentSlots; from < o.total; from, to = to, min(to+rowSize, o.total) {
		row := o.marks[from:to]
		if strings.Trim(string(row), string(markFree)) == "" {
			continue
		}
		drawFree(w, drawn, from)
		fmt.Fprintf(w, "%5d  %s\n", from, grouped(row))
		drawn = to
	}
	drawFree(w, drawn, o.total)
	fmt.Fprintf(w, "       %s\n", legend)
}

// drawFree prints the line of rows without a key, if there are some.
func drawFree(w io.Writer, first, end int) {
	if first < end {
		fmt.Fprintf(w, "%5d  free up to %d\n", first, end-1)
	}
}

func grouped(row []byte) string {
	var groups []string
	for len(row) > 0 {
		n := min(groupSize, len(row))
		groups, row = append(groups, string(row[:n])), row[n:]
	}
	return strings.Join(groups, " ")
}
