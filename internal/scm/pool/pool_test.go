// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/pool"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// words restore the wallet that all SCMs of a test have.
const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// journal is a log that tests read.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (l *journal) add(level, format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, level+": "+fmt.Sprintf(format, args...))
}

func (l *journal) Errorf(format string, args ...any) { l.add("error", format, args) }
func (l *journal) Infof(format string, args ...any)  { l.add("info", format, args) }

func (l *journal) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens the soft SCM in a directory, which is made when there is none.
func open(t testing.TB, dir string) *soft.Device {
	t.Helper()
	d, err := soft.Open(dir, soft.Options{Group: -1})
	must(t, err)
	return d
}

// restored makes a soft SCM with the wallet, and returns the key that grows from it.
func restored(t testing.TB, dir string, spare int) scm.Key {
	t.Helper()
	d := wallet.On(open(t, dir))
	defer d.Close()
	for range spare { // so that the slots of the key differ
		_, err := d.Generate(scm.P256)
		must(t, err)
	}
	top, err := d.RestoreBIP39(scm.WalletSeed{Curve: scm.P256, Name: "shared"}, words)
	must(t, err)
	slot, _, err := d.ChildKey(top, scm.Child{Index: 7, Hardened: true})
	must(t, err)
	k, err := d.PublicKey(slot)
	must(t, err)
	return k
}

// rig is a pool whose devices fail when they are told to.
type rig struct {
	t       *testing.T
	pool    scm.Device
	key     scm.Key // in the first
	devices []*scmtest.Faulty
	log     *journal
	dirs    []string
}

// newRig makes a pool of so many SCMs that are restored from the same words.
func newRig(t *testing.T, n int) *rig {
	t.Helper()
	r := &rig{t: t, log: &journal{}}
	for i := range n {
		dir := t.TempDir()
		k := restored(t, dir, i)
		if i == 0 {
			r.key = k
		}
		r.dirs = append(r.dirs, dir)
		r.devices = append(r.devices, scmtest.NewFaulty(open(t, dir)))
	}
	var further []pool.Member
	for i, d := range r.devices[1:] {
		further = append(further, pool.Member{Name: fmt.Sprintf("member %d", i+1), Open: func() (scm.Device, error) { return d, nil }})
	}
	r.pool = pool.New(r.devices[0], nil, further, pool.Options{Name: "scm0", Log: r.log})
	t.Cleanup(func() { r.pool.Close() })
	r.sign()
	r.sign() // the first signature is that of the first device
	for _, d := range r.devices {
		d.Reset()
	}
	return r
}

// sign makes a signature with the shared key and verifies it.
func (r *rig) sign() {
	r.t.Helper()
	digest := make([]byte, 32)
	signature, err := r.pool.Sign(r.key.Slot, digest)
	if err == nil {
		err = scmtest.Verify(r.key, digest, signature)
	}
	if err != nil {
		r.t.Error(err)
	}
}

// counts are the signatures of the devices since the beginning.
func (r *rig) counts() []int {
	var list []int
	for _, d := range r.devices {
		list = append(list, d.Calls("Sign"))
	}
	return list
}

func TestContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		dir := t.TempDir()
		restored(t, dir, 3)
		d, err := soft.Open(t.TempDir(), soft.Options{Group: -1})
		must(t, err)
		return pool.New(d, nil, []pool.Member{
			{Name: "other", Open: func() (scm.Device, error) { return open(t, dir), nil }},
			{Name: "missing", Open: func() (scm.Device, error) { return nil, scm.ErrNone }},
		}, pool.Options{})
	}, scmtest.Options{})
}

// TestTurns: signatures go round the devices, though the key is in another slot of each.
func TestTurns(t *testing.T) {
	r := newRig(t, 3)
	for range 30 {
		r.sign()
	}
	for i, n := range r.counts() {
		if n != 10 {
			t.Errorf("device %d has made %d signatures of 30", i, n)
		}
	}
}

// TestBusy: a device makes one signature at a time, and a call that finds none free waits.
func TestBusy(t *testing.T) {
	r := newRig(t, 2)
	var mu sync.Mutex
	inUse, most := map[int]int{}, 0
	for i, d := range r.devices {
		d.Before("Sign", func(int) error {
			mu.Lock()
			inUse[i]++
			most = max(most, inUse[i])
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			inUse[i]--
			return nil
		})
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				r.sign()
			}
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d signatures at a time in one device", most)
	}
	if n := r.counts(); n[0]+n[1] != 80 || n[0] < 20 || n[1] < 20 {
		t.Errorf("signatures of the devices: %v", n)
	}
}

// TestAllFail: where no device is left the caller gets to know what the first says, and no device is
// asked twice.
func TestAllFail(t *testing.T) {
	r := newRig(t, 2)
	r.breakDown(0, scm.ErrAbsent)
	r.breakDown(1, scm.ErrTimeout)
	for range 3 {
		if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); !errors.Is(err, scm.ErrAbsent) {
			t.Errorf("error %v", err)
		}
	}
	if n := r.counts(); n[0] != 3 || n[1] != 3 {
		t.Errorf("calls of the devices: %v", n)
	}
}

