// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/internal/turn"
)

// slot is a place for a token. Its token is there once the device below it
// could be opened.
type slot struct {
	provider *Provider
	id       uint
	options  SlotOptions

	destroyed atomic.Bool // it was told that the device has destroyed its keys

	mu          turn.Mutex // guards what follows
	life        life
	failure     string         // to open the device that was logged last
	retiring    sync.WaitGroup // tokens that are gone and wait for their last calls
	inheritance *inheritance   // what the first token takes over; nil when there is nothing
}

// SlotInfo is a CK_SLOT_INFO. The strings are not padded.
type SlotInfo struct {
	Description  string // at most 64 bytes
	Manufacturer string // at most 32 bytes
	Flags        uint
	Hardware     Version
	Firmware     Version
}

// slot returns the slot of number id.
func (p *Provider) slot(id uint) (*slot, error) {
	if id >= uint(len(p.slots)) {
		return nil, CKR_SLOT_ID_INVALID
	}
	return p.slots[id], nil
}

// Present reports whether the token in a slot is known to be there, so that nothing has to
// be opened. It does not wait.
func (p *Provider) Present(slot uint) bool {
	s, err := p.slot(slot)
	if err != nil || !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	return s.life.stage == present
}

// openToken opens the device and makes the token of it.
func (s *slot) openToken() (*token, error) {
	device, store, err := s.openDevice()
	if err != nil {
		return nil, err
	}
	s.failure = ""
	t := newToken(s, device, store)
	if s.inheritance != nil {
		t.takeOver(s.inheritance)
		s.inheritance = nil
	}
	if t.piece == 0 {
		t.leaveLogin(nil) // children are to give its objects the same handles
	}
	t.keepPromises() // last: from then on it has callers
	return t, nil
}

// openDevice opens a device that is there to answer, and is the token's.
func (s *slot) openDevice() (scm.Device, *store.Store, error) {
	device, st, err := s.options.Open()
	if err != nil {
		return nil, nil, err
	}
	if _, err := device.Info(); errors.Is(err, scm.ErrAbsent) {
		return nil, nil, errors.Join(err, st.Close(), device.Close())
	}
	pair := &token{slot: s, device: device, store: st}
	if err := pair.checkPair(); errors.Is(err, scm.ErrForeign) && !errors.Is(err, errReset) {
		return nil, nil, errors.Join(err, st.Close(), device.Close())
	}
	return device, st, nil
}

// isDamaged reports whether a token does not open before somebody mends its files.
func isDamaged(err error) bool {
	return errors.Is(err, scm.ErrForeign) || errors.Is(err, store.ErrMissing) || errors.Is(err, store.ErrCorrupt)
}

// logFailure says little of a device that is not there: programs that load every
// module of the system ask for it too.
func (s *slot) logFailure(err error) {
	text := err.Error()
	if text == s.failure { // it is tried again and again
		return
	}
	s.failure = text
	if errors.Is(err, scm.ErrAbsent) {
		s.provider.log.Infof(`slot %d: there is no token: %s; "zk_pkcs11-util %s" says what to do`, s.id, text, s.adviser(err))
		return
	}
	report := s.provider.log.Errorf
	if errors.Is(err, fs.ErrPermission) && s.provider.asksInVain() {
		report = s.provider.log.Infof // the files of somebody else, in each program that he starts
	}
	report("slot %d: %s", s.id, text)
}

// adviser is the command that tells more of a device that is not there. Root is told nothing of what others may not do,
// unless it asks for their process.
func (s *slot) adviser(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "doctor --pid PID, with the number of this process,"
	}
	return fmt.Sprintf("scm status --slot %d", s.id)
}

// reportDestroyed tells once that the keys of an SCM are gone, and what was sealed under it with
// them: the slot opens it again and again.
func (s *slot) reportDestroyed() {
	if !s.destroyed.Swap(true) {
		s.provider.log.Errorf("slot %d: the SCM has destroyed its keys, and nobody can open the private objects any more, which stay in token.db: put a copy of flash.db back, or reset a soft SCM or exchange one in hardware, and initialise the token again", s.id)
	}
}

// GetSlotList lists the slots (section 5.5.1).
func (p *Provider) GetSlotList(out Output[uint]) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	ids := make([]uint, 0, len(p.slots))
	for _, s := range p.slots {
		ids = append(ids, s.id)
	}
	return out.writeResult(ids)
}

// GetSlotListWithToken is GetSlotList with CK_TRUE: it lists the slots that have a token.
func (p *Provider) GetSlotListWithToken(out Output[uint]) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	for _, s := range p.slots {
		if !s.isUnmade() {
			_, _ = s.token() // all that start are waited for at the same time
		}
	}
	ids := []uint{}
	for _, s := range p.slots {
		if s.hasSoughtToken() {
			ids = append(ids, s.id)
		}
	}
	return out.writeResult(ids)
}

// GetSlotInfo describes a slot (section 5.5.2).
func (p *Provider) GetSlotInfo(id uint) (SlotInfo, error) {
	if err := p.enter(); err != nil {
		return SlotInfo{}, err
	}
	defer p.leave()
	s, err := p.slot(id)
	if err != nil {
		return SlotInfo{}, err
	}
	info := SlotInfo{Description: s.options.Description, Manufacturer: Manufacturer}
	if s.options.Hardware {
		info.Flags |= CKF_HW_SLOT | CKF_REMOVABLE_DEVICE // which may be absent
	}
	if d, there := s.soughtDevice(); there {
		info.Flags |= CKF_TOKEN_PRESENT
		if d, err := d.Info(); err == nil {
			info.Manufacturer, info.Firmware = d.Manufacturer, firmwareVersion(d.Firmware)
		}
	}
	return info, nil
}

// asksInVain reports whether the program asks for tokens that it may not need.
func (p *Provider) asksInVain() bool {
	return p.options.Quirks != nil && p.options.Quirks().WaitForSessionsOnly
}

// aside has another goroutine do what may last as long as a device takes to open.
func (p *Provider) aside(work func() error) error { return turn.Aside(work, p.options.Pause) }

// pauseUnlessClosed waits, and reports whether the provider lives on.
func (p *Provider) pauseUnlessClosed(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return false
	case <-timer.C:
		return true
	}
}

// WaitForSlotEvent waits for a token to come or go, and returns the slot (section 5.5.4).
// Without CKF_DONT_BLOCK it waits until C_Finalize.
func (p *Provider) WaitForSlotEvent(flags uint) (uint, error) {
	for {
		id, err := p.slotEvent()
		if err != CKR_NO_EVENT || flags&CKF_DONT_BLOCK != 0 {
			return id, err
		}
		if !p.pauseUnlessClosed(openAgain) {
			return 0, CKR_CRYPTOKI_NOT_INITIALIZED
		}
	}
}

func (p *Provider) slotEvent() (uint, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	for _, s := range p.slots {
		if s.hasEvent() {
			return s.id, nil
		}
	}
	return 0, CKR_NO_EVENT
}

// firmwareVersion reads the first two numbers of a firmware string such as
// "01.02.02release".
func firmwareVersion(s string) Version {
	var n [2]byte
	i := 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			n[i] = n[i]*10 + c - '0'
		case c == '.' && i == 0:
			i = 1
		default:
			return Version{n[0], n[1]}
		}
	}
	return Version{n[0], n[1]}
}
