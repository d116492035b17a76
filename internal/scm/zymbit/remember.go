// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"libzk_pkcs11/internal/scm"
)

// memoryName is the name of a file in Options.State: what processes have read of the key
// slots, so that others need not. It is believed as far as the module says that it has the
// serial number and the slots in it, and as no device has noted a change of the slot. A
// program that does not note its changes can exchange the key of a slot between two lists:
// signatures show that, and the keys of others are read again one by one.
const memoryName = "zymbit.keys"

// memory is that file, in JSON. A process that reads the module writes it anew; without it all is
// read from the module.
type memory struct {
	Serial   string            `json:"serial"`
	Model    string            `json:"model"`
	Maker    string            `json:"maker"`
	Firmware string            `json:"firmware"`
	Keys     []memoryRow       `json:"keys"`
	Foreign  []memoryRow       `json:"foreign,omitempty"`
	Unlisted map[scm.Slot]bool `json:"unlisted,omitempty"`
}

// memoryRow is a slot.
type memoryRow struct {
	Slot   scm.Slot  `json:"slot"`
	Mark   int64     `json:"mark"`
	Curve  scm.Curve `json:"curve"`
	Public []byte    `json:"public,omitempty"` // none for a key that is not shown
	Node   *node     `json:"node,omitempty"`
}

// recall reads what there is to remember of the module of that serial number, and reports
// whether there is anything.
func (o Options) recall(serial string) (m memory, ok bool) {
	m, ok = o.latest()
	return m, ok && m.Serial == serial
}

// latest reads what there is to remember, of any module, and reports whether there is anything.
func (o Options) latest() (m memory, ok bool) {
	if o.State == "" {
		return m, false
	}
	text, err := os.ReadFile(filepath.Join(o.State, memoryName))
	if err != nil || json.Unmarshal(text, &m) != nil {
		return memory{}, false
	}
	for _, row := range slices.Concat(m.Keys, m.Foreign) {
		if row.Public != nil && (row.Curve < scm.P256 || row.Curve > scm.X25519 || !isPublic(row.Curve, row.Public)) {
			return memory{}, false
		}
	}
	return m, m.Serial != "" && m.Serial != unknown
}

// believe takes what is remembered for known, until the slots are listed.
func (d *Device) believe(m memory) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := &d.known
	k.slots, k.stale = make(map[scm.Slot]slot, len(m.Keys)), true
	for _, row := range m.Keys {
		k.slots[row.Slot] = row.slot()
	}
	if m.Unlisted != nil {
		k.unlisted = maps.Clone(m.Unlisted)
	}
	d.foreign.slots = map[scm.Slot]slot{}
	for _, row := range m.Foreign {
		d.foreign.slots[row.Slot] = row.slot()
	}
	d.saved = m
}

func (row memoryRow) slot() slot {
	s := slot{mark: row.Mark, node: row.Node}
	if row.Public != nil {
		s.key = scm.Key{Slot: row.Slot, Curve: row.Curve, Public: row.Public}
	}
	return s
}

// remember writes down what is known, if it is not written. Nothing depends on it, so that
// a directory which cannot be written is no error. The caller holds calls.
func (d *Device) remember() {
	m := d.toRemember()
	if d.options.State == "" || m.Serial == "" || m.Serial == unknown || m.sameAs(d.saved) {
		return
	}
	text, err := json.Marshal(m)
	if err == nil && d.options.replace(memoryName, text) == nil {
		d.saved = m
	}
}

func (d *Device) toRemember() memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	return memory{
		Serial: d.info.Serial, Model: d.info.Model, Maker: d.info.Manufacturer, Firmware: d.info.Firmware,
		Keys: rowsOf(d.known.slots), Foreign: rowsOf(d.foreign.slots), Unlisted: permanent(d.known.unlisted),
	}
}

// permanent are those of the slots that are permanent.
func permanent(slots map[scm.Slot]bool) map[scm.Slot]bool {
	slots = maps.Clone(slots)
	maps.DeleteFunc(slots, func(s scm.Slot, _ bool) bool { return !s.Permanent() })
	return slots
}

func rowsOf(slots map[scm.Slot]slot) []memoryRow {
	rows := make([]memoryRow, 0, len(slots))
	for _, n := range slices.Sorted(maps.Keys(slots)) {
		s := slots[n]
		if s.broken != nil || s.key.Public == nil && (s.node == nil || s.node.Address != top) {
			continue // to be looked at again, unless it is the seed of a wallet, which is never shown
		}
		rows = append(rows, memoryRow{n, s.mark, s.key.Curve, s.key.Public, s.node})
	}
	return rows
}

func (m memory) sameAs(other memory) bool {
	a, failed := json.Marshal(m)
	b, err := json.Marshal(other)
	return failed == nil && err == nil && string(a) == string(b)
}

// forgotten is how long after its last change a file is nobody's that was to take another one's place.
const forgotten = time.Minute

// removeLeftovers removes what processes have left that were killed in replace.
func (o Options) removeLeftovers(name string) {
	left, _ := filepath.Glob(filepath.Join(o.State, name+".*"))
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > forgotten {
			_ = os.Remove(path)
		}
	}
}

// replace puts a new file into the state directory, in the place of the one of that name.
func (o Options) replace(name string, text []byte) error {
	o.removeLeftovers(name)
	f, err := os.CreateTemp(o.State, name+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && o.Group >= 0 {
		err = f.Chown(-1, o.Group)
	}
	if err == nil {
		err = f.Chmod(o.Mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(o.State, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
