// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// onlyLooked is a provider whose soft SCM is not made, and the state directory.
func onlyLooked(t *testing.T) (*pkcs11.Provider, string) {
	t.Helper()
	c := settings(t, config.BackendSoft, "")
	state := filepath.Join(c.Slots[0].State, "a", "b")
	c.State, c.Slots[0].State, c.Source.Drawn = state, state, "drawn"
	p := pkcs11.New(Options(c, nil, Process{}))
	t.Cleanup(func() { _ = p.Close() }) // a test may have closed it
	return p, state
}

func wantMade(t *testing.T, dir string, made bool) {
	t.Helper()
	if _, err := os.Lstat(filepath.Dir(dir)); errors.Is(err, fs.ErrNotExist) == made {
		t.Errorf("%s is there: %v, want %v", dir, !made, made)
	}
}

// look asks all that a program asks which looks at slots and tokens.
func look(t *testing.T, p *pkcs11.Provider) pkcs11.TokenInfo {
	t.Helper()
	var n uint
	slot, errSlot := p.GetSlotInfo(0)
	info, errInfo := p.GetTokenInfo(0)
	_, errMechanism := p.GetMechanismInfo(0, pkcs11.CKM_ECDSA)
	pins, errPINs := p.PINsOf(0)
	err := errors.Join(errSlot, errInfo, errMechanism, errPINs,
		p.GetSlotListWithToken(pkcs11.Output[uint]{Length: &n}), p.GetMechanismList(0, pkcs11.Output[uint]{Length: new(uint)}))
	if err != nil {
		t.Fatal(err)
	}
	if n != 1 || slot.Flags&pkcs11.CKF_TOKEN_PRESENT == 0 || info.Serial == "" || pins.User.Set {
		t.Errorf("%d slots with a token, %+v, %+v, %+v", n, slot, info, pins)
	}
	if _, err := p.WaitForSlotEvent(pkcs11.CKF_DONT_BLOCK); !errors.Is(err, pkcs11.CKR_NO_EVENT) {
		t.Errorf("an event: %v", err)
	}
	return info
}

// TestLookMakesNothing: a program that looks at slots and tokens makes none, and one that then
// uses a token finds what was told before.
func TestLookMakesNothing(t *testing.T) {
	p, state := onlyLooked(t)
	before := look(t, p)
	list := make([]uint, 200)
	told := listOf(t, p, list)
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := p.GetSessionInfo(h); err != nil || i.State != pkcs11.CKS_RO_PUBLIC_SESSION || i.Slot != 0 {
		t.Errorf("%+v, %v", i, err)
	}
	if look(t, p).Session != 1 {
		t.Error("the session is not counted")
	}
	wantMade(t, state, false)
	if err := p.FindObjectsInit(h, nil); err != nil {
		t.Fatal(err)
	}
	wantMade(t, state, true)
	after := look(t, p)
	if before.Serial != after.Serial || before.Model != after.Model || before.Firmware != after.Firmware || after.Session != 1 {
		t.Errorf("%+v was told, it is %+v", before, after)
	}
	if n := listOf(t, p, list); n != told {
		t.Errorf("%d mechanisms were told, there are %d", told, n)
	}
	if err := p.CloseSession(h); err != nil {
		t.Error(err)
	}
}

func listOf(t *testing.T, p *pkcs11.Provider, list []uint) int {
	t.Helper()
	n := uint(len(list))
	if err := p.GetMechanismList(0, pkcs11.Output[uint]{Buffer: list, Length: &n}); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestPromisedSessionCloses: a session that was never used leaves nothing, whichever way it is
// closed, and is none afterwards.
func TestPromisedSessionCloses(t *testing.T) {
	for name, closeIt := range map[string]func(p *pkcs11.Provider, h uint) error{
		"C_CloseSession":     func(p *pkcs11.Provider, h uint) error { return p.CloseSession(h) },
		"C_CloseAllSessions": func(p *pkcs11.Provider, h uint) error { return p.CloseAllSessions(0) },
	} {
		p, state := onlyLooked(t)
		h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
		if err == nil {
			err = closeIt(p, h)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p.GetSessionInfo(h); !errors.Is(err, pkcs11.CKR_SESSION_HANDLE_INVALID) {
			t.Errorf("%s: then %v", name, err)
		}
		wantMade(t, state, false)
	}
	p, _ := onlyLooked(t)
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	if err = errors.Join(err, p.Close()); err != nil {
		t.Error(err)
	}
	if err := p.CloseSession(h); !errors.Is(err, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED) {
		t.Errorf("after C_Finalize: %v", err)
	}
}

// TestPromisedSessionIsOne: C_InitToken refuses while a session is promised, which is one for
// each other call.
func TestPromisedSessionIsOne(t *testing.T) {
	p, _ := onlyLooked(t)
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.InitToken(0, []byte("12345678"), []byte("late")); !errors.Is(err, pkcs11.CKR_SESSION_EXISTS) {
		t.Errorf("C_InitToken: %v", err)
	}
	if err := errors.Join(p.CloseSession(h), p.InitToken(0, []byte("12345678"), []byte("late"))); err != nil {
		t.Error(err)
	}
}

// TestNothingPromised: where no SCM could be made, and where a file is, the device tells.
func TestNothingPromised(t *testing.T) {
	p, state := onlyLooked(t)
	if err := errors.Join(os.MkdirAll(state, 0o700), os.WriteFile(filepath.Join(state, "token.db"), []byte("no database"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.GetTokenInfo(0); err == nil {
		t.Error("a token of files that are damaged is described")
	}
	p, state = onlyLooked(t)
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Dir(state)), 0o700), os.WriteFile(filepath.Dir(state), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.GetTokenInfo(0); err == nil {
		t.Error("a token is described that no directory can be made for")
	}
}
