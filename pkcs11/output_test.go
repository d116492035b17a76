// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"
)

func TestOutput(t *testing.T) {
	list := []uint{7, 8, 9}
	for _, c := range []struct {
		name   string
		room   int // -1: no buffer
		values []uint
		code   Error
		length uint
	}{
		{"size", -1, list, CKR_OK, 3},
		{"size of nothing", -1, nil, CKR_OK, 0},
		{"no room", 0, list, CKR_BUFFER_TOO_SMALL, 3},
		{"too small", 2, list, CKR_BUFFER_TOO_SMALL, 3},
		{"exact", 3, list, CKR_OK, 3},
		{"larger", 5, list, CKR_OK, 3},
		{"nothing", 0, nil, CKR_OK, 0},
	} {
		length := uint(99)
		out := Output[uint]{Length: &length}
		if c.room >= 0 {
			out.Buffer = make([]uint, c.room)
		}
		want(t, c.name, out.writeResult(c.values), c.code)
		if length != c.length {
			t.Errorf("%s: length %d, want %d", c.name, length, c.length)
		}
		written := slices.ContainsFunc(out.Buffer, func(v uint) bool { return v != 0 })
		if written != (c.code == CKR_OK && c.room >= len(c.values) && len(c.values) > 0) {
			t.Errorf("%s: the buffer is %v", c.name, out.Buffer)
		}
	}
	want(t, "no length", Output[uint]{Buffer: list}.writeResult(list), CKR_ARGUMENTS_BAD)
}

// TestOutputReadySaysNothingYet: the length is written when the result is, so
// that a failure in between leaves what the caller had.
func TestOutputReadySaysNothingYet(t *testing.T) {
	out, _ := buffer(8)
	if ready, err := out.isWanted(4); !ready || err != nil || *out.Length != 8 {
		t.Errorf("ready %v, %v, length %d", ready, err, *out.Length)
	}
	out.copyResult([]byte("four"))
	if *out.Length != 4 {
		t.Errorf("length %d after put, want 4", *out.Length)
	}
}
