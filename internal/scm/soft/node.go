// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// Node is a key of a wallet, with all that it takes to derive others from it. Package
// wallet derives them; the flash knows where in its tree each of them is.
type Node struct {
	scm.Key
	Private []byte // nil in a wallet that only watches; the caller overwrites it
	Chain   []byte // the chain code
	Address string // in the wallet, such as m/44'/0'/1

	stored sealedKey // what the slot holds
}

// OpenNode opens a key of a wallet. ErrInput for a key that is in none.
func (d *Device) OpenNode(s scm.Slot) (Node, error) {
	known, err := d.usable(onlySlot(s))
	if err != nil {
		return Node{}, err
	}
	k, err := known.walletKey(s)
	if err != nil {
		return Node{}, err
	}
	both, err := known.root.unsealKey(&k)
	if err != nil {
		return Node{}, err
	}
	n := Node{Key: k.Key, Chain: both[len(both)-chainSize:], Address: k.node.address, stored: k}
	if k.kind != watchKey {
		n.Private = both[:k.kind.privateSize()]
	}
	return n, nil
}

func (f *flash) walletKey(s scm.Slot) (sealedKey, error) {
	k, err := f.keyIn(s)
	if err == nil && k.node.address == "" {
		err = fmt.Errorf("slot %d is in no wallet: %w", s, scm.ErrInput)
	}
	return k, err
}

// AddTop stores the topmost key of a new wallet in the slot that a new key gets. A node
// without a private key is the top of a wallet that only watches; the public key of
// another one is not given away. ErrName, ErrFull, ErrInput for what is no key with a chain
// code.
func (d *Device) AddTop(top Node, wallet string) (scm.Slot, error) {
	key := &sealedKey{Key: top.Key, kind: seedKey, hidden: true, node: node{address: top.Address, wallet: wallet}}
	if len(top.Private) == extendedSize {
		key.kind = extendedSeedKey
	}
	if top.Private == nil {
		key.kind, key.hidden = watchKey, false
		if err := checkPublic(top.Curve, top.Public); err != nil {
			return 0, err
		}
	}
	if len(top.Chain) != chainSize {
		return 0, fmt.Errorf("chain code of %d bytes: %w", len(top.Chain), scm.ErrInput)
	}
	err := d.addNode(key, nil, top)
	return key.Slot, err
}

// AddChild stores a key that was derived from another, unless it is there already, and
// returns its slot.
func (d *Device) AddChild(parent, child Node) (scm.Slot, error) {
	key := &sealedKey{Key: child.Key, kind: childKey, node: node{
		parent: parent.Slot, master: parent.stored.node.master, address: child.Address,
	}}
	switch len(child.Private) {
	case 0:
		key.kind = watchKey
	case extendedSize:
		key.kind = extendedChildKey
	}
	err := d.addNode(key, &parent.stored, child)
	if errors.Is(err, errThere) {
		err = nil
	}
	return key.Slot, err
}

// addNode stores key, which n tells the secrets of, as a child of parent, nil for the top of
// a wallet. errThere when it has a slot already.
func (d *Device) addNode(key, parent *sealedKey, n Node) error {
	d.waitLatency(d.options.Latency.Generate)
	r, err := d.unsealed()
	if err != nil {
		return err
	}
	both := slices.Concat(n.Private, n.Chain)
	defer clear(both)
	return d.transact(func(tx *sql.Tx, e *effect) error {
		if err := e.sealedUnder(tx, r); err != nil {
			return err
		}
		if err := key.findPlace(tx, parent); err != nil {
			return err
		}
		if key.Slot, err = d.freeSlot(tx); err != nil {
			return err
		}
		if parent == nil {
			key.node.master = key.Slot
		}
		e.holdKey(key.Slot, key)
		return writeKey(tx, r, key, both)
	})
}

// errThere says that a child has a slot already.
var errThere = errors.New("child is there")

// findPlace returns an error unless the place of a new node in its tree is free. It is
// errThere for a child that is there, in the slot that k gets.
func (k *sealedKey) findPlace(tx *sql.Tx, parent *sealedKey) (err error) {
	if parent == nil {
		return checkWalletName(tx, k.node.wallet)
	}
	if k.Slot, err = findNode(tx, k.node.master, k.node.address); err == nil {
		return errThere
	}
	if !errors.Is(err, scm.ErrSlotEmpty) {
		return err
	}
	return stillThere(tx, parent)
}

// checkWalletName returns ErrName for a name that a wallet has.
func checkWalletName(tx *sql.Tx, name string) error {
	var taken bool
	err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM key WHERE wallet = ?)", name).Scan(&taken)
	if taken {
		return fmt.Errorf("wallet %q: %w", name, scm.ErrName)
	}
	return err
}

// stillThere returns ErrSlotEmpty when a key has gone, or another has taken its
// slot, since it was read.
func stillThere(tx *sql.Tx, k *sealedKey) error {
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
	known, err := d.current(onlySlot(s))
	if err != nil {
		return "", "", 0, err
	}
	k, err := known.walletKey(s)
	if err != nil {
		return "", "", 0, err
	}
	if known, err = d.refresh(onlySlot(s), onlySlot(k.node.master)); err != nil {
		return "", "", 0, err
	}
	if k, err = known.walletKey(s); err != nil {
		return "", "", 0, err
	}
	top, err := known.keyIn(k.node.master)
	return k.node.address, top.node.wallet, k.node.master, err
}

// FindNode returns the slot of the key at an address of a wallet, which is given
// by its name, or by the slot of its topmost key when the name is empty.
// ErrSlotEmpty when there is no such key, ErrInput when there is neither name nor
// slot (-1).
func (d *Device) FindNode(address, wallet string, master scm.Slot) (scm.Slot, error) {
	known, err := d.current(everySlot)
	if err != nil {
		return 0, err
	}
	if wallet == "" && master < 0 {
		return 0, fmt.Errorf("neither name nor slot of the wallet: %w", scm.ErrInput)
	}
	for _, k := range known.allKeys() {
		top, err := known.keyIn(k.node.master)
		if err == nil && k.node.address == address && (wallet == "" && top.Slot == master || wallet != "" && top.node.wallet == wallet) {
			return k.Slot, nil
		}
	}
	return 0, fmt.Errorf("node %s: %w", address, scm.ErrSlotEmpty)
}
