// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/sharedfile"
)

// spoil makes the row of a slot one that cannot be read, and tells nobody: a process that reads
// it all the same gets an error.
func spoil(t *testing.T, d *Device, slot scm.Slot) {
	t.Helper()
	_, err := d.file.Change(func(tx *sql.Tx) ([]int, error) {
		_, err := tx.Exec("UPDATE key SET public = x'00' WHERE slot = ?", int(slot))
		return nil, err
	})
	must(t, err)
}

// shut keeps everybody from the flash until the end of the test. Devices do not wait long.
func shut(t *testing.T, dir string) {
	t.Helper()
	lock, err := sharedfile.OpenLock(filepath.Join(dir, flashName+".lock"), "", sharedfile.Options{Mode: 0o600, Group: -1})
	must(t, err)
	release, err := lock.Exclusive(time.Second)
	must(t, err)
	t.Cleanup(func() {
		release()
		lock.Close()
	})
}

// TestReadsOnlyChanges has a row that nobody may read beside one that has changed.
func TestReadsOnlyChanges(t *testing.T) {
	b := newBench(t, Options{})
	_, err := b.other.Keys()
	must(t, err)
	spoil(t, b.d, 3)
	for range 3 {
		k, err := b.d.Generate(scm.P256)
		must(t, err)
		keys, err := b.other.Keys()
		if err != nil || len(keys) != scm.PermanentSlots+1 || !bytes.Equal(keys[scm.PermanentSlots].Public, k.Public) {
			t.Fatalf("Keys after Generate: %d keys, %v", len(keys), err)
		}
		must(t, b.d.SetLED(time.Second, 0, 0))
		_, err = b.other.Sign(k.Slot, make([]byte, 32))
		must(t, err)
		must(t, b.d.Remove(k))
		if keys, err := b.other.Keys(); err != nil || len(keys) != scm.PermanentSlots {
			t.Fatalf("Keys after Remove: %d keys, %v", len(keys), err)
		}
	}
	_, err = b.other.Sign(3, make([]byte, 32))
	must(t, err)
	edit(t, b.d, "SELECT 1") // everything may have changed
	_, err = b.other.Keys()
	b.want("Keys with a row that cannot be read", err, scm.ErrDevice)
}

// TestReadsOnlyTheSlot signs with a key that has changed beside another that has, and that
// nobody may read.
func TestReadsOnlyTheSlot(t *testing.T) {
	b := newBench(t, Options{})
	k, err := b.d.Generate(scm.P256)
	must(t, err)
	_, err = b.d.Generate(scm.P256)
	must(t, err)
	spoil(t, b.d, k.Slot+1)
	_, err = b.other.Sign(k.Slot, make([]byte, 32))
	must(t, err)
	_, err = b.other.PublicKey(k.Slot)
	must(t, err)
	_, err = b.other.Sign(k.Slot+1, make([]byte, 32))
	b.want("Sign with a row that cannot be read", err, scm.ErrDevice)
}

