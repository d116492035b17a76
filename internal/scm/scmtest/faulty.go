// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"sync"

	"libzk_pkcs11/internal/scm"
)

// Full is a device with every ability.
type Full interface {
	scm.Device
	scm.Agreer
	scm.Placer
	scm.Volatile
	scm.Heritable
	scm.Sealer
	scm.Capable
	scm.Locker
	scm.Keeper
	scm.Wallet
	scm.Bonded
	scm.Clock
	scm.Reconnector
}

// Faulty is a device that counts the calls to another and fails when it is told
// to. Methods are called by their names in package scm. Version, Stamp, Capability
// and Forget, which cannot fail, and cost no call to a device, go straight through
// and are not counted, nor are those of scm.Heritable, nor what scm.Bonded only tells.
type Faulty struct {
	Full

	mu     sync.Mutex
	calls  map[string]int
	before map[string]func(call int) error
}

// NewFaulty returns a device that does what d does.
func NewFaulty(d Full) *Faulty {
	return &Faulty{
		Full:   d,
		calls:  make(map[string]int),
		before: make(map[string]func(int) error),
	}
}

// Calls returns how often the method was called since NewFaulty or Reset.
func (f *Faulty) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

// Total returns how often any method was called since NewFaulty or Reset.
func (f *Faulty) Total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		n += c
	}
	return n
}

// Reset sets every count to zero and lets every method succeed.
func (f *Faulty) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.calls)
	clear(f.before)
}

// Fail makes the n-th call of the method from now on fail with err, without a
// call to the device: 1 is the next one. It takes the place of an earlier Fail
// or Before of the method.
func (f *Faulty) Fail(method string, n int, err error) {
	n += f.Calls(method)
	f.Before(method, func(call int) error {
		if call == n {
			return err
		}
		return nil
	})
}

// Before has hook called before each call of the method, with the number of the
// call, from 1. It may block to make the device a slow one; when it returns an
// error the device is not called.
func (f *Faulty) Before(method string, hook func(call int) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before[method] = hook
}

// enter counts a call and returns the error with which it has to fail.
func (f *Faulty) enter(method string) error {
	f.mu.Lock()
	f.calls[method]++
	call, hook := f.calls[method], f.before[method]
	f.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(call)
}

// through is a call of a method that returns a value.
func through[T any](f *Faulty, method string, call func() (T, error)) (T, error) {
	if err := f.enter(method); err != nil {
		var none T
		return none, err
	}
	return call()
}

// throughError is a call of a method that returns an error only.
func throughError(f *Faulty, method string, call func() error) error {
	if err := f.enter(method); err != nil {
		return err
	}
	return call()
}

// Info is scm.Device.Info.
func (f *Faulty) Info() (scm.Info, error) { return through(f, "Info", f.Full.Info) }

// Keys is scm.Device.Keys.
func (f *Faulty) Keys() ([]scm.Key, error) { return through(f, "Keys", f.Full.Keys) }

// Stamp is scm.Stamper.Stamp, or else tells when anything has changed.
func (f *Faulty) Stamp(s scm.Slot) uint64 {
	if stamper, ok := f.Full.(scm.Stamper); ok {
		return stamper.Stamp(s)
	}
	return f.Version() + 1
}

// PublicKey is scm.Device.PublicKey.
func (f *Faulty) PublicKey(s scm.Slot) (scm.Key, error) {
	return through(f, "PublicKey", func() (scm.Key, error) { return f.Full.PublicKey(s) })
}

// Generate is scm.Device.Generate.
func (f *Faulty) Generate(c scm.Curve) (scm.Key, error) {
	return through(f, "Generate", func() (scm.Key, error) { return f.Full.Generate(c) })
}

// Draft is scm.Placer.Draft. Draft.Place is a method of its own.
func (f *Faulty) Draft(c scm.Curve) (scm.Draft, error) {
	d, err := through(f, "Draft", func() (scm.Draft, error) { return f.Full.Draft(c) })
	if err != nil {
		return nil, err
	}
	return faultyDraft{d, f}, nil
}

type faultyDraft struct {
	scm.Draft
	device *Faulty
}

// Place is scm.Draft.Place.
func (d faultyDraft) Place(s scm.Slot) (scm.Key, error) {
	return through(d.device, "Place", func() (scm.Key, error) { return d.Draft.Place(s) })
}

