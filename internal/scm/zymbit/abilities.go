// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// maxLock is how many bytes the module is asked to lock at once. The vendor tells
// no limit, and locks 131,072 in an example.
const maxLock = 1 << 19

// Lock encrypts and signs data by the module. ErrInput for more than 512 KiB.
func (d *Device) Lock(plain []byte, under scm.LockKey) (locked []byte, err error) {
	if len(plain) > maxLock {
		return nil, fmt.Errorf("%d bytes to lock: %w", len(plain), scm.ErrInput)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		locked, err = d.api.lock(plain, under)
	}
	return locked, err
}

// Unlock undoes Lock.
func (d *Device) Unlock(locked []byte, under scm.LockKey) (plain []byte, err error) {
	if len(locked) > maxOutput {
		return nil, fmt.Errorf("%d bytes to unlock: %w", len(locked), scm.ErrAuth)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		plain, err = d.api.unlock(locked, under)
	}
	if err == nil && plain == nil {
		err = scm.ErrAuth
	}
	return plain, err
}

// Time returns what the clock of the module says.
func (d *Device) Time() (seconds uint32, err error) {
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		seconds, err = d.api.time()
	}
	return seconds, err
}

// NextSecond is Time that answers at the moment in which the second begins.
func (d *Device) NextSecond() (seconds uint32, err error) {
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		seconds, err = d.api.nextSecond()
	}
	return seconds, err
}
