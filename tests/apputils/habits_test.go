// SPDX-License-Identifier: Apache-2.0

package apputils_test

import "testing"

// TestHabits runs what the vendor's wrappers in other languages do with the library.
func TestHabits(t *testing.T) {
	t.Parallel()
	cmd := newHome(t).Command(compile(t, "testdata/habits.c"))
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestKeys runs a program for which it is an error to remove what is not there.
func TestKeys(t *testing.T) {
	t.Parallel()
	cmd := newHomeWith(t, "[soft]\nremove_empty = false\n").Command(compile(t, "testdata/keys.c"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
