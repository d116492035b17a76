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

// tries are those of a question to the module. One that fails is asked once more in a new
// context: a context does not survive a restart of the vendor's daemon, and its failures tell
// nothing of that. A module that was silent is asked once only: each question can take long,
// and callers wait.
//
//	for t := d.newTries(); t.next(&err); {
//		answer, err = d.api.question()
//	}
//
// The loop is not left in another way. The caller holds calls.
type tries struct {
	device *Device
	made   int
}

func (d *Device) newTries() tries { return tries{device: d} }

// next reports whether the question is to be asked, now or once more, in an open context. Before the
// first time err is nil, and in the end it is what has come of the question.
func (t *tries) next(err *error) bool {
	d := t.device
	if t.made == 0 && t.begin(err) {
		return true
	}
	if t.made == 1 && (refused(*err) || unable(*err)) {
		d.api.close()
		d.forget() // a module that has started anew may have lost keys
		if d.silent && timedOut(*err) {
			*err = absent(*err)
			return false
		}
		d.again = true
		if t.begin(err) {
			return true
		}
	}
	d.again = false
	if timedOut(*err) {
		*err = d.silence(*err)
	}
	d.silent = timedOut(*err) && errors.Is(*err, scm.ErrAbsent)
	d.notePresence(*err)
	return false
}

// begin begins a try, and reports whether there is a context for it.
func (t *tries) begin(err *error) bool {
	t.made++
	*err = t.device.connect()
	return *err == nil
}

// absent makes a timeout that of a module which is not there.
func absent(timeout error) error { return fmt.Errorf("%w: %w", scm.ErrAbsent, timeout) }

// notePresence has the other devices look at the module when a call finds it gone, or without
// its keys. The caller holds calls.
func (d *Device) notePresence(err error) {
	switch {
	case err == nil:
		d.present = true
	case d.present && (errors.Is(err, scm.ErrAbsent) || errors.Is(err, scm.ErrDestroyed)):
		d.present = false
		d.changes.noteSlot(wholeModule)
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
	err := d.connect()
	if err == nil {
		_, bound, err = d.api.binding()
	}
	switch {
	case timedOut(err):
		return absent(timeout)
	case err == nil && !bound:
		return fmt.Errorf("not bound to this host: %w", absent(timeout))
	}
	return timeout
}

// connect opens a context, unless there is one. The caller holds calls.
func (d *Device) connect() error {
	if d.closed {
		return errClosed
	}
	return d.api.open()
}