// TestOwnChanges checks that the device knows what it has done itself, of all kinds,
// without a look at the flash.
func TestOwnChanges(t *testing.T) {
	dir := t.TempDir()
	d, err := Open(dir, Options{Group: -1, Wait: time.Millisecond})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	kept, err := d.Generate(scm.Ed25519)
	must(t, err)
	gone, err := d.Generate(scm.P256)
	must(t, err)
	must(t, d.GenerateEphemeral(scm.P256))
	top, err := d.addWallet(scm.P256)
	must(t, err)
	child, err := d.addChild(top)
	must(t, err)
	lost, err := d.addWallet(scm.P256)
	must(t, err)
	lostChild, err := d.addChild(lost)
	must(t, err)
	foreign, err := d.StoreForeign(scm.Ed25519, kept.Public)
	must(t, err)
	other, err := d.StoreForeign(scm.Ed25519, kept.Public)
	must(t, err)
	must(t, d.Remove(gone))
	must(t, d.Remove(scm.Key{Slot: lost}))
	must(t, d.RemoveForeign(other))
	must(t, d.SetBatteryThreshold(2))
	must(t, d.Prepare([]byte("secret")))

	shut(t, dir)
	if keys, err := d.Keys(); err != nil || len(keys) != scm.PermanentSlots+2 {
		t.Errorf("Keys: %d keys, %v", len(keys), err)
	}
	for _, s := range []scm.Slot{kept.Slot, child, 0} {
		_, err := d.Sign(s, make([]byte, 32))
		must(t, err)
	}
	_, err = d.Agree(scm.EphemeralSlot, make([]byte, 64))
	must(t, but(err, scm.ErrInput))
	for _, s := range []scm.Slot{gone.Slot, lost, lostChild} {
		_, err := d.Sign(s, make([]byte, 32))
		must(t, but(err, scm.ErrSlotEmpty))
	}
	if k, err := d.ForeignKey(foreign); err != nil || !bytes.Equal(k.Public, kept.Public) {
		t.Errorf("ForeignKey = %v, %v", k, err)
	}
	_, err = d.ForeignKey(other)
	must(t, but(err, scm.ErrSlotEmpty))
	if c, err := (memory{d}).Latest(); err != nil || c.Battery.Threshold != 2 {
		t.Errorf("the battery's threshold is %v, %v", c.Battery.Threshold, err)
	}
	if _, err := d.Generate(scm.P256); err == nil {
		t.Error("the flash can be changed: the test shows nothing")
	}
}

// TestOwnAndForeignChanges lets two devices change different slots, each of which then
// knows what both have done.
func TestOwnAndForeignChanges(t *testing.T) {
	b := newBench(t, Options{})
	for range 20 {
		_, err := b.d.Generate(scm.P256)
		must(t, err)
		_, err = b.other.Generate(scm.Ed25519)
		must(t, err)
	}
	mine, err := b.d.Keys()
	must(t, err)
	theirs, err := b.other.Keys()
	must(t, err)
	for i, k := range theirs {
		if len(mine) != len(theirs) || mine[i].Curve != k.Curve || !bytes.Equal(mine[i].Public, k.Public) {
			t.Fatalf("one lists %v, the other %v", mine, theirs)
		}
	}
}

// TestErasedWithParent signs with a key whose wallet another erases.
func TestErasedWithParent(t *testing.T) {
	b := newBench(t, Options{})
	top, err := b.d.addWallet(scm.P256)
	must(t, err)
	child, err := b.d.addChild(top)
	must(t, err)
	grandchild, err := b.d.addChild(child)
	must(t, err)
	for _, s := range []scm.Slot{child, grandchild} {
		_, err = b.other.Sign(s, make([]byte, 32))
		must(t, err)
	}
	must(t, b.d.Remove(scm.Key{Slot: top}))
	for _, d := range []*Device{b.d, b.other} {
		for _, s := range []scm.Slot{child, grandchild} {
			_, err = d.Sign(s, make([]byte, 32))
			b.want("Sign with a key of a wallet that is erased", err, scm.ErrSlotEmpty)
		}
	}
}

// TestSignWhileSealing gives the device new secrets while it signs with keys of all kinds
// and reads what another does. No signature fails.
func TestSignWhileSealing(t *testing.T) {
	b := newBench(t, Options{})
	volatile, err := b.d.GenerateVolatile(scm.P256)
	must(t, err)
	meanwhile := newCrowd(t)
	for _, s := range []scm.Slot{0, 1, volatile.Slot} {
		meanwhile.does(func() error { return second(b.d.Sign(s, make([]byte, 32))) })
	}
	meanwhile.does(func() error { return second(b.d.Keys()) })
	meanwhile.does(func() error {
		time.Sleep(time.Millisecond) // the lock of the flash is not fair
		return b.other.SetLED(1, 1, 1)
	})
	for i := range 20 {
		secret := []byte{'s', byte(i)}
		must(t, b.d.Prepare(secret))
		must(t, b.d.Unseal(secret))
	}
	meanwhile.end()
}

