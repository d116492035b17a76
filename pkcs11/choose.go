// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// generateChosen makes a key pair in a slot that the device chooses.
func (s *session) generateChosen(r *pairRequest) (pairHandles, error) {
	t := s.token
	if r.asksForSlot() {
		return pairHandles{}, r.unplaced()
	}
	t.changes.Lock()
	defer t.changes.Unlock()
	known, err := t.knownKeys()
	if err != nil {
		return pairHandles{}, err
	}
	c := &choosing{session: s, request: r, known: known}
	if err := t.journaled(c, t.store.Update); err != nil {
		return pairHandles{}, err
	}
	t.nameHalves(c.pair)
	return c.pair.handles(), nil
}

// unplaced is the answer of a device that chooses the slot to a caller that asks for one.
func (r *pairRequest) unplaced() error {
	if slot := scm.Slot(r.private.number(CKA_ZK_SLOT)); !slot.Permanent() && !slot.User() {
		return slotRefusal(scm.ErrSlotRange)
	}
	return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ZK_SLOT, "is the device's own choice")
}

// choosing is a key pair that the device is about to make. It has names only afterwards.
type choosing struct {
	session *session
	request *pairRequest
	known   []byte // keys that were there before
	pair    *madePair
	written bool // the records are
}

func (c *choosing) prepare(*store.Tx) ([]*store.Entry, error) {
	return []*store.Entry{{Kind: store.Choosing, Known: c.known}}, nil
}

// perform removes the key again if it could not be recorded, also after a panic.
func (c *choosing) perform() error {
	t := c.session.token
	k, err := t.device.Generate(c.request.curve.curve)
	if err != nil {
		return err
	}
	defer c.removeUnlessRecorded(k)
	c.pair = t.newPair(c.request, k)
	err = t.updateStore(c.recordPair)
	c.written = err == nil
	return err
}

func (c *choosing) recordPair(tx *store.Tx) error {
	slot := c.pair.key.Slot
	remembered, err := tx.Remembers(int(slot))
	if err != nil {
		return err
	}
	if remembered {
		c.session.token.replaces(slot)
	}
	return c.session.recordPair(tx, c.pair)
}

// removeUnlessRecorded removes a key again that was not recorded.
func (c *choosing) removeUnlessRecorded(k scm.Key) {
	if c.written {
		return
	}
	t := c.session.token
	t.dropHalf(c.pair)
	t.warnIfFailed("erasing a new key that could not be recorded", t.device.Remove(k))
}

func (c *choosing) conclude(_ *store.Tx, failed error) error {
	if failed != nil {
		return errUnknown
	}
	return nil
}

func (*choosing) recorded() bool { return true }
