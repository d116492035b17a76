// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// A key pair on the token is a key in a slot, and records that name its halves. Where the
// device tells the key beforehand the records come first, and say nothing until the key is
// there: whenever a process dies, there is a pair with its names, or none.

// generatePlaced makes a key pair in a slot that is chosen here.
func (s *session) generatePlaced(r *pairRequest, d scm.Placer) (pairHandles, error) {
	draft, err := d.Draft(r.curve.curve)
	if err != nil {
		return pairHandles{}, err
	}
	defer draft.Discard()
	asked := r.asksForSlot()
	if asked {
		s.token.mendJournal(mendWait) // somebody may have died with this slot in hand
	}
	for {
		pair, err := s.placePair(&placing{session: s, request: r, device: d, draft: draft})
		if err == nil {
			return pair.handles(), nil
		}
		if asked {
			return pairHandles{}, slotRefusal(err)
		}
		if !errors.Is(err, scm.ErrSlotTaken) { // by another program, just now
			return pairHandles{}, err
		}
	}
}

func (s *session) placePair(p *placing) (*madePair, error) {
	t := s.token
	t.changes.Lock()
	defer t.changes.Unlock()
	err := t.journaled(p, t.store.Update)
	if p.acted && p.remembered {
		t.replaces(p.pair.key.Slot)
	}
	if err != nil {
		t.dropHalf(p.pair)
		return nil, err
	}
	t.nameHalves(p.pair)
	return p.pair, nil
}

// placing is a key pair that is about to come into its slot.
type placing struct {
	session *session
	request *pairRequest
	device  scm.Placer
	draft   scm.Draft
	pair    *madePair

	before     []*store.Record // that gave way in the slot
	remembered bool            // something gave way, and has not been put back
	acted      bool
}

func (p *placing) prepare(tx *store.Tx) ([]*store.Entry, error) {
	slot, err := p.chooseSlot(tx)
	if err != nil {
		return nil, err
	}
	k := scm.Key{Slot: slot, Curve: p.request.curve.curve, Public: p.draft.Public()}
	p.session.token.dropHalf(p.pair) // when called again
	p.pair = p.session.token.newPair(p.request, k)
	if err := p.giveWay(tx, slot); err != nil {
		return nil, err
	}
	return []*store.Entry{entryOf(store.Placing, k)}, p.session.recordPair(tx, p.pair)
}

func (p *placing) perform() error {
	p.acted = true
	_, err := p.draft.Place(p.pair.key.Slot)
	return err
}

func (p *placing) conclude(tx *store.Tx, failed error) error {
	switch {
	case failed == nil:
		return nil
	case !refusesToPlace(failed):
		return errUnknown
	}
	err := tx.DeleteSlot(int(p.pair.key.Slot), p.pair.key.Public)
	for _, r := range p.before {
		r.ID = 0
		err = errors.Join(err, tx.Put(r))
	}
	p.remembered = p.remembered && err != nil
	return err
}

// giveWay takes down what the store remembers of a key that its slot has lost. It is written
// again if no key comes into the slot; a record that is damaged is not.
func (p *placing) giveWay(tx *store.Tx, slot scm.Slot) (err error) {
	p.before = nil
	if p.remembered, err = tx.Remembers(int(slot)); err != nil || !p.remembered {
		return err
	}
	for half := range 2 * store.MostNames {
		r, err := tx.Current(&store.Record{Slot: store.NameSlot(int(slot), half/2), Private: half%2 == 1})
		switch {
		case err == nil:
			p.before = append(p.before, r)
		case !errors.Is(err, store.ErrNoRecord):
			return err
		}
	}
	return nil
}

// refusesToPlace reports whether an answer tells for sure that no key came into its slot.
func refusesToPlace(err error) bool {
	for _, cause := range []error{scm.ErrSlotTaken, scm.ErrSlotRange, scm.ErrFull, scm.ErrSealed, scm.ErrBusy} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

func (*placing) recorded() bool { return true }

// chooseSlot returns the slot that was asked for, or a free one that the store does not remember,
// while there is one.
func (p *placing) chooseSlot(tx *store.Tx) (scm.Slot, error) {
	t := p.session.token
	if p.request.asksForSlot() {
		slot := scm.Slot(p.request.private.number(CKA_ZK_SLOT))
		return slot, t.checkFree(tx, slot)
	}
	free := &freeSlots{token: t, tx: tx}
	slot, err := p.device.Free(free.isForgotten)
	if free.failed == nil && errors.Is(err, scm.ErrFull) {
		slot, err = p.device.Free(free.mayFill)
	}
	return slot, errors.Join(free.failed, err)
}

// freeSlots tells which of the slots that are free a key pair may take.
type freeSlots struct {
	token  *token
	tx     *store.Tx
	failed error // of the store
}

// isForgotten reports whether the store remembers no key of a slot.
func (f *freeSlots) isForgotten(slot scm.Slot) bool {
	remembered, err := f.tx.Remembers(int(slot))
	f.failed = errors.Join(f.failed, err)
	return !remembered
}

func (f *freeSlots) mayFill(slot scm.Slot) bool { return f.token.checkFree(f.tx, slot) == nil }

// checkFree returns ErrSlotTaken for a slot that holds a key, or is about to.
func (t *token) checkFree(tx *store.Tx, slot scm.Slot) error {
	entries, err := tx.Journal()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Slot == int(slot) {
			return scm.ErrSlotTaken
		}
	}
	_, err = t.device.PublicKey(slot)
	switch {
	case err == nil, errors.Is(err, scm.ErrExport):
		return scm.ErrSlotTaken
	case errors.Is(err, scm.ErrSlotEmpty):
		return nil
	}
	return err
}

// replaces logs that what the store remembers of a key that is not there any more gives way
// to a new key.
func (t *token) replaces(slot scm.Slot) {
	t.slot.provider.log.Warningf("slot %d: a new key takes key slot %d; what the store remembers of the key that was lost there is given up", t.slot.id, slot)
}

// recordPair writes what the caller said of a key pair in a user key slot. A public half without
// CKA_TOKEN is a session object, and the slot shows none.
func (s *session) recordPair(tx *store.Tx, pair *madePair) error {
	t := s.token
	public, private := t.record(pair.public), t.record(pair.private)
	onToken := pair.public.attrs.isTrue(CKA_TOKEN)
	public.Hidden = !onToken
	own := tx.Own(store.OwnKey{Slot: public.Slot, Public: public.Public})
	names := tx.DeleteFurtherNames(public.Slot) // of a key that the slot has lost
	if err := errors.Join(tx.Put(public), tx.Put(private), own, names); err != nil || onToken {
		return err
	}
	o := pair.public
	o.place = nil
	o.attrs.leaveSlot()
	_, err := s.keepObject(o.attrs, o)
	return err
}

// dropHalf destroys the public half of a key pair that was not made, if it is a session
// object already.
func (t *token) dropHalf(pair *madePair) {
	if pair != nil && pair.public.owner != nil {
		t.dropObject(pair.public)
	}
}

// nameHalves gives the halves in a key slot their handles.
func (t *token) nameHalves(pair *madePair) {
	for _, o := range pair.halves() {
		if o.attrs.isTrue(CKA_TOKEN) {
			o.handle = t.slotHandle(o)
		}
	}
}
