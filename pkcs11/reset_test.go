// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// initialiseAtOnce lets as many processes as there are PINs initialise a token.
func initialiseAtOnce(t *testing.T, pins [][]byte) (dir string, results []error) {
	t.Helper()
	dir, results = t.TempDir(), make([]error, len(pins))
	var group sync.WaitGroup
	for i, pin := range pins {
		f := openIn(t, dir, Options{})
		f.token() // opened, so that all start at the same time
		group.Go(func() { results[i] = f.InitToken(0, pin, []byte("token")) })
	}
	group.Wait()
	return dir, results
}

// TestFirstInitTokenAtOnce: of several owners one gets the token, and the others
// are told that it has an SO PIN that is not theirs.
func TestFirstInitTokenAtOnce(t *testing.T) {
	for range 5 {
		var pins [][]byte
		for i := range 4 {
			pins = append(pins, fmt.Appendf(nil, "so-pin-%d", i))
		}
		dir, results := initialiseAtOnce(t, pins)
		winner := slices.Index(results, nil)
		if winner < 0 {
			t.Fatalf("nobody got the token: %v", results)
		}
		for i, err := range results {
			if i != winner {
				want(t, "loser", err, CKR_PIN_INCORRECT)
			}
		}
		checkUsable(t, dir, pins[winner])
	}
}

// TestSameInitTokenAtOnce: scripts that set up the same token do not disturb each
// other.
func TestSameInitTokenAtOnce(t *testing.T) {
	for range 5 {
		dir, results := initialiseAtOnce(t, [][]byte{soPIN, soPIN, soPIN})
		for _, err := range results {
			want(t, "InitToken", err, CKR_OK)
		}
		checkUsable(t, dir, soPIN)
	}
}

// checkUsable reports a token whose SO PIN does not lead to signatures.
func checkUsable(t *testing.T, dir string, so []byte) {
	t.Helper()
	f := openIn(t, dir, Options{})
	f.h = f.session(CKF_RW_SESSION)
	f.ok(f.Login(f.h, CKU_SO, so))
	f.ok(f.InitPIN(f.h, userPIN))
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	_, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	want(t, "signature", err, CKR_OK)
}

// TestInitTokenOfLostStore: the device belongs to a token that is gone.
func TestInitTokenOfLostStore(t *testing.T) {
	softOnly(t, noSeal)
	f := newPublic(t)
	f.Close()
	files, err := filepath.Glob(filepath.Join(f.dir, "token.db*"))
	f.ok(err)
	for _, name := range files {
		f.ok(os.Remove(name))
	}
	f = openIn(t, f.dir, Options{})
	want(t, "InitToken", f.InitToken(0, soPIN, []byte("token")), CKR_DEVICE_ERROR)
	if f.log.count("put its token.db back") != 1 {
		t.Errorf("logged %q", f.log.list)
	}
}

// TestInitTokenEndsLogins: whichever call comes first after another process has
// initialised the token, it finds public sessions.
func TestInitTokenEndsLogins(t *testing.T) {
	tests := []struct {
		name string
		user uint
		call func(f *fixture, key uint) error
		code Error
	}{
		{"login", CKU_USER, func(f *fixture, _ uint) error { return f.Login(f.h, CKU_USER, userPIN) }, CKR_USER_PIN_NOT_INITIALIZED},
		{"login of the SO", CKU_SO, func(f *fixture, _ uint) error { return f.Login(f.h, CKU_SO, soPIN) }, CKR_OK},
		{"logout", CKU_USER, func(f *fixture, _ uint) error { return f.Logout(f.h) }, CKR_USER_NOT_LOGGED_IN},
		{"user PIN", CKU_SO, func(f *fixture, _ uint) error { return f.InitPIN(f.h, userPIN) }, CKR_USER_NOT_LOGGED_IN},
		{"read-only session", CKU_SO, func(f *fixture, _ uint) error {
			_, err := f.OpenSession(0, CKF_SERIAL_SESSION)
			return err
		}, CKR_OK},
		{"private key", CKU_USER, func(f *fixture, key uint) error { return f.DestroyObject(f.h, key) }, CKR_OBJECT_HANDLE_INVALID},
		{"signature", CKU_USER, func(f *fixture, key uint) error {
			_, err := f.sign(CKM_ECDSA, key, digest32)
			return err
		}, CKR_KEY_HANDLE_INVALID},
		{"nothing", CKU_USER, func(*fixture, uint) error { return nil }, CKR_OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newPublic(t)
			f.login(tt.user)
			var key uint
			if tt.user == CKU_USER {
				key = f.private(0)
			}
			f.ok(openIn(t, f.dir, Options{}).InitToken(0, soPIN, []byte("again")))
			want(t, "call", tt.call(f, key), tt.code)
			if f.Logout(f.h) == nil && tt.name != "login of the SO" {
				t.Error("somebody was still logged in")
			}
			info, err := f.GetSessionInfo(f.h)
			f.ok(err)
			if info.State != CKS_RW_PUBLIC_SESSION {
				t.Errorf("the session has state %d", info.State)
			}
			if f.log.count("another process has initialised the token") != 1 {
				t.Errorf("logged %q", f.log.list)
			}
		})
	}
}

// TestSessionInfoNoticesInitToken: C_GetSessionInfo waits for nothing else.
func TestSessionInfoNoticesInitToken(t *testing.T) {
	f := newUser(t)
	f.ok(openIn(t, f.dir, Options{}).InitToken(0, soPIN, []byte("again")))
	info, err := f.GetSessionInfo(f.h)
	f.ok(err)
	if info.State != CKS_RW_PUBLIC_SESSION {
		t.Errorf("the session has state %d", info.State)
	}
}
