// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestSyncs counts how often a change of a key pair waits for the disk: once to make a change
// of a file durable, and two times more where what was erased leaves the log of a file.
func TestSyncs(t *testing.T) {
	harness.SoftOnly(t, harness.NoPlace)
	p := build(t)
	home := newToken(t)
	c, err := p.user(home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.do("pair first"); err != nil { // which finds files as others have left them
		t.Fatal(err)
	}
	store, flash := "token.db-wal", "flash.db-wal"
	for _, test := range []struct {
		command string
		want    map[string]int
	}{
		{"pair one", map[string]int{store: 1, flash: 1}},
		{"destroy private one", map[string]int{store: 1, flash: 2, "flash.db": 1}},
		{"destroy public one", map[string]int{store: 1}},
		{"pair two", map[string]int{store: 1, flash: 1}},
		{"destroy public two", map[string]int{store: 1}},
		{"destroy private two", map[string]int{store: 1, flash: 2, "flash.db": 1}},
	} {
		x, err := trace(c.cmd.Process.Pid, home.Dir, 0)
		if errors.Is(err, errNoTracing) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.do(test.command)
		if err := errors.Join(err, <-x.ended); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, step := range x.made {
			if call, file, _ := strings.Cut(step, " "); strings.HasSuffix(call, "sync") {
				got[file]++
			}
		}
		if !maps.Equal(got, test.want) {
			t.Errorf("%s waits for the disk %v times, want %v", test.command, got, test.want)
		}
	}
}