// TestSeesOwnRootKey reads the flash between the two steps in which the device makes a new
// root key its own: nothing is forgotten.
func TestSeesOwnRootKey(t *testing.T) {
	b := newBench(t, Options{})
	volatile, err := b.d.GenerateVolatile(scm.P256)
	must(t, err)
	old, next := b.d.known.Load().root, newRoot()
	b.d.replace(func(s *snapshot) { s.next = next })
	must(t, b.d.file.Update(func(tx *sql.Tx) error { return b.d.moveKeys(tx, old, next, []byte("secret")) }))
	for _, s := range []scm.Slot{0, volatile.Slot} {
		_, err := b.d.Sign(s, make([]byte, 32))
		must(t, err)
	}
	b.signs(b.other, scm.ErrSealed)
}

// TestOldReading has what was read under a root key come after what was read under the next.
func TestOldReading(t *testing.T) {
	b := newBench(t, Options{})
	base := b.d.known.Load()
	f, r, err := b.d.readChanged(&snapshot{flash: new(flash)}, []span{everySlot})
	must(t, err)
	must(t, b.d.Prepare([]byte("secret")))
	must(t, b.d.Unseal([]byte("secret")))
	ignored := func(base *snapshot, f *flash, r *root) {
		t.Helper()
		now := b.d.known.Load()
		if s, ok := b.d.learnFlash(base, f, r); ok || s.flash != now.flash || s.root != now.root {
			t.Error("an old reading takes the place of a new one")
		}
		b.signs(b.d, nil)
	}
	b.signs(b.d, nil)
	ignored(base, f, r)
	// Twice with nothing read yet, but not under the same root key.
	for _, secret := range []string{"second", "third"} {
		base = b.d.known.Load()
		must(t, b.d.Prepare([]byte(secret)))
		must(t, b.d.Unseal([]byte(secret)))
		if now := b.d.known.Load(); now.rest != nil {
			t.Fatal("the flash is known: the test shows nothing")
		}
		ignored(&snapshot{flash: new(flash), root: base.root}, base.flash, nil)
	}
}

// TestVolatileOver puts a key among volatile keys that are given up meanwhile.
func TestVolatileOver(t *testing.T) {
	d := openTest(t, t.TempDir())
	first := d.known.Load().volatile
	k, err := d.GenerateVolatile(scm.P256)
	must(t, err)
	d.Forget()
	key := make([]byte, secretSize)
	public, err := generate(scm.P256, key)
	must(t, err)
	if _, err := first.addKey(scm.P256, public, key); err != errOver {
		t.Errorf("add: %v", err)
	}
	again, err := d.GenerateVolatile(scm.P256)
	if err != nil || again.Slot >= k.Slot {
		t.Errorf("slot %d, %v; before %d", again.Slot, err, k.Slot)
	}
}

// crowd are goroutines that do things again and again.
type crowd struct {
	t    *testing.T
	done chan struct{}
	all  sync.WaitGroup
}

func newCrowd(t *testing.T) *crowd { return &crowd{t: t, done: make(chan struct{})} }

// does has one more do something, until it fails.
func (c *crowd) does(f func() error) {
	c.all.Go(func() {
		for {
			select {
			case <-c.done:
				return
			default:
			}
			if err := f(); err != nil {
				c.t.Error(err)
				return
			}
		}
	})
}

func (c *crowd) end() {
	close(c.done)
	c.all.Wait()
}

