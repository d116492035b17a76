// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// newStarting returns a provider whose device answers with an error for a while.
func newStarting(t *testing.T, err error, silence, wait time.Duration) *Provider {
	t.Helper()
	f := openIn(t, t.TempDir(), Options{})
	start := time.Now()
	return New(Options{Slots: []SlotOptions{{BootWait: wait, Open: func() (scm.Device, *store.Store, error) {
		if time.Since(start) < silence {
			return nil, nil, fmt.Errorf("opening: %w: %w", scm.ErrAbsent, err)
		}
		return f.open()
	}}}})
}

// TestBootWait measures, by a clock of its own, how long the calls wait that programs begin with.
func TestBootWait(t *testing.T) {
	tests := []struct {
		name          string
		cause         error
		silence, wait time.Duration
		want          Error         // CKR_OK for none
		took          time.Duration // rounded up to attempts
	}{
		{"there", nil, 0, time.Minute, CKR_OK, 0},
		{"starting", scm.ErrTimeout, 90 * time.Second, 150 * time.Second, CKR_OK, 90 * time.Second},
		{"starts too long", scm.ErrTimeout, time.Hour, 150 * time.Second, CKR_TOKEN_NOT_PRESENT, 150 * time.Second},
		{"no wait", scm.ErrTimeout, time.Hour, 0, CKR_TOKEN_NOT_PRESENT, 0},
		{"not installed", scm.ErrAbsent, time.Hour, 150 * time.Second, CKR_TOKEN_NOT_PRESENT, 0},
	}
	open := func(p *Provider) error {
		_, err := p.OpenSession(0, CKF_SERIAL_SESSION)
		return err
	}
	info := func(p *Provider) error {
		_, err := p.GetTokenInfo(0)
		return err
	}
	describe := func(p *Provider) error {
		info, err := p.GetSlotInfo(0)
		if err == nil && info.Flags&CKF_TOKEN_PRESENT == 0 {
			err = CKR_TOKEN_NOT_PRESENT
		}
		return err
	}
	list := func(p *Provider) error {
		var n uint
		if err := p.GetSlotListWithToken(Output[uint]{Length: &n}); err != nil || n == 1 {
			return err
		}
		return CKR_TOKEN_NOT_PRESENT
	}
	initialise := func(p *Provider) error { return p.InitToken(0, soPIN, []byte("label")) }
	for name, call := range map[string]func(*Provider) error{
		"C_OpenSession": open, "C_InitToken": initialise, "C_GetTokenInfo": info, "C_GetSlotList": list, "C_GetSlotInfo": describe,
	} {
		for _, tt := range tests {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newStarting(t, tt.cause, tt.silence, tt.wait)
					defer p.Close()
					start := time.Now()
					err := call(p)
					if took := time.Since(start); took < tt.took || took > tt.took+2*openAgain {
						t.Errorf("took %v, want %v", took, tt.took)
					}
					if tt.want == CKR_OK {
						ok(t, err)
					} else {
						want(t, tt.name, err, tt.want)
					}
				})
			})
		}
	}
}

// TestWaitingIsForTheFirstTime: a device that was there and is gone is absent at once.
func TestWaitingIsForTheFirstTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openIn(t, t.TempDir(), Options{})
		silent := false
		f.Provider = New(Options{Log: f.log, Slots: []SlotOptions{{BootWait: time.Hour, Open: func() (scm.Device, *store.Store, error) {
			if silent {
				return nil, nil, fmt.Errorf("opening: %w: %w", scm.ErrAbsent, scm.ErrTimeout)
			}
			return f.open()
		}}}})
		defer f.Close()
		f.h = f.session(0)
		gone := func(int) error { return scm.ErrAbsent }
		f.device.Before("Random", gone)
		f.device.Before("Keys", gone)
		silent = true
		want(t, "the call that finds out", f.GenerateRandom(f.h, make([]byte, 1)), CKR_DEVICE_REMOVED)
		start := time.Now()
		_, err := f.OpenSession(0, CKF_SERIAL_SESSION)
		want(t, "C_OpenSession", err, CKR_TOKEN_NOT_PRESENT)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("it waited %v", waited)
		}
	})
}

// TestWaitingIsNotForAll checks that a call which looks for an event does not wait.
func TestWaitingIsNotForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newStarting(t, scm.ErrTimeout, time.Hour, time.Hour)
		defer p.Close()
		start := time.Now()
		_, err := p.WaitForSlotEvent(CKF_DONT_BLOCK)
		want(t, "C_WaitForSlotEvent", err, CKR_NO_EVENT)
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// TestCloseEndsWaiting checks that C_Finalize does not wait for a device.
func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newStarting(t, scm.ErrTimeout, time.Hour, time.Hour)
		ended := make(chan error)
		go func() {
			_, err := p.OpenSession(0, CKF_SERIAL_SESSION)
			ended <- err
		}()
		synctest.Wait()
		p.Close()
		want(t, "C_OpenSession", <-ended, CKR_CRYPTOKI_NOT_INITIALIZED)
	})
}

// TestTokenComes checks that a token which comes is one event.
func TestTokenComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newStarting(t, scm.ErrTimeout, 90*time.Second, 0)
		defer p.Close()
		_, err := p.WaitForSlotEvent(CKF_DONT_BLOCK)
		want(t, "before", err, CKR_NO_EVENT)
		start := time.Now()
		id, err := p.WaitForSlotEvent(0)
		ok(t, err)
		if took := time.Since(start); id != 0 || took < 90*time.Second || took > 92*time.Second {
			t.Errorf("slot %d after %v", id, took)
		}
		_, err = p.WaitForSlotEvent(CKF_DONT_BLOCK)
		want(t, "after", err, CKR_NO_EVENT)
	})
}

// TestP11KitWaits: a program that has all modules of the system in it waits when it opens a session, not
// when it looks which tokens there are.
func TestP11KitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newStarting(t, scm.ErrTimeout, 90*time.Second, 150*time.Second)
		defer p.Close()
		p.options.Quirks = func() Quirks { return Quirks{WaitForSessionsOnly: true} }
		start := time.Now()
		var n uint
		ok(t, p.GetSlotListWithToken(Output[uint]{Length: &n}))
		_, err := p.GetTokenInfo(0)
		want(t, "C_GetTokenInfo", err, CKR_TOKEN_NOT_PRESENT)
		info, err := p.GetSlotInfo(0)
		ok(t, err)
		if took := time.Since(start); took > 0 || n != 0 || info.Flags&CKF_TOKEN_PRESENT != 0 {
			t.Errorf("%d tokens, flags %#x after %v", n, info.Flags, took)
		}
		_, err = p.OpenSession(0, CKF_SERIAL_SESSION)
		ok(t, err)
	})
}
