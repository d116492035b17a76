// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
)

// turnPause is how long a host's thread waits before it asks for its turn again.
const turnPause = time.Millisecond

// takeTurn locks calls. The others can take long, so that a host's thread waits outside
// of Go, where its signals are handled.
func (d *Device) takeTurn() {
	for !d.calls.TryLock() {
		if !paused(turnPause) {
			d.calls.Lock()
			return
		}
	}
}

// retry calls f with an open context. When f fails it does so once more with a
// new one: a context does not survive a restart of the vendor's daemon, and its
// failures tell nothing of that. A module that was silent is asked once only: each
// question can take long, and callers wait.
func (d *Device) retry(f func() error) error {
	d.takeTurn()
	defer d.calls.Unlock()
	return d.retryLocked(f)
}

func (d *Device) retryLocked(f func() error) error {
	err := d.onceLocked(f)
	if refused(err) || unable(err) {
		d.api.close()
		d.forget() // a module that has started anew may have lost keys
		if d.silent && timedOut(err) {
			return absent(err)
		}
		d.again = true
		err = d.onceLocked(f)
		d.again = false
	}
	if timedOut(err) {
		err = d.silence(err)
	}
	d.silent = timedOut(err) && errors.Is(err, scm.ErrAbsent)
	d.tell(err)
	return err
}

// absent makes a timeout that of a module which is not there.
func absent(timeout error) error { return fmt.Errorf("%w: %w", scm.ErrAbsent, timeout) }

// tell has the other devices look at the module when a call finds it gone, or without
// its keys. The caller holds calls.
func (d *Device) tell(err error) {
	switch {
	case err == nil:
		d.present = true
	case d.present && (errors.Is(err, scm.ErrAbsent) || errors.Is(err, scm.ErrDestroyed)):
		d.present = false
		d.changes.note(wholeModule)
	}
}

// silence makes a timeout ErrAbsent, too, when the module is not there: the vendor's
// library does not tell one that is not bound to this host, or not plugged in, from
// one that is slow. The one that is slow answers what costs it nothing. A module that
// has answered nothing yet is not asked. The caller holds calls.
func (d *Device) silence(timeout error) error {
	if !d.present {
		return absent(timeout)
	}
	bound := false
	err := d.onceLocked(func() (err error) {
		_, bound, err = d.api.binding()
		return err
	})
	switch {
	case timedOut(err):
		return absent(timeout)
	case err == nil && !bound:
		return fmt.Errorf("not bound to this host: %w", absent(timeout))
	}
	return timeout
}

// onceLocked calls f with an open context. The caller holds calls.
func (d *Device) onceLocked(f func() error) error {
	if d.closed {
		return errClosed
	}
	if err := d.api.open(); err != nil {
		return err
	}
	return f()
}
