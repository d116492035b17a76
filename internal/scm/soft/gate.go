// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
)

// answering returns what the flash holds now, or why the SCM does not answer.
// Every call of a host passes here, or through usable, once.
func (d *Device) answering() (*flash, error) {
	d.mu.RLock()
	f, steady := d.flash, d.steady && d.fresh()
	d.mu.RUnlock()
	if steady {
		return f, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.answer()
	return d.flash, err
}

// current is answering for calls that need keys.
func (d *Device) current() (*flash, error) {
	f, err := d.answering()
	if err == nil && f.condition.Destroyed {
		err = scm.ErrDestroyed
	}
	return f, err
}

// unsealed returns the root key of the flash as it is now.
func (d *Device) unsealed() (*root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.open()
	return d.root, err
}

// open checks that keys can be used. The caller holds mu for writing.
func (d *Device) open() error {
	if err := d.answer(); err != nil {
		return err
	}
	if d.flash.condition.Destroyed {
		return scm.ErrDestroyed
	}
	if d.root == nil {
		return scm.ErrSealed
	}
	return nil
}

// answer makes the caches what the flash holds now, and answers why the SCM does
// not answer. The caller holds mu for writing.
func (d *Device) answer() error {
	if err := d.refresh(); err != nil {
		return err
	}
	err := d.silence(d.clock())
	if errors.Is(err, scm.ErrAbsent) {
		// Others wait, too, as they do for a daemon that waits for an answer.
		d.wait(d.options.Latency.Absent)
	}
	if err == errFault {
		// A user who may not write sees calls fail more often than they should.
		_ = d.inject(func(c *condition) error {
			c.Link.Timeouts = max(0, c.Link.Timeouts-1)
			return nil
		})
	}
	d.steady = err == nil
	return err
}

// errFault is the timeout of a Fault, which lasts for a number of calls.
var errFault = fmt.Errorf("fault: %w", scm.ErrTimeout)

// silence is why the SCM does not answer at a given time. The caller holds mu.
func (d *Device) silence(now time.Time) error {
	c := &d.flash.condition
	if why := c.absence(); why != "" {
		return fmt.Errorf("%s: %w", why, scm.ErrAbsent)
	}
	switch l := &c.Link; {
	case now.Before(l.Ready):
		return fmt.Errorf("still starting: %w", scm.ErrAbsent)
	case l.Daemon != d.daemon:
		return fmt.Errorf("the daemon has started anew: %w", scm.ErrAbsent)
	case l.Timeouts > 0:
		return errFault
	case now.Before(l.Settled):
		return fmt.Errorf("still settling: %w", scm.ErrTimeout)
	}
	return nil
}

// Reconnect makes the device one that was opened just now, in the eyes of the
// daemon: calls work again after the daemon has started anew.
func (d *Device) Reconnect() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(); err != nil {
		return err
	}
	d.daemon = d.flash.condition.Link.Daemon
	return nil
}

// missing makes err, which says that there is no slot s, the end of a daemon that
// does not bear such numbers.
func (d *Device) missing(f *flash, s scm.Slot, err error) error {
	if s <= scm.LastUser || !f.condition.Link.HugeSlot && !d.options.has(DefectHugeSlot) {
		return err
	}
	died := d.inject(func(c *condition) error {
		c.Link.Daemon++
		return nil
	})
	if died != nil {
		return died
	}
	return fmt.Errorf("the daemon has died of slot %d: %w", s, scm.ErrAbsent)
}
