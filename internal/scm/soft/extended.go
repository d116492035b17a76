// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/hd"
)

// ExtendedPublic returns the key in a slot as an extended public key of BIP32,
// "xpub...", from which watching wallets derive. It holds the chain code, so that
// there is one for hardened children only: ErrAbility for others, ErrCurve for
// keys that are not on secp256k1, ErrInput for a key that is in no wallet.
func (d *Device) ExtendedPublic(s scm.Slot) (string, error) {
	n, err := d.openNode(s)
	if err != nil {
		return "", err
	}
	place := n.key.node
	indices, err := hd.ParseAddress(place.address)
	if err != nil {
		return "", derivation(err)
	}
	depth := len(indices)
	switch {
	case n.Curve != scm.Secp256k1:
		return "", fmt.Errorf("extended key on %s: %w", n.Curve, scm.ErrCurve)
	case place.top(s) || depth > hd.MaxDepth || indices[depth-1] < hd.Hardened:
		return "", fmt.Errorf("extended key of %s: %w", place.address, scm.ErrAbility)
	}
	parent, err := n.flash.key(place.parent)
	if err != nil {
		return "", err
	}
	above := hd.Node{Curve: parent.Curve, Public: parent.Public}
	return hd.Extended{
		Node: n.Neuter(), Depth: byte(depth), Parent: above.Fingerprint(), Index: indices[depth-1],
	}.String(), nil
}
