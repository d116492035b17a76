// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// hardened is the first index that a child cannot have; the vendor's library has the
// rest of BIP32's as a flag.
const hardened = 1 << 31

// node is the place of a key in a wallet, the zero value for a key in none.
type node struct {
	Address string   `json:"address,omitempty"`
	Wallet  string   `json:"wallet,omitempty"`
	Master  scm.Slot `json:"master,omitempty"`
}

// NodeAddress returns where in its wallet the key in a slot is, which stays so for as long as
// the key is there: the module is asked once for all keys of which that is not known.
func (d *Device) NodeAddress(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	if !s.Permanent() && !s.User() {
		return "", "", 0, errRange(s)
	}
	if err := d.requireFunctions(nodeOfSlot); err != nil {
		return "", "", 0, errors.Join(errNoWallet(s), err)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if _, err := d.currentLocked(); err != nil {
		return "", "", 0, err
	}
	if n, known := d.nodeKnown(s); known {
		return d.located(s, n)
	}
	for t := d.newTries(); t.next(&err); {
		err = d.readNodes(s)
	}
	if err != nil {
		return "", "", 0, err
	}
	d.remember()
	n, known := d.nodeKnown(s)
	if !known { // a slot that is not listed, as perhaps those of seeds
		for t := d.newTries(); t.next(&err); {
			n, err = d.askNode(s)
		}
	}
	if err != nil {
		return "", "", 0, err
	}
	return d.located(s, n)
}

func errNoWallet(s scm.Slot) error {
	return fmt.Errorf("slot %d is in no wallet: %w", int(s), scm.ErrInput)
}

func (d *Device) located(s scm.Slot, n node) (address, wallet string, master scm.Slot, err error) {
	if n == (node{}) {
		return "", "", 0, errNoWallet(s)
	}
	return n.Address, n.Wallet, n.Master, nil
}

func (d *Device) nodeKnown(s scm.Slot) (n node, known bool) {
	there, ok := d.knownSlot(s)
	if !ok || there.node == nil {
		return node{}, false
	}
	return *there.node, true
}

// readNodes asks for the places of the keys in all user slots of which none is known, and in
// the one that is named. The caller holds calls.
func (d *Device) readNodes(named scm.Slot) error {
	found := map[scm.Slot]*node{}
	nowhere := 0
	for _, s := range d.unplaced(named) {
		n, err := d.tryNode(s)
		if err != nil {
			return err
		}
		if n == (node{}) {
			nowhere++
		}
		found[s] = &n
	}
	if nowhere > 0 { // or they were refused by a dead context
		if err := d.checkAlive(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for s, n := range found {
		there := d.known.slots[s]
		there.node = n
		d.known.slots[s] = there
	}
	return nil
}

// unplaced are the slots in use of whose keys it is not known whether they are in a wallet.
func (d *Device) unplaced(named scm.Slot) []scm.Slot {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []scm.Slot
	for n, s := range d.known.slots {
		if s.node == nil && (n.User() || n == named) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// tryNode asks for the place of a key: none when that is refused, whatever the reason. A
// module that answers other calls does not mean by a timeout that it is gone.
func (d *Device) tryNode(s scm.Slot) (node, error) {
	address, wallet, master, err := d.api.node(s)
	switch {
	case err == nil:
		return node{address, wallet, master}, nil
	case timedOut(err):
		if d.checkAlive() != nil {
			return node{}, err
		}
	case !unable(err):
		return node{}, err
	}
	return node{}, nil
}

// askNode is tryNode with a context that lives.
func (d *Device) askNode(s scm.Slot) (node, error) {
	n, err := d.tryNode(s)
	if err == nil && n == (node{}) {
		err = d.checkAlive()
	}
	return n, err
}

// SlotOfNode returns the slot of the key at an address of a wallet, which is given by
// its name, or by the slot of its topmost key when the name is empty. ErrSlotEmpty
// when there is no such key.
func (d *Device) SlotOfNode(address, wallet string, master scm.Slot) (scm.Slot, error) {
	if err := d.requireFunctions(slotOfNode); err != nil {
		return 0, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if _, err := d.listSlots(); err != nil {
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
func (d *Device) ChildKey(parent scm.Slot, c scm.Child) (s scm.Slot, chainCode []byte, err error) {
	if c.Index >= hardened {
		return 0, nil, fmt.Errorf("child number %d: %w", c.Index, scm.ErrInput)
	}
	if !parent.User() {
		return 0, nil, errRange(parent)
	}
	if err := d.requireFunctions(childMake, nodeOfSlot, slotOfNode); err != nil {
		return 0, nil, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	before, err := d.listSlots()
	if err != nil {
		return 0, nil, err
	}
	if s, there, err := d.childThere(parent, c); err != nil || there {
		return s, nil, err
	}
	s, chainCode, err = d.api.child(parent, c)
	if err != nil {
		s, err = d.childAfter(parent, c, d.whyNot(before, err))
	}
	if err != nil {
		return 0, nil, err
	}
	return s, chainCode, d.noteNode(s)
}

// childAfter finds a child that was derived although the call failed, as it does when the
// module takes longer than the library waits. Its chain code is lost.
func (d *Device) childAfter(parent scm.Slot, c scm.Child, failure error) (s scm.Slot, err error) {
	there := false
	for t := d.newTries(); t.next(&err); {
		s, there, err = d.childThere(parent, c)
	}
	if err != nil || !there {
		return 0, failure
	}
	return s, nil
}

// childAddress is the address of a child.
func (n node) childAddress(c scm.Child) string {
	if c.Hardened {
		return fmt.Sprintf("%s/%d'", n.Address, c.Index)
	}
	return fmt.Sprintf("%s/%d", n.Address, c.Index)
}

// childThere finds a child, and reports whether it has been derived before.
func (d *Device) childThere(parent scm.Slot, c scm.Child) (s scm.Slot, there bool, err error) {
	n, err := d.askNode(parent)
	if err == nil && n == (node{}) {
		err = errNoWallet(parent)
	}
	if err != nil {
		return 0, false, err
	}
	s, err = d.api.nodeSlot(n.childAddress(c), n.Wallet, n.Master)
	if refused(err) && !timedOut(err) {
		return 0, false, nil
	}
	return s, err == nil, err
}
