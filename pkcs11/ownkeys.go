// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// An SCM has keys that other programs have made, by the vendor's API, and others in its foreign slots. The token shows
// them, and does not take them along when it is initialised: what goes are its own keys, which
// were made by way of it (docs/adr/0036-first-day.md).

// Losses are what C_InitToken destroys, and what it leaves.
type Losses struct {
	Keys    []LostKey
	Stored  StoredLosses
	Named   []LostKey // keys of other programs and of the factory that have a name in the token: they stay without it
	Factory int       // keys in permanent key slots, which stay
	Others  int       // keys of other programs in user key slots, which stay
	Foreign int       // foreign keys, which stay
}

// StoredLosses are the objects in the token's store that C_InitToken destroys, by what a caller without a login sees.
type StoredLosses struct {
	Pairs        []string // labels of public keys outside of key slots, as far as there are sealed objects for them
	PublicKeys   []string // those for which there is none
	Secrets      []string // labels of secret keys
	Certificates []string // labels
	Data         int      // all else that is seen
	Private      int      // sealed objects that are not the other half of a pair: keys and data that only a login shows
}

// Count is how many objects there are, a pair being one.
func (l StoredLosses) Count() int {
	return len(l.Pairs) + len(l.PublicKeys) + len(l.Secrets) + len(l.Certificates) + l.Data + l.Private
}

// LostKey is a key pair in a key slot.
type LostKey struct {
	Slot  int
	Label string // of its public key object, if that is there for everybody to see
}

// LossesOf tells what InitToken would destroy now.
func (p *Provider) LossesOf(slot uint) (l Losses, err error) {
	t, err := p.awaitedToken(slot)
	if err != nil {
		return l, err
	}
	defer t.done(&err)
	own, err := t.ownKeys()
	if err != nil {
		return l, err
	}
	t.foreignWanted.Store(true)
	c, err := t.currentCatalog()
	if err != nil {
		return l, err
	}
	l.addKeys(c, own)
	l.Stored, err = storedLosses(t.store)
	return l, err
}

// addKeys adds what there is in key slots.
func (l *Losses) addKeys(c *catalog, own []scm.Key) {
	for _, k := range c.keys {
		named := LostKey{int(k.Slot), c.labelOf(k)}
		isOwn := slices.ContainsFunc(own, func(o scm.Key) bool { return o.Slot == k.Slot })
		switch {
		case isForeign(k.Slot):
			l.Foreign++
			continue
		case isOwn:
			l.Keys = append(l.Keys, named)
			continue
		case k.Slot.User():
			l.Others++
		default:
			l.Factory++
		}
		if len(c.slots[k.Slot].records) > 0 {
			l.Named = append(l.Named, named)
		}
	}
}

// storedLosses sorts what is in a store.
func storedLosses(tokens *store.Store) (l StoredLosses, err error) {
	sealed, err := readUnsealed(tokens, l.add)
	l.pair(sealed)
	return l, err
}

// readUnsealed reads the objects of a store that are not sealed, and returns how many others there are. Other processes
// may destroy some in between, so that this is a number of a moment.
func readUnsealed(tokens *store.Store, read func(attributes)) (sealed int, err error) {
	seen := 0
	_, damaged, err := tokens.Find(nil, func(r *store.Record) {
		if !r.Sealed {
			seen++
			read(attributesOf(r))
		}
	})
	if err != nil {
		return 0, err
	}
	all, err := tokens.Stored()
	return max(0, all-seen-len(damaged)), err
}

// add adds an object that is not sealed.
func (l *StoredLosses) add(a attributes) {
	label := string(a[CKA_LABEL])
	switch a.number(CKA_CLASS) {
	case CKO_PUBLIC_KEY:
		l.Pairs = append(l.Pairs, label)
	case CKO_SECRET_KEY:
		l.Secrets = append(l.Secrets, label)
	case CKO_CERTIFICATE:
		l.Certificates = append(l.Certificates, label)
	default:
		l.Data++
	}
}

// pair takes public keys and sealed objects for pairs. Which belong together, and what the others are, only a login shows.
func (l *StoredLosses) pair(sealed int) {
	pairs := min(len(l.Pairs), sealed)
	l.Pairs, l.PublicKeys = l.Pairs[:pairs], l.Pairs[pairs:]
	l.Private = sealed - pairs
}

// labelOf is the label of the public key object of a key, empty without one.
func (c *catalog) labelOf(k scm.Key) string {
	for _, o := range c.slots[k.Slot].objects {
		if o.id == slotIdentity(k, publicHalf) {
			return string(o.attrs[CKA_LABEL])
		}
	}
	return ""
}

// ownKeys are the keys in the device that were made by way of the token.
func (t *token) ownKeys() ([]scm.Key, error) {
	keys, err := t.device.Keys()
	if err != nil {
		return nil, err
	}
	noted, err := t.store.OwnKeys()
	made := make(map[identity]bool, len(noted))
	for _, k := range noted {
		made[slotIdentity(scm.Key{Slot: scm.Slot(k.Slot), Public: k.Public}, publicHalf)] = true
	}
	return slices.DeleteFunc(keys, func(k scm.Key) bool { return !k.Slot.User() || !made[slotIdentity(k, publicHalf)] }), err
}

// removeOwnKeys empties the key slots of own keys, as far as that is possible. Those that
// another process empties at the same time, or that go with another key of a wallet,
// are as they should be; what the device keeps for itself stays.
func (t *token) removeOwnKeys(own []scm.Key) (failed error) {
	var gone []store.OwnKey
	for _, k := range own {
		err := t.removeOwnKey(k, own)
		switch {
		case err == nil, errors.Is(err, scm.ErrSlotEmpty), errors.Is(err, scm.ErrPermanent):
			gone = append(gone, store.OwnKey{Slot: int(k.Slot), Public: k.Public})
		default:
			failed = errors.Join(failed, fmt.Errorf("slot %d: %w", k.Slot, err))
		}
	}
	if len(gone) > 0 {
		_, err := t.store.Relaxed(func(tx *store.Tx) error { return tx.Disown(gone...) })
		t.warnIfFailed("noting which keys are gone", err)
	}
	return failed
}

// removeOwnKey leaves a key from which other programs have derived some of theirs: they
// would go with it.
func (t *token) removeOwnKey(k scm.Key, own []scm.Key) error {
	if err := t.checkRemovable(k.Slot); err != nil {
		return err
	}
	derived, err := t.derivedFrom(k)
	if err != nil {
		return err
	}
	for _, d := range derived {
		if !slices.ContainsFunc(own, func(k scm.Key) bool { return k.Slot == d.Slot }) {
			t.slot.provider.log.Warningf("slot %d: the key in key slot %d stays, because another program has derived the one in key slot %d from it",
				t.slot.id, k.Slot, d.Slot)
			return nil
		}
	}
	return t.device.Remove(scm.Key{Slot: k.Slot})
}
