// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/pool"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/zymbit"
	"libzk_pkcs11/internal/sharedfile"
)

// poolLock is the file of the lock by which processes take turns with an SCM of a pool.
const poolLock = "pool.lock"

// PoolDevice is a further SCM of a slot.
type PoolDevice struct {
	Path   string // as in the setting pool
	Device scm.Device
	Err    error // why it does not open
}

// Pool opens the further SCMs of a slot for reading.
func (l Look) Pool() []PoolDevice {
	var list []PoolDevice
	for _, path := range l.open.slot.Pool {
		d, err := poolMember{slot: l.open, of: l.of, path: path, purpose: looking}.open()
		list = append(list, PoolDevice{path, d, err})
	}
	return list
}

// OpenPoolDevice opens one of the further SCMs of a slot alone. A soft SCM that is not there yet is made.
func OpenPoolDevice(c config.Config, s config.Slot, path string) (scm.Device, error) {
	o := opener{settings: c, slot: s}
	a, err := o.access()
	if err != nil {
		return nil, err
	}
	return poolMember{slot: o, of: a, path: path, purpose: making}.open()
}

// pooled puts the further SCMs of the slot beside the first, if there are any.
func (o opener) pooled(first scm.Device, a access) scm.Device {
	if len(o.slot.Pool) == 0 {
		return first
	}
	return pool.New(first, o.turnIn(o.slot.State, a), o.members(a), pool.Options{
		Name: o.slot.Name, Log: o.log, Pause: o.process.Pause,
	})
}

// members are the further SCMs.
func (o opener) members(a access) []pool.Member {
	var list []pool.Member
	for _, path := range o.slot.Pool {
		member := pool.Member{Name: path, Open: poolMember{slot: o, of: a, path: path}.open}
		if !o.hardware() {
			member.Turn = o.turnIn(path, a)
		}
		list = append(list, member)
	}
	return list
}

// poolMember opens a further SCM.
type poolMember struct {
	slot opener
	of   access
	path string
	purpose
}

// purpose is what a further SCM is opened for.
type purpose int

const (
	signing purpose = iota
	looking         // nothing is made, nor written
	making          // it is made if it is not there
)

// open opens an SCM of the same kind as the first, so that no key in hardware is one in software, too.
func (m poolMember) open() (scm.Device, error) {
	switch hardware := m.slot.hardware(); {
	case hardware && !isLibrary(m.path):
		return nil, errNoLibrary
	case hardware:
		return m.openHardware()
	case isLibrary(m.path):
		return nil, errLibrary
	}
	return m.openSoft()
}

var (
	errNoLibrary = errors.New("the slot is that of an SCM in hardware: its pool names the vendor's libraries of further SCMs (a path that ends in .so)")
	errLibrary   = errors.New("the slot is that of a soft SCM: its pool names the state directories of further soft SCMs")
)

func (m poolMember) openSoft() (scm.Device, error) {
	if m.purpose == making {
		if err := m.of.makeDirectory(m.path); err != nil {
			return nil, err
		}
	}
	d, err := soft.Open(m.path, soft.Options{
		Settings: m.slot.settings.Soft, Mode: m.of.file, Group: m.of.group, Process: m.slot.process,
		Existing: m.purpose != making, ReadOnly: m.purpose == looking,
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// openHardware opens an SCM by a library of its own. What is remembered of it is beside what is
// remembered of the first.
func (m poolMember) openHardware() (scm.Device, error) {
	options := m.slot.hardwareOptions(m.of)
	options.Library, options.State = m.path, ""
	if m.purpose != looking {
		options.State = m.memory()
		if err := m.of.makeDirectory(options.State); err != nil {
			return nil, err
		}
	}
	d, err := zymbit.Open(options)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// memory is the directory of what is remembered of an SCM in hardware, which no other one has: libraries in
// different directories may have the same name.
func (m poolMember) memory() string {
	sum := sha256.Sum256([]byte(m.path))
	return filepath.Join(m.slot.slot.State, "pool-"+hex.EncodeToString(sum[:8]))
}

func isLibrary(path string) bool { return strings.HasSuffix(path, ".so") }

// turnIn returns what opens the lock of the SCM in a state directory.
func (o opener) turnIn(state string, a access) func() (pool.Turn, error) {
	return func() (pool.Turn, error) {
		lock, err := sharedfile.OpenLock(filepath.Join(state, poolLock), soft.FlashFile, sharedfile.Options{
			Mode: a.file, Group: a.group, Process: o.process,
		})
		if err != nil {
			return nil, err
		}
		return turnLock{lock}, nil
	}
}

// turnLock is a pool.Turn.
type turnLock struct{ *sharedfile.Lock }

// TryTurn is pool.Turn.TryTurn.
func (l turnLock) TryTurn() (release func(), free bool) {
	release, err := l.Attempt(0)
	if err == nil {
		return release, true
	}
	return func() {}, !errors.Is(err, sharedfile.ErrBusy)
}
