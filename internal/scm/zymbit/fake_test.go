// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// fake is a library with a soft SCM behind it, which fails as it is told.
type fake struct {
	*wallet.Device
	t *testing.T

	failures   []error           // of the next calls, nil for none
	restarted  bool              // the context is dead
	unverified bool              // the module verifies no signatures
	unbound    bool              // the module says that it is not bound
	lacks      []string          // functions
	version    string            // of the firmware
	hidden     map[scm.Slot]bool // slots whose public key is not shown
	indices    []uint32          // of children
	wordless   bool              // it tells no words of wallets
	seeds      []scm.WalletSeed  // that it got
	serial     string
	calls      []string // that were made
	form       string   // of public keys
	late       string   // call that is made, and times out
	beside     int      // keys that another program makes at the same time
}

func newFake(t *testing.T) *fake {
	t.Helper()
	d, err := soft.Open(t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{BootDir: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &fake{Device: wallet.On(d), t: t, version: "01.00.00", serial: "0123456789abcdefXYZ", hidden: map[scm.Slot]bool{}}
}

// device opens a device on the fake.
func (f *fake) device(change ...func(*Options)) *Device {
	f.t.Helper()
	o := Options{Refresh: time.Hour, Group: -1}
	for _, c := range change {
		c(&o)
	}
	d, err := open(o, f)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { d.Close() })
	return d
}

// count returns how many calls f makes.
func (f *fake) count(do func()) int {
	before := len(f.calls)
	do()
	return len(f.calls) - before
}

var errRefusal = &failure{"fake", syscall.EINVAL}
var errTimeout = &failure{"fake", syscall.ETIMEDOUT}

// call begins each call of the library but open and close.
func (f *fake) call(name string) error {
	f.calls = append(f.calls, name)
	if f.restarted {
		return errRefusal
	}
	if len(f.failures) == 0 {
		return nil
	}
	err := f.failures[0]
	f.failures = f.failures[1:]
	return err
}

// answer makes an error of the soft SCM one of the library.
func answer(err error) error {
	if err != nil {
		return errRefusal
	}
	return nil
}

func (f *fake) open() error       { f.restarted = false; return nil }
func (f *fake) close()            { f.restarted = true }
func (f *fake) missing() []string { return f.lacks }

func (f *fake) text(p property) (string, error) {
	return [...]string{model: " MODEL\n", firmware: f.version, serial: f.serial}[p], f.call("text")
}

func (f *fake) binding() (production, bound bool, err error) {
	return false, !f.unbound, f.call("binding")
}

func (f *fake) volts() (float32, error)     { return 3, f.call("volts") }
func (f *fake) celsius() (float32, error)   { return 30, f.call("celsius") }
func (f *fake) breaches() ([]uint32, error) { return []uint32{0, 0}, f.call("breaches") }

func (f *fake) random(n int) ([]byte, error) {
	b := make([]byte, n)
	return b, errors.Join(f.call("random"), f.Random(b))
}

func (f *fake) slots() ([]scm.Slot, error) {
	if err := f.call("slots"); err != nil {
		return nil, err
	}
	numbers, err := f.Slots()
	return append([]scm.Slot{100000}, numbers...), err // of a module that has more than we know
}

func (f *fake) publicKey(s scm.Slot) ([]byte, error) {
	if err := f.call("publicKey"); err != nil {
		return nil, err
	}
	if f.hidden[s] {
		return nil, errRefusal
	}
	k, err := f.PublicKey(s)
	if err == nil && f.form != "" {
		if other, ok := forms(k)[f.form]; ok {
			return other, nil
		}
	}
	return k.Public, answer(err)
}

// inTime is what a call answers that was made.
func (f *fake) inTime(call string, err error) error {
	if f.late == call {
		return errTimeout
	}
	return answer(err)
}

func (f *fake) sign(s scm.Slot, digest []byte) ([]byte, error) {
	if err := f.call("sign"); err != nil {
		return nil, err
	}
	sig, err := f.Sign(s, digest)
	return sig, answer(err)
}

func (f *fake) agree(s scm.Slot, peer []byte) ([]byte, error) {
	if err := f.call("agree"); err != nil {
		return nil, err
	}
	secret, err := f.Agree(s, peer)
	return secret, answer(err)
}

func (f *fake) generate(c scm.Curve) (scm.Slot, error) {
	if err := f.call("generate"); err != nil {
		return 0, err
	}
	for range f.beside {
		if _, err := f.Generate(c); err != nil {
			return 0, answer(err)
		}
	}
	k, err := f.Generate(c)
	return k.Slot, f.inTime("generate", err)
}

func (f *fake) remove(s scm.Slot) error {
	err := f.call("remove")
	if timedOut(err) { // the module goes on while the library gives up
		return errors.Join(err, f.Remove(scm.Key{Slot: s}))
	}
	if err != nil {
		return err
	}
	return f.inTime("remove", f.Remove(scm.Key{Slot: s}))
}

func (f *fake) foreignSlots() ([]scm.Slot, error) {
	if err := f.call("foreignSlots"); err != nil {
		return nil, err
	}
	return f.ForeignSlots()
}

func (f *fake) foreignKey(s scm.Slot) ([]byte, error) {
	if err := f.call("foreignKey"); err != nil {
		return nil, err
	}
	k, err := f.ForeignKey(s)
	return k.Public, answer(err)
}

func (f *fake) storeForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	if err := f.call("storeForeign"); err != nil {
		return 0, err
	}
	s, err := f.StoreForeign(c, public)
	return s, f.inTime("storeForeign", err)
}

