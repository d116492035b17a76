// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"libzk_pkcs11/internal/scm"
)

// member is a device of the pool, as this process sees it.
type member struct {
	Member
	bit uint64 // 1 for the first

	mu      sync.Mutex // held for a moment
	turn    Turn       // nil: processes do not take turns
	device  scm.Device // nil until it was opened
	serial  string
	keys    *holding // nil until they were listed
	outage  *outage  // nil while it is at hand
	pause   time.Duration
	probing bool
}

// holding are the keys of a member, by their public keys.
type holding struct {
	version uint64 // of the device when they were listed
	slots   map[string]scm.Slot
}

// errMoved says that a member's slot holds another key than before.
var errMoved = fmt.Errorf("the key is not in its slot any more: %w", scm.ErrSlotEmpty)

func (m *member) isFirst() bool { return m.bit == 1 }

func (m *member) opened() scm.Device {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.device
}

// openTurn opens the lock between processes, for the holder of mu. Without it they do not take turns.
func (m *member) openTurn() {
	if m.Turn == nil || m.turn != nil {
		return
	}
	if turn, err := m.Turn(); err == nil {
		m.turn = turn
	}
}

// takeTurn takes the lock between processes, unless another one has it.
func (m *member) takeTurn() (done func(), free bool) {
	m.mu.Lock()
	turn := m.turn
	m.mu.Unlock()
	if turn == nil {
		return func() {}, true
	}
	return turn.TryTurn()
}

// mostAttempts is how often a member does the work of a job whose key may have been another one meanwhile.
const mostAttempts = 3

// perform has the member do the work of a job, with its own key that has the same public key.
func (m *member) perform(j *job, task work) (result []byte, err error) {
	if m.isFirst() {
		return task(m.opened(), j.slot)
	}
	for range mostAttempts {
		var held bool
		result, held, err = m.attempt(j, task)
		if errors.Is(err, scm.ErrSealed) && j.pool.unsealMember(m) == nil {
			continue // another process had sealed it to the token meanwhile
		}
		if err != nil || held {
			return result, err
		}
		err = errMoved
	}
	return nil, err
}

// attempt has the member do the work once, and reports whether its slot has held the key all the time.
func (m *member) attempt(j *job, task work) (result []byte, held bool, err error) {
	d := m.opened()
	slot, err := m.slotOf(j.public)
	if err != nil {
		return nil, false, err
	}
	stamp := scm.StampOf(d, slot)
	if err := m.checkHeld(d, slot, j.public); err != nil {
		return nil, false, err
	}
	result, err = task(d, slot)
	if err != nil {
		return nil, false, err
	}
	if _, can := d.(scm.Stamper); can {
		return result, scm.StampOf(d, slot) == stamp, nil
	}
	err = m.checkHeld(d, slot, j.public)
	return result, err == nil, err
}

// checkHeld returns an error unless a slot holds a key. The device is asked only when it has changed
// since its keys were listed.
func (m *member) checkHeld(d scm.Device, slot scm.Slot, public string) error {
	m.mu.Lock()
	keys := m.keys
	m.mu.Unlock()
	if keys != nil && keys.version == d.Version() && keys.slots[public] == slot {
		return nil
	}
	k, err := d.PublicKey(slot)
	if err == nil && string(k.Public) != public {
		err = errMoved
	}
	return err
}

// slotOf returns the slot in which the member holds a key, ErrSlotEmpty when it holds none. It
// lists the keys when the device has changed.
func (m *member) slotOf(public string) (scm.Slot, error) {
	keys, err := m.listing()
	if err != nil {
		return 0, err
	}
	slot, holds := keys.slots[public]
	if !holds {
		return 0, errMoved
	}
	return slot, nil
}

// listing returns the keys of the member, of one that is left out those that it had.
func (m *member) listing() (*holding, error) {
	m.mu.Lock()
	d, keys, out := m.device, m.keys, m.outage != nil
	m.mu.Unlock()
	switch {
	case keys != nil && (out || keys.version == d.Version()):
		return keys, nil
	case d == nil || out:
		return nil, errMoved
	}
	return m.listKeys(d)
}

// listKeys lists the keys of the member.
func (m *member) listKeys(d scm.Device) (*holding, error) {
	keys := &holding{version: d.Version(), slots: map[string]scm.Slot{}}
	all, err := d.Keys()
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if _, twice := keys.slots[string(k.Public)]; !twice {
			keys.slots[string(k.Public)] = k.Slot
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = keys
	return keys, nil
}

func (m *member) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turn != nil {
		_ = m.turn.Close() // nobody has it
	}
	if m.device == nil {
		return nil
	}
	return m.device.Close()
}
