// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// allCommands returns a command and those below it.
func allCommands(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, below := range c.Commands() {
		all = append(all, allCommands(below)...)
	}
	return all
}

// Help fits into terminals of 80 columns, and tells of each option that there is.
func TestHelpIsWrapped(t *testing.T) {
	for _, c := range allCommands(newCommand()) {
		for line := range strings.Lines(helpText(c, defaultWidth)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > defaultWidth {
				t.Errorf("%s --help: %d columns: %s", c.CommandPath(), n, line)
			}
		}
	}
}

// Wrapped text is in a column, and words that are too long for it stand alone.
func TestWrapped(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"--a", "  --a     one two\n          three\n          overlong-word\n"},
		{"--abcdefg", "  --abcdefg\n          one two\n          three\n          overlong-word\n"},
	} {
		h := &helpWriter{width: 18}
		h.row(test.name, "one two three overlong-word", 10)
		if h.String() != test.want {
			t.Errorf("%s:\n%s", test.name, h.String())
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"init", "list", "pin", "unlock", "status"}
	for typed, want := range map[string]string{
		"intit": "init", "lsit": "list", "stauts": "status", "unlok": "unlock", "stat": "status", "x": "", "recover": "", "pni": "pin",
	} {
		if got := nearest(typed, words); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
}
