// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// hardened is the first index that a child cannot have; the vendor's library has the
// rest of BIP32's as a flag.
const hardened = 1 << 31

// NodeAddress returns where in its wallet the key in a slot is. It costs a call
// each time.
func (d *Device) NodeAddress(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	if !s.Permanent() && !s.User() {
		return "", "", 0, errRange(s)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	// A call that the module does not refuse finds a dead context, whose refusal
	// would look like that of a key in no wallet.
	if _, err := d.slots(); err != nil {
		return "", "", 0, err
	}
	return d.node(s)
}

// node is NodeAddress with a context that lives.
func (d *Device) node(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	address, wallet, master, err = d.api.node(s)
	if refused(err) && !timedOut(err) {
		err = fmt.Errorf("slot %d is in no wallet: %w: %w", s, scm.ErrInput, err)
	}
	return address, wallet, master, err
}

// SlotOfNode returns the slot of the key at an address of a wallet, which is given by
// its name, or by the slot of its topmost key when the name is empty. ErrSlotEmpty
// when there is no such key.
func (d *Device) SlotOfNode(address, wallet string, master scm.Slot) (scm.Slot, error) {
	if err := d.needs(slotOfNode); err != nil {
		return 0, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if _, err := d.slots(); err != nil {
		return 0, err
	}
	s, err := d.api.nodeSlot(address, wallet, max(master, 0))
	if refused(err) && !timedOut(err) {
		err = fmt.Errorf("node %s: %w: %w", address, scm.ErrSlotEmpty, err)
	}
	return s, err
}

// ChildKey derives a key from another of its wallet, and returns its slot and, of a
// hardened one, the chain code. A child that is there already is not derived again,
// because the vendor does not tell what that does: it has its slot, and no chain code.
// ErrInput for an index from 2^31 on and a parent that is in no wallet, ErrFull.
func (d *Device) ChildKey(parent scm.Slot, index uint32, hard bool) (s scm.Slot, chainCode []byte, err error) {
	if index >= hardened {
		return 0, nil, fmt.Errorf("child number %d: %w", index, scm.ErrInput)
	}
	if !parent.User() {
		return 0, nil, errRange(parent)
	}
	if err := d.needs(childMake, nodeOfSlot, slotOfNode); err != nil {
		return 0, nil, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	before, err := d.slots()
	if err != nil {
		return 0, nil, err
	}
	if s, there, err := d.childThere(parent, index, hard); err != nil || there {
		return s, nil, err
	}
	s, chainCode, err = d.api.child(parent, index, hard)
	if err != nil {
		return 0, nil, d.whyNot(before, err)
	}
	return s, chainCode, d.noteNode(s)
}

// childThere finds a child that has been derived before.
func (d *Device) childThere(parent scm.Slot, index uint32, hard bool) (s scm.Slot, there bool, err error) {
	address, wallet, master, err := d.node(parent)
	if err != nil {
		return 0, false, err
	}
	address = fmt.Sprintf("%s/%d", address, index)
	if hard {
		address += "'"
	}
	s, err = d.api.nodeSlot(address, wallet, master)
	if refused(err) && !timedOut(err) {
		return 0, false, nil
	}
	return s, err == nil, err
}
