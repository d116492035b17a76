// SPDX-License-Identifier: Apache-2.0

// Package doctor looks at how the module is set up on a host and says what is wrong with it: each
// finding with why it matters and the command that mends it. It makes nothing, asks for no PIN, and takes
// from the SCM what anybody may see. What it mends is in mend.go, and is done only by Mend.
package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"libzk_pkcs11/internal/config"
)

// Level says how bad a finding is.
type Level string

// The levels. Info is good to know and no finding that counts, Warning is trouble to come, and Error stops the module
// or those who use it.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Error   Level = "error"
)

// Finding is one thing that is wrong.
type Finding struct {
	Name    string `json:"name"` // the same in every release
	Level   Level  `json:"level"`
	Slot    *int   `json:"slot,omitempty"` // nil where it is none of a slot
	What    string `json:"what"`
	Why     string `json:"why"`     // it matters
	Command string `json:"command"` // that mends it
	Safe    bool   `json:"safe"`    // Mend does it

	mend func() error
}

// Fact is something that was looked at.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Report is what was found.
type Report struct {
	Facts    []Fact    `json:"facts"`
	Findings []Finding `json:"findings"`
	Slots    []Vitals  `json:"-"`
}

// Options say what is looked at.
type Options struct {
	Getenv  func(string) string
	Process int // whose limits count, 0 for this one's
}

// visit is one look at a host.
type visit struct {
	Options
	Report
	config config.Config // placed
	slot   *int          // that is looked at
	state  string        // of the slot
}

// Examine looks at everything.
func Examine(o Options) Report {
	v := &visit{Options: o, Report: Report{Facts: []Fact{}, Findings: []Finding{}}}
	if v.readSettings() {
		for i := range v.config.Slots {
			v.slot, v.state = &i, v.config.Slots[i].State
			v.Slots = append(v.Slots, Vitals{Slot: i})
			v.lookAtSlot()
			v.vitals().countProcesses(v.state)
		}
		v.slot = nil
		v.lookAtGroup()
	}
	v.lookAtRegistration()
	v.lookAtHost()
	v.lookAtLimits()
	slices.SortStableFunc(v.Findings, byLevel)
	return v.Report
}

// byLevel puts the worst first.
func byLevel(a, b Finding) int { return cmp.Compare(b.Level.rank(), a.Level.rank()) }

func (l Level) rank() int { return slices.Index([]Level{Info, Warning, Error}, l) }

// Worst is the exit status of a report: 0 without a finding, 1 with warnings, 2 with one that stops the module.
func (r Report) Worst() int {
	worst := 0
	for _, f := range r.Findings {
		worst = max(worst, f.Level.rank())
	}
	return worst
}

// OfSlots returns what there is of some slots, and of none in particular.
func (r Report) OfSlots(slots []int) Report {
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Slot != nil && !slices.Contains(slots, *f.Slot) })
	r.Slots = slices.DeleteFunc(slices.Clone(r.Slots), func(v Vitals) bool { return !slices.Contains(slots, v.Slot) })
	return r
}

// note adds a fact.
func (v *visit) note(name, format string, args ...any) {
	if v.slot != nil && len(v.config.Slots) > 1 {
		name = fmt.Sprintf("Slot %d: %s", *v.slot, name)
	}
	v.Facts = append(v.Facts, Fact{name, fmt.Sprintf(format, args...)})
}

// tell adds a finding.
func (v *visit) tell(f Finding) {
	f.Slot, f.Safe = v.slot, f.mend != nil
	v.Findings = append(v.Findings, f)
}

// has reports whether there is a finding of this name already, in the slot that is looked at.
func (v *visit) has(name string) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Name == name && f.Slot == v.slot })
}

// mends reports whether Mend does what a finding of this name tells, in the slot that is looked at.
func (v *visit) mends(name string) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Name == name && f.Slot == v.slot && f.Safe })
}

// command writes a command as it can be pasted into a shell.
func command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// plain are the characters that mean nothing to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%"

func quote(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
