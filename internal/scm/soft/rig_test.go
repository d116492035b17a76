// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

// bench is a soft SCM with a clock of its own, and a second one on the same flash
// as in another process.
type bench struct {
	t        *testing.T
	d, other *Device
	now      time.Time
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	o.Group = -1
	if o.Host == "" {
		o.Host = "this host"
	}
	dir := t.TempDir()
	b.d, b.other = b.open(dir, o), b.open(dir, o)
	return b
}

func (b *bench) open(dir string, o Options) *Device {
	b.t.Helper()
	d, err := Open(dir, o)
	must(b.t, err)
	b.t.Cleanup(func() { d.Close() })
	d.clock = func() time.Time { return b.now }
	return d
}

// reset makes the SCM one that was made by the clock of the bench.
func (b *bench) reset() *bench {
	b.t.Helper()
	must(b.t, b.d.Reset())
	return b
}

// boot starts the SCM.
func (b *bench) boot() board.BootReport {
	b.t.Helper()
	r, err := b.d.Boot()
	must(b.t, err)
	return r
}

// lock brings the SCM into production mode.
func (b *bench) lock() *bench {
	b.t.Helper()
	must(b.t, b.d.LockBinding())
	b.boot()
	return b
}

func (b *bench) want(what string, err, want error) {
	b.t.Helper()
	if !errors.Is(err, want) {
		b.t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// sign signs with both devices.
func (b *bench) sign(want error) {
	b.t.Helper()
	for _, d := range []*Device{b.d, b.other} {
		b.signs(d, want)
	}
}

// signs signs with one of them.
func (b *bench) signs(d *Device, want error) {
	b.t.Helper()
	_, err := d.Sign(0, make([]byte, 32))
	b.want("Sign", err, want)
}

func (b *bench) led(code, sub int) {
	b.t.Helper()
	led, err := b.other.LED()
	must(b.t, err)
	if led.Code != code || led.Sub != sub || led.Pattern == "" || led.Meaning == "" {
		b.t.Errorf("LED: %+v, want code %d-%d", led, code, sub)
	}
}

func (b *bench) binding(production bool) {
	b.t.Helper()
	locked, bound, err := b.other.Binding()
	if err != nil || locked != production || !bound {
		b.t.Errorf("Binding = %v, %v, %v; want %v", locked, bound, err, production)
	}
}

// destroyed checks that nothing is left of the SCM's keys.
func (b *bench) destroyed(locked []byte) {
	b.t.Helper()
	b.sign(scm.ErrDestroyed)
	for name, call := range map[string]func() error{
		"Keys":      func() error { _, err := b.other.Keys(); return err },
		"PublicKey": func() error { _, err := b.other.PublicKey(0); return err },
		"Generate":  func() error { _, err := b.other.Generate(scm.P256); return err },
		"Agree":     func() error { _, err := b.d.Agree(0, make([]byte, 64)); return err },
		"Lock":      func() error { _, err := b.d.Lock(nil, scm.OneWayKey); return err },
		"Unlock":    func() error { _, err := b.other.Unlock(locked, scm.OneWayKey); return err },
		"Foreign":   func() error { _, err := b.d.Foreign(); return err },
		"Prepare":   func() error { return b.d.Prepare([]byte("secret")) },
		"Unseal":    func() error { return b.other.Unseal([]byte("secret")) },
		"Volatile":  func() error { _, err := b.d.GenerateVolatile(scm.P256); return err },
	} {
		b.want(name, call(), scm.ErrDestroyed)
	}
	_, err := b.other.Info()
	must(b.t, err)
	if _, err := os.Stat(b.d.rootKey.path()); !errors.Is(err, os.ErrNotExist) {
		b.t.Errorf("root key file: %v", err)
	}
}

// newNode is a key as it would be in a wallet, at an address.
func newNode(c scm.Curve, address string) (Node, error) {
	key, chain := make([]byte, secretSize), make([]byte, chainSize)
	rand.Read(chain)
	public, err := generate(c, key)
	return Node{Key: scm.Key{Curve: c, Public: public}, Private: key, Chain: chain, Address: address}, err
}

// addWallet makes a wallet with a name of its own, and returns the slot of its topmost key.
func (d *Device) addWallet(c scm.Curve) (scm.Slot, error) {
	top, err := newNode(c, "m")
	if err != nil {
		return 0, err
	}
	return d.AddTop(top, fmt.Sprintf("wallet %x", top.Public))
}

// addChild makes a key below another one, and returns its slot.
func (d *Device) addChild(above scm.Slot) (scm.Slot, error) {
	parent, err := d.OpenNode(above)
	if err != nil {
		return 0, err
	}
	child, err := newNode(parent.Curve, parent.Address+"/1'")
	if err != nil {
		return 0, err
	}
	return d.AddChild(parent, child)
}
