// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Unmade describes the soft SCM that Open would make where there is none, for those who
// only look. It has no key.
type Unmade struct{ options Options }

// NewUnmade returns an error for options with which Open would fail.
func NewUnmade(o Options) (*Unmade, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	return &Unmade{options: o}, nil
}

// Info is that of the device, if it is made with the same options.
func (u *Unmade) Info() (scm.Info, error) { return u.options.describe(u.options.Serial), nil }

// Capability is that of the device.
func (u *Unmade) Capability(c scm.Curve) scm.Capability { return u.options.capability(c) }

// Lock says that the device can lock. There is no key of it yet: scm.ErrNone.
func (u *Unmade) Lock([]byte, scm.LockKey) ([]byte, error) {
	return nil, fmt.Errorf("a soft SCM that is not made yet: %w", scm.ErrNone)
}

// Unlock is the other half of Lock, with the same error.
func (u *Unmade) Unlock(locked []byte, under scm.LockKey) ([]byte, error) {
	return u.Lock(locked, under)
}