// TestSeenAtOnce has a device see what another has just done, while more is done and read.
func TestSeenAtOnce(t *testing.T) {
	b := newBench(t, Options{})
	meanwhile := newCrowd(t)
	for s := range scm.Slot(2) {
		meanwhile.does(func() error { return second(b.d.Keys()) })
		meanwhile.does(func() error { return orEmpty(second(b.d.PublicKey(100 + s))) })
	}
	meanwhile.does(func() error {
		time.Sleep(time.Millisecond)
		return b.other.SetLED(1, 1, 1)
	})
	for i := range 60 {
		k, err := scmtest.GenerateAt(b.other, 100, scm.P256)
		must(t, err)
		if now, err := b.d.PublicKey(100); err != nil || !bytes.Equal(now.Public, k.Public) {
			t.Errorf("PublicKey = %v, %v; just made: %v", now, err, k)
		}
		if i%10 == 9 {
			secret := []byte{'s', byte(i)}
			must(t, b.d.Prepare(secret))
			must(t, b.d.Unseal(secret))
			must(t, b.other.Unseal(secret))
		}
		sig, err := b.d.Sign(100, make([]byte, 32))
		must(t, err)
		if ok, err := verify(k, make([]byte, 32), sig); !ok || err != nil {
			t.Errorf("another key than the one just made signs: %v", err)
		}
		must(t, b.other.Remove(k))
		_, err = b.d.PublicKey(100)
		b.want("PublicKey of a key just removed", err, scm.ErrSlotEmpty)
	}
	meanwhile.end()
}

// TestForgetMeanwhile seals and unseals the device while others sign with it: a call finds
// it either open or sealed.
func TestForgetMeanwhile(t *testing.T) {
	b := newBench(t, Options{})
	secret := []byte("secret")
	must(t, b.d.Prepare(secret))
	must(t, b.d.Unseal(secret))
	meanwhile := newCrowd(t)
	for s := range scm.Slot(3) {
		meanwhile.does(func() error { return but(second(b.d.Sign(s, make([]byte, 32))), scm.ErrSealed) })
		meanwhile.does(func() error {
			k, err := b.d.GenerateVolatile(scm.P256)
			if err != nil {
				return but(err, scm.ErrSealed)
			}
			return orEmpty(b.d.Remove(k))
		})
	}
	for range 30 {
		b.d.Forget()
		b.signs(b.d, scm.ErrSealed)
		must(t, b.d.Unseal(secret))
		b.signs(b.d, nil)
	}
	meanwhile.end()
}

// TestStamps checks what a stamp does not tell of, and what it does beside the changes of
// keys.
func TestStamps(t *testing.T) {
	b := newBench(t, Options{})
	k, err := b.d.Generate(scm.P256)
	must(t, err)
	volatile, err := b.other.GenerateVolatile(scm.P256)
	must(t, err)
	slots := []scm.Slot{0, k.Slot, volatile.Slot, scm.EphemeralSlot, scm.LastUser}
	for _, test := range []struct {
		name    string
		change  func() error
		changed bool
	}{
		{"another slot", func() error { return second(b.d.Generate(scm.P256)) }, false},
		{"a volatile key of another", func() error { return second(b.d.GenerateVolatile(scm.P256)) }, false},
		{"another volatile key", func() error { return second(b.other.GenerateVolatile(scm.P256)) }, false},
		{"a file of supervised boot", func() error { return orInput(b.d.RemoveBootFile("x")) }, false},
		{"the SCM does not answer", func() error { return b.d.InjectUnbind() }, true},
		{"the SCM answers", func() error { return b.d.InjectRebind() }, true},
		{"another secret", func() error { return b.d.Prepare([]byte("secret")) }, true},
		{"another root key", func() error { return b.d.Unseal([]byte("secret")) }, true},
		{"the device is opened", func() error { return b.other.Unseal([]byte("secret")) }, true},
		{"the device is sealed", func() error { b.other.Forget(); return nil }, true},
		{"the SCM starts", func() error { return second(b.d.Boot()) }, true},
		{"the SCM is new", b.d.Reset, true},
	} {
		var before []uint64
		for _, s := range slots {
			before = append(before, b.other.Stamp(s))
		}
		must(t, test.change())
		for i, s := range slots {
			if changed := b.other.Stamp(s) != before[i]; changed != test.changed {
				t.Errorf("%s: stamp of slot %d has changed: %v", test.name, s, changed)
			}
		}
	}
}

// TestNoRoom checks the error of a disk that is full.
func TestNoRoom(t *testing.T) {
	for _, err := range []error{sharedfile.ErrFull, scm.ErrFull} {
		if got := deviceError(err); !errors.Is(got, scm.ErrFull) {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}
