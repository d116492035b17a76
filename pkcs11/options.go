// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// Options are the settings of a [Provider].
type Options struct {
	// Slots are the slots, whose IDs are their positions.
	Slots []SlotOptions
	// ECPointRaw shows CKA_EC_POINT of Ed25519 and X25519 keys as the raw 32
	// bytes instead of a DER OCTET STRING.
	ECPointRaw bool
	// SealedKeys has keys that no key slot can hold be sealed in the store. Without it there are
	// the keys of the device alone.
	SealedKeys bool
	// Quirks says which known defects of the program around us to spare it. It
	// is asked when a search could meet one; nil means none.
	Quirks func() Quirks
	// Handles is the last handle that was given. Providers that follow one
	// another in a process share it, so that no handle of one means something
	// to the next; nil starts anew.
	Handles *atomic.Uint64
	// Pause is how a call sleeps while it waits for another one: a library lets
	// its host's signals through meanwhile. nil is time.Sleep.
	Pause func(time.Duration)
	// Estate is where forked children find what they take over, and what this
	// provider takes over itself; nil leaves nothing and takes nothing.
	Estate Estate
	// Log takes what an operator should know; nil discards it.
	Log Logger
}

// SlotOptions describe one slot.
type SlotOptions struct {
	// Description of the slot, at most 64 bytes.
	Description string
	// Hardware tells that the device is one, not software.
	Hardware bool
	// ShowBound leaves out the keys in key slots, and in foreign slots, of which nobody has said anything.
	ShowBound bool
	// Open opens the device and its token's store. It is called when a call
	// first needs them, and again some time after it failed.
	Open func() (scm.Device, *store.Store, error)
	// Unmade describes the device that Open would make, where there is none; it returns nil where
	// Open makes none. A program that only looks at slots and tokens has none made. May be nil.
	Unmade func() Unmade
	// BootWait is how long C_OpenSession, C_InitToken, C_GetSlotInfo, C_GetTokenInfo, and C_GetSlotList for those
	// with a token wait for a device that answers scm.ErrTimeout, from when it was first asked.
	BootWait time.Duration
}

// Unmade describes a device that has not been made yet. What it can do is found by assertion, as with a device.
type Unmade interface {
	// Info is that of the device that Open makes, also its serial number, if no other process makes one before.
	Info() (scm.Info, error)
}

// Quirks are the defects of clients that are worked around (docs/adr/0013).
type Quirks struct {
	// HideOtherKeyTypes leaves keys that are neither RSA nor EC out of a
	// search by CKA_CLASS alone: OpenSSL's engine of libp11 up to 0.4.16
	// gives up all keys when it meets one.
	HideOtherKeyTypes bool
	// HideUnknownCurves leaves public keys on curves that OpenSSH does not
	// know (secp256k1) out of every search.
	HideUnknownCurves bool
	// WaitForSessionsOnly has nobody but C_OpenSession and C_InitToken wait for a device that starts: the
	// program has the modules of the system in it, and perhaps no use for this one.
	WaitForSessionsOnly bool
}

// Logger takes lines for the operator. Lines never hold secrets.
type Logger interface {
	Errorf(format string, args ...any)
	Warningf(format string, args ...any)
	Infof(format string, args ...any)
}

// quiet is the Logger of a provider that was given none.
type quiet struct{}

func (quiet) Errorf(string, ...any)   {}
func (quiet) Warningf(string, ...any) {}
func (quiet) Infof(string, ...any)    {}
