// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// TestFailing: whichever device fails, every signature is made, and the device comes back.
func TestFailing(t *testing.T) {
	for _, failure := range []error{scm.ErrAbsent, scm.ErrTimeout, scm.ErrDevice, scm.ErrBusy, errors.New("of no kind")} {
		for broken := range 3 {
			t.Run(fmt.Sprintf("%v of %d", failure, broken), func(t *testing.T) {
				t.Parallel()
				newRig(t, 3).failAndComeBack(broken, failure)
			})
		}
	}
}

// failAndComeBack has a device fail while threads sign, and work again.
func (r *rig) failAndComeBack(broken int, failure error) {
	r.t.Helper()
	r.breakDown(broken, failure)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				r.sign()
			}
		})
	}
	all.Wait()
	r.expectLog("error: ", 1)
	r.devices[broken].Reset()
	r.awaitBack(broken)
	r.expectLog("info: ", 1)
}

// breakDown has every call of a device fail.
func (r *rig) breakDown(i int, err error) {
	for _, method := range []string{"Sign", "Info", "Keys", "PublicKey", "Reconnect"} {
		r.devices[i].Before(method, func(int) error { return err })
	}
}

// awaitBack signs until a device is used again.
func (r *rig) awaitBack(i int) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); r.devices[i].Calls("Sign") == 0; time.Sleep(10 * time.Millisecond) {
		if r.sign(); time.Now().After(deadline) {
			r.t.Fatalf("device %d does not come back: %v", i, r.log.all())
		}
	}
}

// expectLog checks how many lines of a level there are.
func (r *rig) expectLog(level string, want int) {
	r.t.Helper()
	n := 0
	for _, line := range r.log.all() {
		if len(line) > len(level) && line[:len(level)] == level {
			n++
		}
	}
	if n != want {
		r.t.Errorf("%d lines of level %q, want %d: %v", n, level, want, r.log.all())
	}
}

// TestStandsIn: while the first does not answer, its token is the one that it was.
func TestStandsIn(t *testing.T) {
	r := newRig(t, 2)
	before, err := r.pool.Keys()
	must(t, err)
	info, err := r.pool.Info()
	must(t, err)
	r.breakDown(0, scm.ErrAbsent)
	for range 4 {
		r.sign()
	}
	after, err := r.pool.Keys()
	must(t, err)
	if now, err := r.pool.Info(); err != nil || now != info || len(after) != len(before) {
		t.Errorf("%v, %d keys, want %v, %d; %v", now, len(after), info, len(before), err)
	}
	k, err := r.pool.PublicKey(r.key.Slot)
	if err != nil || string(k.Public) != string(r.key.Public) {
		t.Errorf("PublicKey: %v, %v", k, err)
	}
	r.breakDown(1, scm.ErrAbsent)
	if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); !errors.Is(err, scm.ErrAbsent) {
		t.Errorf("with none at hand: %v", err)
	}
	if _, err := r.pool.Info(); !errors.Is(err, scm.ErrAbsent) {
		t.Errorf("Info with none at hand: %v", err)
	}
}