func (f *fake) verify(s scm.Slot, digest, sig []byte) (bool, error) {
	return f.verifyBy(f.Verify, s, digest, sig)
}

func (f *fake) verifyForeign(s scm.Slot, digest, sig []byte) (bool, error) {
	return f.verifyBy(f.VerifyForeign, s, digest, sig)
}

func (f *fake) verifyBy(check func(s scm.Slot, digest, sig []byte) (bool, error), s scm.Slot, digest, sig []byte) (bool, error) {
	if err := f.call("verify"); err != nil {
		return false, err
	}
	if f.unverified {
		return false, errRefusal
	}
	good, err := check(s, digest, sig)
	return good, answer(err)
}

func (f *fake) removeForeign(s scm.Slot) error {
	if err := f.call("removeForeign"); err != nil {
		return err
	}
	return f.inTime("removeForeign", f.RemoveForeign(s))
}

func (f *fake) lock(plain []byte, under scm.LockKey) ([]byte, error) {
	if err := f.call("lock"); err != nil {
		return nil, err
	}
	locked, err := f.Lock(plain, under)
	return locked, answer(err)
}

func (f *fake) unlock(locked []byte, under scm.LockKey) ([]byte, error) {
	if err := f.call("unlock"); err != nil {
		return nil, err
	}
	plain, err := f.Unlock(locked, under)
	if errors.Is(err, scm.ErrAuth) {
		return nil, nil
	}
	return plain, answer(err)
}

func (f *fake) time() (uint32, error) {
	if err := f.call("time"); err != nil {
		return 0, err
	}
	t, err := f.Time()
	return t, answer(err)
}

func (f *fake) nextSecond() (uint32, error) {
	if err := f.call("time"); err != nil {
		return 0, err
	}
	t, err := f.NextSecond()
	return t, answer(err)
}

func (f *fake) bootFiles() (string, error) {
	if err := f.call("bootFiles"); err != nil {
		return "", err
	}
	names, err := f.BootManifest()
	return names, answer(err)
}

func (f *fake) addBootFile(path string, signer scm.Slot) error {
	if err := f.call("addBootFile"); err != nil {
		return err
	}
	return answer(f.AddBootFile(path, signer))
}

func (f *fake) removeBootFile(path string) error {
	if err := f.call("removeBootFile"); err != nil {
		return err
	}
	return answer(f.RemoveBootFile(path))
}

func hasKey(t *testing.T, d *Device, s scm.Slot) bool {
	t.Helper()
	keys, err := d.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(keys, func(k scm.Key) bool { return k.Slot == s })
}