// Free is scm.Placer.Free.
func (f *Faulty) Free(wanted func(scm.Slot) bool) (scm.Slot, error) {
	return through(f, "Free", func() (scm.Slot, error) { return f.Full.Free(wanted) })
}

// GenerateVolatile is scm.Volatile.GenerateVolatile.
func (f *Faulty) GenerateVolatile(c scm.Curve) (scm.Key, error) {
	return through(f, "GenerateVolatile", func() (scm.Key, error) { return f.Full.GenerateVolatile(c) })
}

// Remove is scm.Device.Remove.
func (f *Faulty) Remove(k scm.Key) error {
	return throughError(f, "Remove", func() error { return f.Full.Remove(k) })
}

// Sign is scm.Device.Sign.
func (f *Faulty) Sign(s scm.Slot, message []byte) ([]byte, error) {
	return through(f, "Sign", func() ([]byte, error) { return f.Full.Sign(s, message) })
}

// Agree is scm.Agreer.Agree.
func (f *Faulty) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	return through(f, "Agree", func() ([]byte, error) { return f.Full.Agree(s, peer) })
}

// Random is scm.Device.Random.
func (f *Faulty) Random(p []byte) error {
	return throughError(f, "Random", func() error { return f.Full.Random(p) })
}

// Prepare is scm.Sealer.Prepare.
func (f *Faulty) Prepare(secret []byte) error {
	return throughError(f, "Prepare", func() error { return f.Full.Prepare(secret) })
}

// Unseal is scm.Sealer.Unseal.
func (f *Faulty) Unseal(secret []byte) error {
	return throughError(f, "Unseal", func() error { return f.Full.Unseal(secret) })
}

// Offer is scm.Bonded.Offer.
func (f *Faulty) Offer(bond []byte) error {
	return throughError(f, "Offer", func() error { return f.Full.Offer(bond) })
}

// Bind is scm.Bonded.Bind.
func (f *Faulty) Bind(bond []byte) error {
	return throughError(f, "Bind", func() error { return f.Full.Bind(bond) })
}

// Lock is scm.Locker.Lock.
func (f *Faulty) Lock(plain []byte, under scm.LockKey) ([]byte, error) {
	return through(f, "Lock", func() ([]byte, error) { return f.Full.Lock(plain, under) })
}

// Unlock is scm.Locker.Unlock.
func (f *Faulty) Unlock(locked []byte, under scm.LockKey) ([]byte, error) {
	return through(f, "Unlock", func() ([]byte, error) { return f.Full.Unlock(locked, under) })
}

// Foreign is scm.Keeper.Foreign.
func (f *Faulty) Foreign() ([]scm.Key, error) { return through(f, "Foreign", f.Full.Foreign) }

// ForeignKey is scm.Keeper.ForeignKey.
func (f *Faulty) ForeignKey(s scm.Slot) (scm.Key, error) {
	return through(f, "ForeignKey", func() (scm.Key, error) { return f.Full.ForeignKey(s) })
}

// StoreForeign is scm.Keeper.StoreForeign.
func (f *Faulty) StoreForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	return through(f, "StoreForeign", func() (scm.Slot, error) { return f.Full.StoreForeign(c, public) })
}

// RemoveForeign is scm.Keeper.RemoveForeign.
func (f *Faulty) RemoveForeign(s scm.Slot) error {
	return throughError(f, "RemoveForeign", func() error { return f.Full.RemoveForeign(s) })
}

// NodeAddress is scm.Wallet.NodeAddress.
func (f *Faulty) NodeAddress(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	if err := f.enter("NodeAddress"); err != nil {
		return "", "", 0, err
	}
	return f.Full.NodeAddress(s)
}

// Reconnect is scm.Reconnector.Reconnect.
func (f *Faulty) Reconnect() error { return throughError(f, "Reconnect", f.Full.Reconnect) }

// Time is scm.Clock.Time.
func (f *Faulty) Time() (uint32, error) { return through(f, "Time", f.Full.Time) }

// NextSecond is scm.Clock.NextSecond.
func (f *Faulty) NextSecond() (uint32, error) { return through(f, "NextSecond", f.Full.NextSecond) }

// Close is scm.Device.Close.
func (f *Faulty) Close() error { return throughError(f, "Close", f.Full.Close) }
