// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

func TestBothPINsGiveTheSecret(t *testing.T) {
	s, dir, secret := initialized(t)
	for u, pin := range [][]byte{soPIN, userPIN} {
		for name, s := range map[string]*store.Store{"same": s, "other": open(t, dir)} {
			if got, err := s.CheckPIN(store.User(u), pin); err != nil || !bytes.Equal(got, secret) {
				t.Errorf("user %d, %s store: %x, %v, want %x", u, name, got, err, secret)
			}
		}
	}
}

func TestPINsAreNotInterchangeable(t *testing.T) {
	s, dir, _ := initialized(t)
	edit(t, dir, `UPDATE pins SET (passes, memory, lanes, salt, wrapped) =
		(SELECT passes, memory, lanes, salt, wrapped FROM pins WHERE user = 1) WHERE user = 0`)
	if _, err := s.CheckPIN(store.SO, userPIN); !errors.Is(err, store.ErrPIN) {
		t.Errorf("CheckPIN: %v, want ErrPIN", err)
	}
}

func TestLockout(t *testing.T) {
	s, dir, secret := initialized(t)
	wrong := []byte("wrong")
	for i := range store.DefaultMaxFailures {
		want := store.PIN{Set: true, Failures: i, Low: i > 0, LastTry: i == store.DefaultMaxFailures-1}
		if got := pinOf(t, s, store.NormalUser); got != want {
			t.Errorf("after %d failures: %+v, want %+v", i, got, want)
		}
		if _, err := s.CheckPIN(store.NormalUser, wrong); !errors.Is(err, store.ErrPIN) {
			t.Errorf("attempt %d: %v, want ErrPIN", i, err)
		}
	}
	if got := pinOf(t, open(t, dir), store.NormalUser); !got.Locked || got.LastTry {
		t.Errorf("after all failures: %+v", got)
	}
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrPINLocked) {
		t.Errorf("the right PIN: %v, want ErrPINLocked", err)
	}
	if _, err := s.CheckPIN(store.SO, soPIN); err != nil {
		t.Errorf("the SO PIN is locked too: %v", err)
	}
	if err := s.SetPIN(store.NormalUser, secret, wrong); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckPIN(store.NormalUser, wrong); err != nil {
		t.Errorf("the PIN that the SO has set: %v", err)
	}
}

func TestRightPINForgivesFailures(t *testing.T) {
	s, _, _ := initialized(t)
	for range 2 * store.DefaultMaxFailures / 3 {
		for _, pin := range [][]byte{[]byte("wrong"), nil, userPIN} {
			_, err := s.CheckPIN(store.NormalUser, pin)
			if right := bytes.Equal(pin, userPIN); right != (err == nil) {
				t.Fatalf("PIN %q: %v", pin, err)
			}
		}
	}
	if got := pinOf(t, s, store.NormalUser); got != (store.PIN{Set: true}) {
		t.Errorf("after a right PIN: %+v", got)
	}
}