// TestRequest: what is wrong with the request is not asked of another device.
func TestRequest(t *testing.T) {
	r := newRig(t, 3)
	if _, err := r.pool.Sign(r.key.Slot, make([]byte, 31)); !errors.Is(err, scm.ErrInput) {
		t.Errorf("31 bytes: error %v", err)
	}
	if _, err := r.pool.(scm.Agreer).Agree(r.key.Slot, make([]byte, 64)); !errors.Is(err, scm.ErrInput) {
		t.Errorf("a peer that is no point: error %v", err)
	}
	n := 0
	for _, d := range r.devices {
		n += d.Calls("Sign") + d.Calls("Agree")
	}
	if n != 2 {
		t.Errorf("%d calls of devices for two requests", n)
	}
	r.expectLog("error: ", 0)
}

// TestFirstOnly: a key that no other device has is used in the first alone.
func TestFirstOnly(t *testing.T) {
	r := newRig(t, 2)
	k, err := r.pool.Generate(scm.P256)
	must(t, err)
	digest := make([]byte, 32)
	for range 6 {
		signature, err := r.pool.Sign(k.Slot, digest)
		must(t, err)
		must(t, scmtest.Verify(k, digest, signature))
	}
	if n := r.counts(); n[0] != 6 || n[1] != 0 {
		t.Errorf("signatures of the devices: %v", n)
	}
}

// TestReplacedKey: a slot of a member that gets another key signs no more for the first one.
func TestReplacedKey(t *testing.T) {
	r := newRig(t, 2)
	member := r.devices[1]
	theirs := slotOf(t, member, r.key)
	must(t, member.Remove(scm.Key{Slot: theirs}))
	other, err := scmtest.GenerateAt(member, theirs, scm.P256)
	must(t, err)
	if string(other.Public) == string(r.key.Public) {
		t.Fatal("it is the same key")
	}
	for range 6 {
		r.sign()
	}
	if n := member.Calls("Sign"); n != 0 {
		t.Errorf("%d signatures with another key", n)
	}
	r.expectLog("error: ", 0)
}

// TestReplacedMeanwhile: nothing is given out that another key may have signed.
func TestReplacedMeanwhile(t *testing.T) {
	r := newRig(t, 2)
	member := r.devices[1]
	theirs := slotOf(t, member, r.key)
	member.Before("Sign", func(call int) error {
		if call > 1 {
			return nil
		}
		if err := member.Full.Remove(scm.Key{Slot: theirs}); err != nil {
			return err
		}
		_, err := scmtest.GenerateAt(member.Full, theirs, scm.P256)
		return err
	})
	for range 4 {
		r.sign()
	}
	if n := member.Calls("Sign"); n != 1 {
		t.Errorf("%d signatures of the member", n)
	}
}

func slotOf(t *testing.T, d scm.Device, key scm.Key) scm.Slot {
	t.Helper()
	keys, err := d.Keys()
	must(t, err)
	for _, k := range keys {
		if string(k.Public) == string(key.Public) {
			return k.Slot
		}
	}
	t.Fatal("the key is not there")
	return 0
}

// TestRemoved: a key that the first has no more is a key of the pool no more.
func TestRemoved(t *testing.T) {
	r := newRig(t, 2)
	must(t, r.pool.Remove(r.key))
	for range 4 {
		if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); !errors.Is(err, scm.ErrSlotEmpty) {
			t.Errorf("error %v", err)
		}
	}
	if n := r.devices[1].Calls("Sign"); n != 0 {
		t.Errorf("%d signatures with a key that was removed", n)
	}
}

// TestDestroyed: the first that has destroyed its keys is the end of the token.
func TestDestroyed(t *testing.T) {
	r := newRig(t, 2)
	r.breakDown(0, scm.ErrDestroyed)
	failed := 0
	for range 4 {
		if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); errors.Is(err, scm.ErrDestroyed) {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nobody is told")
	}
	if _, err := r.pool.Info(); !errors.Is(err, scm.ErrDestroyed) {
		t.Errorf("Info: %v", err)
	}
}

// stopped is the turn of a process that has it for ever.
type stopped struct{}

func (stopped) TryTurn() (release func(), free bool) { return func() {}, false }
func (stopped) Close() error                         { return nil }

// TestStopped: a process that is stopped while it has the members keeps no other one from them.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	key := restored(t, dir, 0)
	turn := func() (pool.Turn, error) { return stopped{}, nil }
	d := pool.New(open(t, dir), turn, nil, pool.Options{})
	t.Cleanup(func() { d.Close() })
	digest := make([]byte, 32)
	signature, err := d.Sign(key.Slot, digest)
	must(t, err)
	must(t, scmtest.Verify(key, digest, signature))
}

// TestSameTwice: an SCM that is named twice is left out the second time.
func TestSameTwice(t *testing.T) {
	dir, log := t.TempDir(), &journal{}
	restored(t, dir, 0)
	d := pool.New(open(t, dir), nil, []pool.Member{{Name: filepath.Base(dir), Open: func() (scm.Device, error) { return open(t, dir), nil }}},
		pool.Options{Log: log})
	t.Cleanup(func() { d.Close() })
	if lines := log.all(); len(lines) != 1 {
		t.Errorf("log: %q", lines)
	}
}
