// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// answering returns what is known, with the slots as they are now, or why the SCM does
// not answer. Every call of a host passes here once.
func (d *Device) answering(slots ...span) (*snapshot, error) {
	if s := d.known.Load(); s.steady && d.upToDate(s, slots) {
		return s, nil
	}
	for {
		s, err := d.refresh(slots...)
		if err != nil {
			return s, err
		}
		err = d.silence(s)
		switch {
		case errors.Is(err, scm.ErrAbsent):
			d.waitAbsent()
		case err == board.ErrFault && !d.spendFault():
			continue
		case err == nil:
			d.replace(func(now *snapshot) { now.steady = now.steady || now.rest == s.rest })
		}
		return s, err
	}
}

// waitAbsent makes a call last that nobody answers.
func (d *Device) waitAbsent() {
	if latency := d.options.Latency.Absent; latency > 0 {
		d.pauseFor(latency)
	}
}

// current is answering for calls that need keys.
func (d *Device) current(slots ...span) (*snapshot, error) {
	s, err := d.answering(slots...)
	if err == nil && s.condition.Destroyed {
		err = scm.ErrDestroyed
	}
	return s, err
}

// usable is current for calls that need private keys.
func (d *Device) usable(slots ...span) (*snapshot, error) {
	s, err := d.current(slots...)
	if err == nil && s.root == nil {
		err = scm.ErrSealed
	}
	return s, err
}

// unsealed returns the root key of the flash as it is now.
func (d *Device) unsealed() (*root, error) {
	s, err := d.usable()
	return s.root, err
}

// Answers returns why the SCM does not answer its host, nil when it does.
func (d *Device) Answers() error {
	_, err := d.answering()
	return err
}

// Unsealed returns why private keys cannot be used, nil when they can.
func (d *Device) Unsealed() error {
	_, err := d.usable()
	return err
}

// spendFault counts a call that fails by a Fault, and reports whether there was one to count:
// the fault may have hit others meanwhile.
func (d *Device) spendFault() bool {
	there := true
	err := d.inject(func(c *board.Condition) error {
		there = c.Link.Timeouts > 0
		c.Link.Timeouts = max(0, c.Link.Timeouts-1)
		return nil
	})
	// A user who may not write sees calls fail more often than they should.
	return there || err != nil
}

// faultOn returns the timeout of a Fault that is about one kind of call. It comes after the call was let in,
// by a device that answers.
func (d *Device) faultOn(call board.Call) error {
	s := d.known.Load()
	if s.rest == nil || !s.condition.FaultOn(call) || !d.spendFault() {
		return nil
	}
	return board.ErrFault
}

// silence is why the SCM does not answer now.
func (d *Device) silence(s *snapshot) error {
	return s.condition.Silence(d.clock(), int(d.daemon.Load()))
}

// Reconnect makes the device one that was opened just now, in the eyes of the
// daemon: calls work again after the daemon has started anew.
func (d *Device) Reconnect() error {
	s, err := d.refresh()
	if err != nil {
		return err
	}
	d.daemon.Store(int64(s.condition.Link.Daemon))
	return nil
}

// missing makes err, which says that there is no slot s, the end of a daemon that
// does not bear such numbers.
func (d *Device) missing(known *snapshot, s scm.Slot, err error) error {
	if s <= scm.LastUser || !known.condition.Link.HugeSlot && !d.options.Has(settings.DefectHugeSlot) {
		return err
	}
	died := d.inject(func(c *board.Condition) error {
		c.Link.Daemon++
		return nil
	})
	if died != nil {
		return died
	}
	return fmt.Errorf("the daemon has died of slot %d: %w", s, scm.ErrAbsent)
}
