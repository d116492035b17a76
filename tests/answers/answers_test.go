// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// row is a way of a library to answer, and what is to come of it.
type row struct {
	name  string
	ways  []string // in which it answers
	lacks []string // functions that it does not have
	first bool     // nothing is remembered of the days when it answered otherwise

	failing string // steps that fail, of all that a program takes
	log     string // what the lines at level error say, one for each cause; there is none when it is empty
	lines   int    // how many, where it is not one
	tool    string // what the tool says
	status  bool   // "scm status" is run, too
	never   bool   // it cannot answer otherwise later
}

var healthy = map[string]string{
	"sign": "ok", "kept": "ok", "edwards": "ok", "agree": "ok", "random": "ok", "lock": "ok", "peer": "ok", "foreign": "ok",
	"generate": "ok",
}

// TestAnswers has a program, and the tool, use a token with a key pair and a foreign key
// while the library answers in each of the ways. What it can do they do; what it cannot is
// told in one line. Afterwards every key is there, and none that nobody knows of.
func TestAnswers(t *testing.T) {
	if len(rows) < 45 {
		t.Errorf("%d rows", len(rows))
	}
	whole := library(t, nil)
	filled := newFake(t, whole)
	filled.Init()
	filled.fill(1)
	for _, r := range rows {
		built := whole
		if len(r.lacks) > 0 {
			built = library(t, r.lacks)
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, built)
			if slices.Contains(r.lacks, "zkGenKeyPair") {
				f.Init()
			} else {
				f.begin(filled)
			}
			if r.first {
				f.forget()
			}
			f.logged()
			f.answers(r.ways...)
			r.look(f)
			if r.never {
				return
			}
			f.answers()
			f.logged()
			if got := f.play("look"); !maps.Equal(got, healthy) {
				t.Errorf("afterwards: %v", got)
			}
			if lines := f.errors(); len(lines) > 0 {
				t.Errorf("afterwards it logs %q", lines)
			}
			f.holdsOne()
		})
	}
}

// look uses the token, and holds what comes of it against the row.
func (r row) look(f *fake) {
	f.t.Helper()
	got := f.play("look")
	for step, outcome := range got {
		if fails := slices.Contains(strings.Fields(r.failing), step); fails == (outcome == "ok") {
			f.t.Errorf("%s: %s", step, outcome)
		}
		if outcome == fmt.Sprintf("%#x", 0x30) && r.log == "" {
			f.t.Errorf("%s is a device error, and no line says why", step)
		}
	}
	if len(got) != len(healthy) && !strings.Contains(r.failing, "open") {
		f.t.Errorf("steps %v", got)
	}
	commands := []string{"slots", "status"}
	if !r.status {
		commands = commands[:1]
	}
	for _, command := range commands {
		out, err := f.tool("scm", command)
		if (err != nil) != (r.tool != "" && strings.Contains(r.failing, "open")) || !strings.Contains(out, r.tool) {
			f.t.Errorf("scm %s: %v\n%s", command, err, out)
		}
	}
	wanted := r.lines
	if r.log != "" {
		wanted = max(1, wanted)
	}
	lines := f.errors()
	other := slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(line, r.log) })
	if other || len(lines) != wanted {
		f.t.Errorf("log %q, want %d with %q", lines, wanted, r.log)
	}
}

// forget takes away what processes have written down of the key slots.
func (f *fake) forget() {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.Dir, "zymbit.keys")); err != nil {
		f.t.Error(err)
	}
}

// errors are the lines of the log at level error.
func (f *fake) errors() []string {
	f.t.Helper()
	return slices.DeleteFunc(f.logged(), func(line string) bool { return !strings.Contains(line, "error: ") })
}

// holdsOne checks that there is one user key and one foreign key.
func (f *fake) holdsOne() {
	f.t.Helper()
	out, err := f.tool("scm", "slots")
	if err != nil || strings.Count(out, " user ") != 1 || strings.Count(out, " foreign ") != 1 {
		f.t.Errorf("%v\n%s", err, out)
	}
}
