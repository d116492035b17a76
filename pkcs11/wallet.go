// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/turn"
)

// bootware is the name of the wallet whose keys the boot of the host depends on. They
// are not destroyed by way of PKCS#11.
const bootware = "bootware"

// node is the place of a key in a wallet, the zero value for a key in none.
type node struct{ address, wallet string }

// nodes are the places of the keys in user key slots. They cost the device a call each, so that
// they are asked for when somebody asks for an attribute that tells of them, and from then on.
type nodes struct {
	wanted atomic.Bool
	mu     turn.Mutex
	known  map[identity]node
}

// tellsNode reports whether an attribute depends on the place of a key in a wallet.
func tellsNode(attribute uint) bool {
	return attribute == CKA_ZK_WALLET || attribute == CKA_ZK_NODE_ADDRESS || attribute == CKA_DESTROYABLE
}

// asksForNode reports whether an attribute that tells of wallets is asked for.
func asksForNode(queries []Query) bool {
	return slices.ContainsFunc(queries, func(q Query) bool { return tellsNode(q.Type) })
}

// looksForNode reports whether a template has an attribute that tells of wallets.
func looksForNode(wanted attributes) bool {
	for t := range wanted {
		if tellsNode(t) {
			return true
		}
	}
	return false
}

// showNodes has the objects tell of wallets: the catalog is another one after it.
func (t *token) showNodes() error {
	if t.nodes.wanted.Load() {
		return nil
	}
	t.nodes.wanted.Store(true)
	_, err := t.currentCatalog()
	return err
}

// withNode returns the object with what it tells of wallets, if that is among what is asked for.
func (s *session) withNode(o *object, queries []Query) (*object, error) {
	if k := o.deviceKey(); k == nil || !k.Slot.User() || s.token.nodes.wanted.Load() || !asksForNode(queries) {
		return o, nil
	}
	if err := s.token.showNodes(); err != nil {
		return nil, err
	}
	return s.findObject(o.handle)
}

// nodeOfKey returns what is known of a key.
func (n *nodes) nodeOfKey(k scm.Key) node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[slotIdentity(k, publicHalf)]
}

// seeNodes makes the places of these keys, and of no others, known.
func (t *token) seeNodes(keys []scm.Key) error {
	t.nodes.mu.Lock()
	defer t.nodes.mu.Unlock()
	now := make(map[identity]node, len(keys))
	for _, k := range keys {
		if !k.Slot.User() {
			continue
		}
		id := slotIdentity(k, publicHalf)
		place, known := t.nodes.known[id]
		if !known {
			var err error
			if place, err = t.nodeOf(k.Slot); err != nil {
				return err
			}
		}
		now[id] = place
	}
	t.nodes.known = now
	return nil
}

// nodeOf asks the device.
func (t *token) nodeOf(s scm.Slot) (node, error) {
	wallet, can := t.device.(scm.Wallet)
	if !can {
		return node{}, nil
	}
	address, name, _, err := wallet.NodeAddress(s)
	for _, none := range []error{scm.ErrInput, scm.ErrAbility, scm.ErrSlotEmpty} {
		if errors.Is(err, none) {
			return node{}, nil
		}
	}
	return node{address, name}, err
}

// attributes of a key that is in a wallet.
func (n node) attributes() attributes {
	if n.address == "" {
		return nil
	}
	a := attributes{CKA_ZK_WALLET: []byte(n.wallet), CKA_ZK_NODE_ADDRESS: []byte(n.address)}
	if n.wallet == bootware {
		a[CKA_DESTROYABLE] = no
	}
	return a
}

// checkRemovable returns an error unless the key in a slot may be destroyed, by what the device says
// of it now: one of the wallet that boots is as good as permanent.
func (t *token) checkRemovable(s scm.Slot) error {
	if !s.User() {
		return nil
	}
	n, err := t.nodeOf(s)
	if err == nil && n.wallet == bootware {
		return fmt.Errorf("slot %d is in the wallet %s: %w", s, bootware, scm.ErrPermanent)
	}
	return err
}