func TestMaxFailures(t *testing.T) {
	_, dir, _ := initialized(t)
	s, err := store.Open(dir, intolerant())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := pinOf(t, s, store.SO); !got.LastTry {
		t.Errorf("before the only try: %+v", got)
	}
	for _, want := range []error{store.ErrPIN, store.ErrPINLocked} {
		if _, err := s.CheckPIN(store.SO, userPIN); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestSetPIN(t *testing.T) {
	s, dir, _ := initialized(t)
	other := []byte("other PIN")
	if err := s.SetPIN(store.NormalUser, nil, other); !errors.Is(err, store.ErrLocked) {
		t.Errorf("SetPIN of a locked store: %v, want ErrLocked", err)
	}
	unlock(t, s)
	if err := s.SetPIN(store.NormalUser, nil, other); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrPIN) {
		t.Errorf("the old PIN: %v, want ErrPIN", err)
	}
	if _, err := s.CheckPIN(store.NormalUser, other); err != nil {
		t.Errorf("the new PIN: %v", err)
	}
}

// Counting wrong PINs must not send every process to read the records again, and
// yet all have to know the count.
func TestAttemptsAreNoChange(t *testing.T) {
	s, dir, _ := initialized(t)
	other := open(t, dir)
	before := other.Version()
	unlock(t, s)
	if _, err := s.CheckPIN(store.SO, userPIN); !errors.Is(err, store.ErrPIN) {
		t.Errorf("CheckPIN: %v, want ErrPIN", err)
	}
	if got := other.Version(); got != before {
		t.Errorf("Version was %d and is %d", before, got)
	}
	if got := pinOf(t, other, store.SO); got.Failures != 1 {
		t.Errorf("another store knows %+v", got)
	}
}

func TestUnlocked(t *testing.T) {
	s, dir, _ := initialized(t)
	states := []bool{s.Unlocked()}
	unlock(t, s)
	states = append(states, s.Unlocked())
	put(t, open(t, dir), store.Record{Slot: store.NoSlot})
	states = append(states, s.Unlocked())
	s.Logout()
	states = append(states, s.Unlocked())
	if want := []bool{false, true, true, false}; !slices.Equal(states, want) {
		t.Errorf("before, after login, after a change, after logout: %v, want %v", states, want)
	}
}

// Whether the store is unlocked is asked for every signature.
func TestUnlockedDoesNotWait(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	s.Unlocked()
	edit(t, dir, "UPDATE token SET fingerprint = x'00'") // nobody has told that this changed
	put(t, open(t, dir), store.Record{Slot: store.NoSlot})
	if !s.Unlocked() {
		t.Error("Unlocked has read the file, although the secret has not changed")
	}
	_, err := s.Update(func(tx *store.Tx) error {
		done := make(chan bool)
		go func() {
			s.Unlocked()
			s.Logout()
			done <- s.Unlocked()
		}()
		select {
		case unlocked := <-done:
			if unlocked {
				t.Error("unlocked after Logout")
			}
		case <-time.After(time.Minute):
			t.Error("Logout and Unlocked wait for an Update")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A call that uses keys while others log out ends as if they had not.
func TestLogoutLetsCallsEnd(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	sealed := store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("sealed")}
	_, err := s.Update(func(tx *store.Tx) error {
		s.Logout()
		return tx.Put(&sealed)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(func(tx *store.Tx) error { return tx.Put(&sealed) })
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("Put after Logout: %v", err)
	}
	unlock(t, s)
	if got, _, err := s.Record(sealed.ID); err != nil || string(got.Attributes[3]) != "sealed" {
		t.Errorf("%+v, %v", got, err)
	}
}

func BenchmarkUnlocked(b *testing.B) {
	s, _, _ := initialized(b)
	unlock(b, s)
	for b.Loop() {
		if !s.Unlocked() {
			b.Fatal("locked")
		}
	}
}

// A PIN that was changed begins with no failures.
func TestFailuresBelongToThePIN(t *testing.T) {
	s, dir, secret := initialized(t)
	for range 3 {
		if _, err := s.CheckPIN(store.NormalUser, soPIN); !errors.Is(err, store.ErrPIN) {
			t.Errorf("CheckPIN: %v, want ErrPIN", err)
		}
	}
	if err := s.SetPIN(store.NormalUser, secret, []byte("other PIN")); err != nil {
		t.Fatal(err)
	}
	if got := pinOf(t, open(t, dir), store.NormalUser); got != (store.PIN{Set: true}) {
		t.Errorf("after SetPIN: %+v", got)
	}
}

// A changed file must not make a login take all memory.
func TestUnreasonableDerivation(t *testing.T) {
	s, dir, _ := initialized(t)
	edit(t, dir, "UPDATE pins SET memory = 4000000000")
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("CheckPIN: %v, want ErrCorrupt", err)
	}
}

// One attempt that sees another that is going on would lock the PIN.
func TestManyRightPINsAtOnce(t *testing.T) {
	const processes, attempts = 4, 100
	s, dir, _ := initialized(t)
	var group sync.WaitGroup
	for range processes {
		p := processtest.Start(t, "try PINs without a failure", dir)
		for range attempts {
			p.Tell(string(userPIN))
		}
		group.Go(func() {
			for range attempts {
				if got := p.Hear(); got != "<nil>" {
					t.Errorf("the right PIN: %s", got)
				}
				if got := pinOf(t, s, store.NormalUser); got != (store.PIN{Set: true}) {
					t.Errorf("between right PINs: %+v", got)
				}
			}
		})
	}
	group.Wait()
}

func TestGoroutinesLogIn(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("sealed")})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 4 {
				if _, err := s.Login(store.NormalUser, userPIN); err != nil {
					t.Errorf("the right PIN: %v", err)
				}
				records(t, s)
				s.Logout()
			}
		})
	}
	group.Wait()
}

// A killed process may have made an attempt that nobody heard of, but never one
// that was not counted.
func TestKilledAttemptsCount(t *testing.T) {
	s, dir, _ := initialized(t)
	known := 0
	for pinOf(t, s, store.NormalUser).Failures < store.DefaultMaxFailures {
		p := processtest.Start(t, "try PINs", dir)
		p.Tell("wrong")
		if got := p.Hear(); got != store.ErrPIN.Error() {
			t.Fatalf("wrong PIN: %s", got)
		}
		known++
		p.Tell("wrong") // killed somewhere in this one
		p.Kill()
		counted := pinOf(t, s, store.NormalUser).Failures
		if counted < known || counted > known+1 {
			t.Fatalf("%d failures counted, %d or one more known", counted, known)
		}
		known = counted
	}
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrPINLocked) {
		t.Errorf("the right PIN: %v, want ErrPINLocked", err)
	}
}

func BenchmarkLogin(b *testing.B) {
	s, _, secret := initialized(b)
	if err := s.SetPIN(store.NormalUser, secret, userPIN); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		unlock(b, s)
	}
}
