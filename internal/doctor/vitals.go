// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"os"
	"path/filepath"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
)

// Vitals are what is measured of the SCM and the token in a slot. What is nil is not known.
type Vitals struct {
	Slot                   int
	Label, Serial          string
	Model, Firmware        string
	Initialized, Answers   bool
	UserTries, SOTries     *int // wrong PINs that are left until one is locked; nil: it is not set
	KeySlots, KeySlotsUsed *int
	Foreign                *int
	Volts, Celsius         *float32
	Events                 []uint32 // s since 1970 of the first breach of each perimeter channel, 0 = none
	Time                   uint32   // of the SCM, s since 1970; 0 = it has none
	Changes                *uint64  // of the SCM, since it was made
	Processes              *int     // that have the token open, among those that this user may look at
}

// vitals are those of the slot that is looked at.
func (v *visit) vitals() *Vitals { return &v.Slots[len(v.Slots)-1] }

// measureToken notes what a token tells.
func (v *visit) measureToken(t store.Token) {
	w := v.vitals()
	w.Label, w.Initialized = t.Label, t.Initialized
	w.UserTries, w.SOTries = triesOf(t.PINs[store.NormalUser]), triesOf(t.PINs[store.SO])
}

func triesOf(p store.PIN) *int {
	if !p.Set {
		return nil
	}
	n := left(p)
	return &n
}

// measureSoft notes what a soft SCM tells.
func (v *visit) measureSoft(d *soft.Device, s soft.Status) {
	w := v.vitals()
	w.Model, w.Serial, w.Firmware = s.Model, s.Serial, s.Firmware
	w.Answers, w.Time = s.Answers && !s.Destroyed, s.Time
	total, used, foreign := scm.PermanentSlots+d.Options().UserSlots, 0, len(s.Foreign)
	for _, slot := range s.Slots {
		if slot != scm.EphemeralSlot {
			used++
		}
	}
	w.KeySlots, w.KeySlotsUsed, w.Foreign = &total, &used, &foreign
	w.Volts, w.Celsius = &s.Battery.Volts, &s.Temperature.Celsius
	w.Events = []uint32{s.Perimeter[0].Event, s.Perimeter[1].Event}
	if changes, _, err := d.Changes(); err == nil {
		w.Changes = &changes
	}
}

// measureHardware notes what an SCM in hardware tells.
func (v *visit) measureHardware(d scm.Device, info scm.Info) {
	w := v.vitals()
	w.Model, w.Serial, w.Firmware, w.Answers = info.Model, info.Serial, info.Firmware, true
	if keys, err := d.Keys(); err == nil {
		total, used := scm.PermanentSlots+scm.UserSlots, len(keys)
		w.KeySlots, w.KeySlotsUsed = &total, &used
	}
	if m, can := d.(scm.Monitor); can {
		if h, err := m.Health(); err == nil {
			w.Volts, w.Celsius, w.Events = h.Volts, h.Celsius, h.Events
		}
	}
	if c, can := d.(scm.Clock); can {
		w.Time, _ = c.Time() // one without a clock has none
	}
}

// countProcesses counts those that have the database of a token open. It costs a look at all processes.
func (w *Vitals) countProcesses(state string) {
	database, err := os.Stat(filepath.Join(state, store.DatabaseFile))
	if err != nil {
		return
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	n := 0
	for _, process := range processes {
		if hasOpen(process, database) {
			n++
		}
	}
	w.Processes = &n
}

func hasOpen(process string, file os.FileInfo) bool {
	if me, err := os.Readlink("/proc/self"); err == nil && filepath.Base(process) == me {
		return false
	}
	names, err := os.ReadDir(filepath.Join(process, "fd"))
	if errors.Is(err, os.ErrPermission) {
		return false
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(process, "fd", name.Name())); err == nil && os.SameFile(info, file) {
			return true
		}
	}
	return false
}
