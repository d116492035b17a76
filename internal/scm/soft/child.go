// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/hd"
	"libzk_pkcs11/internal/secret"
)

// ChildKey derives a key from another of its wallet, and returns its slot: that of
// the same child, when it is there already. The chain code is given away for
// hardened children only, nil otherwise. ErrInput for an index from 2^31 on and a
// parent that is in no wallet, ErrAbility for a hardened child in an oversight
// wallet, ErrCurve for one that is not hardened on Ed25519, ErrFull.
func (d *Device) ChildKey(parent scm.Slot, index uint32, hardened bool) (s scm.Slot, chainCode []byte, err error) {
	if index >= hd.Hardened {
		return 0, nil, fmt.Errorf("child number %d: %w", index, scm.ErrInput)
	}
	if err := d.idle(); err != nil {
		return 0, nil, err
	}
	if hardened {
		index += hd.Hardened
	}
	p, err := d.openNode(parent)
	if err != nil {
		return 0, nil, err
	}
	defer clear(p.Private)
	defer secret.Collect()
	var child hd.Node
	secret.Do(func() { child, err = p.Child(index) })
	if err != nil {
		return 0, nil, derivation(err)
	}
	defer clear(child.Private)
	if s, err = d.addChild(p.key, child, index); err != nil {
		return 0, nil, err
	}
	if hardened {
		chainCode = child.Chain
	}
	return s, chainCode, nil
}

// openedNode is a key of a wallet with all that it takes to derive others.
type openedNode struct {
	hd.Node
	key sealedKey
}

// openNode opens a key of a wallet.
func (d *Device) openNode(s scm.Slot) (openedNode, error) {
	known, err := d.open(only(s))
	if err != nil {
		return openedNode{}, err
	}
	k, err := known.walletKey(s)
	if err != nil {
		return openedNode{}, err
	}
	both, err := known.root.unsealKey(&k)
	if err != nil {
		return openedNode{}, err
	}
	n := hd.Node{Curve: k.Curve, Public: k.Public, Chain: both[len(both)-chainSize:]}
	if k.kind != watchKey {
		n.Private = both[:secretSize]
	}
	return openedNode{n, k}, nil
}

func (f *flash) walletKey(s scm.Slot) (sealedKey, error) {
	k, err := f.key(s)
	if err == nil && k.node.address == "" {
		err = fmt.Errorf("slot %d is in no wallet: %w", s, scm.ErrInput)
	}
	return k, err
}

// errThere says that a child has a slot already.
var errThere = errors.New("child is there")

func (d *Device) addChild(parent sealedKey, child hd.Node, index uint32) (scm.Slot, error) {
	place := node{parent.Slot, parent.node.master, hd.ChildAddress(parent.node.address, index), ""}
	var there scm.Slot
	missing := func(tx *sql.Tx) (err error) {
		if there, err = findNode(tx, place.master, place.address); err == nil {
			return errThere
		}
		if !errors.Is(err, scm.ErrSlotEmpty) {
			return err
		}
		return stillThere(tx, parent)
	}
	s, err := d.addNode(child, missing, func(key *sealedKey) {
		key.kind, key.node = childKey, place
		if parent.kind == watchKey {
			key.kind = watchKey
		}
	})
	if errors.Is(err, errThere) {
		return there, nil
	}
	return s, err
}

// stillThere answers ErrSlotEmpty when a key has gone, or another has taken its
// slot, since it was read.
func stillThere(tx *sql.Tx, k sealedKey) error {
	var public []byte
	err := tx.QueryRow("SELECT public FROM key WHERE slot = ?", int(k.Slot)).Scan(&public)
	if errors.Is(err, sql.ErrNoRows) || err == nil && string(public) != string(k.Public) {
		return errEmpty(k.Slot)
	}
	return err
}

// findNode returns the slot of the key at an address of a wallet.
func findNode(tx *sql.Tx, master scm.Slot, address string) (s scm.Slot, err error) {
	err = tx.QueryRow("SELECT slot FROM key WHERE master = ? AND address = ?", int(master), address).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("node %s of the wallet in slot %d: %w", address, master, scm.ErrSlotEmpty)
	}
	return s, err
}

// NodeAddress returns where in its wallet the key in a slot is, the wallet's name
// and the slot of its topmost key. ErrInput for a key that is in no wallet.
func (d *Device) NodeAddress(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	known, err := d.current(only(s))
	if err != nil {
		return "", "", 0, err
	}
	k, err := known.walletKey(s)
	if err != nil {
		return "", "", 0, err
	}
	if known, err = d.refresh(only(s), only(k.node.master)); err != nil {
		return "", "", 0, err
	}
	if k, err = known.walletKey(s); err != nil {
		return "", "", 0, err
	}
	top, err := known.key(k.node.master)
	return k.node.address, top.node.wallet, k.node.master, err
}

// SlotOfNode returns the slot of the key at an address of a wallet, which is given
// by its name, or by the slot of its topmost key when the name is empty.
// ErrSlotEmpty when there is no such key, ErrInput when there is neither name nor
// slot (-1).
func (d *Device) SlotOfNode(address, wallet string, master scm.Slot) (scm.Slot, error) {
	address, err := hd.Canonical(address)
	if err != nil {
		return 0, derivation(err)
	}
	known, err := d.current(everySlot)
	if err != nil {
		return 0, err
	}
	if wallet == "" && master < 0 {
		return 0, fmt.Errorf("neither name nor slot of the wallet: %w", scm.ErrInput)
	}
	for _, k := range known.keys() {
		top, err := known.key(k.node.master)
		if err == nil && k.node.address == address && (wallet == "" && top.Slot == master || wallet != "" && top.node.wallet == wallet) {
			return k.Slot, nil
		}
	}
	return 0, fmt.Errorf("node %s: %w", address, scm.ErrSlotEmpty)
}
