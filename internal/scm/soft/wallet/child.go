// SPDX-License-Identifier: Apache-2.0

package wallet

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
	"libzk_pkcs11/internal/secret"
)

// ChildKey derives a key from another of its wallet, and returns its slot: that of
// the same child, when it is there already. The chain code is given away for
// hardened children only, nil otherwise. ErrInput for an index from 2^31 on and a
// parent that is in no wallet, ErrAbility for a hardened child in an oversight
// wallet, ErrCurve for one that is not hardened in a wallet of SLIP-0010, which versions
// before 0.2.0 made for Ed25519, ErrFull.
func (d *Device) ChildKey(parent scm.Slot, which scm.Child) (s scm.Slot, chainCode []byte, err error) {
	index := which.Index
	if index >= hd.Hardened {
		return 0, nil, fmt.Errorf("child number %d: %w", index, scm.ErrInput)
	}
	if err := d.noSession(); err != nil {
		return 0, nil, err
	}
	if which.Hardened {
		index += hd.Hardened
	}
	above, err := d.OpenNode(parent)
	if err != nil {
		return 0, nil, err
	}
	defer clear(above.Private)
	defer secret.Collect()
	child, err := derive(above, index)
	if err != nil {
		return 0, nil, err
	}
	defer clear(child.Private)
	if s, err = d.AddChild(above, child); err != nil {
		return 0, nil, err
	}
	if which.Hardened {
		chainCode = child.Chain
	}
	return s, chainCode, nil
}

// derive returns a child of a node. The caller overwrites its private key.
func derive(parent soft.Node, index uint32) (child soft.Node, err error) {
	from := hd.Node{Curve: parent.Curve, Public: parent.Public, Private: parent.Private, Chain: parent.Chain}
	var n hd.Node
	secret.Do(func() { n, err = from.Child(index) })
	if err != nil {
		return child, deviceError(err)
	}
	return stored(n, hd.ChildAddress(parent.Address, index)), nil
}

// stored is a derived key as the flash takes it.
func stored(n hd.Node, address string) soft.Node {
	return soft.Node{
		Key: scm.Key{Curve: n.Curve, Public: n.Public}, Private: n.Private, Chain: n.Chain, Address: address,
	}
}

// SlotOfNode is FindNode with an address in any form.
func (d *Device) SlotOfNode(address, wallet string, master scm.Slot) (scm.Slot, error) {
	address, err := hd.Canonical(address)
	if err != nil {
		return 0, deviceError(err)
	}
	return d.FindNode(address, wallet, master)
}
