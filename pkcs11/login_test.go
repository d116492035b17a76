// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// TestLineEndInPIN: a PIN that is refused with the end of a line behind it comes from a file that has one, mostly.
func TestLineEndInPIN(t *testing.T) {
	for pin, told := range map[string]int{string(userPIN) + "\n": 1, "wrong": 0} {
		f := newPublic(t)
		want(t, "C_Login", f.Login(f.h, CKU_USER, []byte(pin)), CKR_PIN_INCORRECT)
		if n := f.log.count("ends with the end of a line"); n != told {
			t.Errorf("%q: it is told %d times, want %d", pin, n, told)
		}
	}
}

// TestLogin goes through who may log in when.
func TestLogin(t *testing.T) {
	const none = ^uint(0)
	for _, c := range []struct {
		name     string
		already  uint // who is logged in
		readOnly bool // there is a read-only session, too
		user     uint
		pin      []byte
		code     Error
	}{
		{"user", none, false, CKU_USER, userPIN, CKR_OK},
		{"user, with R/O sessions", none, true, CKU_USER, userPIN, CKR_OK},
		{"SO", none, false, CKU_SO, soPIN, CKR_OK},
		{"SO, with R/O sessions", none, true, CKU_SO, soPIN, CKR_SESSION_READ_ONLY_EXISTS},
		{"user twice", CKU_USER, false, CKU_USER, userPIN, CKR_USER_ALREADY_LOGGED_IN},
		{"SO twice", CKU_SO, false, CKU_SO, soPIN, CKR_USER_ALREADY_LOGGED_IN},
		{"user after SO", CKU_SO, false, CKU_USER, userPIN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN},
		{"SO after user", CKU_USER, false, CKU_SO, soPIN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN},
		{"wrong PIN", none, false, CKU_USER, soPIN, CKR_PIN_INCORRECT},
		{"wrong SO PIN", none, false, CKU_SO, userPIN, CKR_PIN_INCORRECT},
		{"empty PIN", none, false, CKU_USER, []byte{}, CKR_PIN_INCORRECT},
		{"no PIN", none, false, CKU_USER, nil, CKR_ARGUMENTS_BAD},
		{"unknown user", none, false, 7, userPIN, CKR_USER_TYPE_INVALID},
		{"for no operation", CKU_USER, false, CKU_CONTEXT_SPECIFIC, userPIN, CKR_OPERATION_NOT_INITIALIZED},
	} {
		f := newPublic(t)
		if c.already != none {
			f.login(c.already)
		}
		if c.readOnly {
			f.session(0)
		}
		want(t, c.name, f.Login(f.h, c.user, c.pin), c.code)
	}
}

func TestLoginUser(t *testing.T) {
	f := newPublic(t)
	want(t, "named", f.LoginUser(f.h, CKU_USER, userPIN, []byte("alice")), CKR_USER_TYPE_INVALID)
	want(t, "not named", f.LoginUser(f.h, CKU_USER, userPIN, nil), CKR_OK)
	want(t, "session", f.LoginUser(999, CKU_USER, userPIN, []byte("alice")), CKR_SESSION_HANDLE_INVALID)
}

// TestSessionStates: the state of every session follows the login.
func TestSessionStates(t *testing.T) {
	f := newPublic(t)
	states := func(name string, rw, ro uint) {
		t.Helper()
		for _, c := range []struct{ flags, state uint }{{CKF_RW_SESSION, rw}, {0, ro}} {
			if c.state == 0 {
				continue
			}
			h := f.session(c.flags)
			info, err := f.GetSessionInfo(h)
			f.ok(err)
			if wanted := (SessionInfo{State: c.state, Flags: CKF_SERIAL_SESSION | c.flags}); info != wanted {
				t.Errorf("%s: %+v, want %+v", name, info, wanted)
			}
			f.ok(f.CloseSession(h))
		}
	}
	states("public", CKS_RW_PUBLIC_SESSION, CKS_RO_PUBLIC_SESSION)
	f.login(CKU_USER)
	states("user", CKS_RW_USER_FUNCTIONS, CKS_RO_USER_FUNCTIONS)
	f.ok(f.Logout(f.h))
	states("public again", CKS_RW_PUBLIC_SESSION, CKS_RO_PUBLIC_SESSION)
	f.login(CKU_SO)
	states("SO", CKS_RW_SO_FUNCTIONS, 0)
	_, err := f.OpenSession(0, CKF_SERIAL_SESSION)
	want(t, "R/O session beside the SO", err, CKR_SESSION_READ_WRITE_SO_EXISTS)
}

// TestLogout: private objects go out of sight with their handles, private
// session objects for good.
func TestLogout(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	stored, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true, CKA_LABEL, "stored"))
	f.ok(err)
	_, err = f.CreateObject(f.h, is(with(secretKey, CKA_LABEL, "session")...))
	f.ok(err)
	open, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "open"))
	f.ok(err)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key))

	f.ok(f.Logout(f.h))
	want(t, "second logout", f.Logout(f.h), CKR_USER_NOT_LOGGED_IN)
	want(t, "a signature under way", f.Sign(f.h, digest32, room(64)), CKR_USER_NOT_LOGGED_IN)
	want(t, "a signature", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key), CKR_KEY_HANDLE_INVALID)
	if got := f.search(CKA_CLASS, CKO_DATA); len(got) != 1 || got[0] != open {
		t.Errorf("visible without a login: %d", got)
	}

	f.login(CKU_USER)
	if again := f.one(CKA_LABEL, "stored"); again == stored {
		t.Error("the handle of a private object outlived the logout")
	}
	if n := len(f.search(CKA_LABEL, "session")); n > 0 {
		t.Error("a private session object outlived the logout")
	}
	_, err = f.tryRead(key, CKA_LABEL)
	want(t, "the key's old handle", err, CKR_OBJECT_HANDLE_INVALID)
}

// TestOperationsDoNotOutliveLogin: an operation that one login began is not
// there for the next.
func TestOperationsDoNotOutliveLogin(t *testing.T) {
	f := newUser(t)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, f.private(0)))
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	want(t, "sign", f.Sign(f.h, digest32, room(64)), CKR_FUNCTION_FAILED)
}

// TestLastSessionLogsOut: with the last session the login ends.
func TestLastSessionLogsOut(t *testing.T) {
	for name, end := range map[string]func(*fixture) error{
		"closed":    func(f *fixture) error { return f.CloseSession(f.h) },
		"closedAll": func(f *fixture) error { return f.CloseAllSessions(0) },
	} {
		f := newUser(t)
		f.ok(end(f))
		want(t, name, f.Logout(f.h), CKR_SESSION_HANDLE_INVALID)
		f.h = f.session(CKF_RW_SESSION)
		if info, err := f.GetSessionInfo(f.h); err != nil || info.State != CKS_RW_PUBLIC_SESSION {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// TestLoginIsOfTheProcess: another process is not logged in.
func TestLoginIsOfTheProcess(t *testing.T) {
	f := newUser(t)
	other := openIn(t, f.dir, Options{})
	other.h = other.session(0)
	if n := len(other.search(CKA_CLASS, CKO_PRIVATE_KEY)); n > 0 {
		t.Errorf("it sees %d private keys", n)
	}
}

func TestPINLock(t *testing.T) {
	f := newPublic(t)
	flags := func() uint {
		info, err := f.GetTokenInfo(0)
		f.ok(err)
		return info.Flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
	}
	for try := 1; try <= store.DefaultMaxFailures; try++ {
		want(t, "wrong PIN", f.Login(f.h, CKU_USER, soPIN), CKR_PIN_INCORRECT)
		wanted := uint(CKF_USER_PIN_COUNT_LOW)
		switch try {
		case store.DefaultMaxFailures - 1:
			wanted |= CKF_USER_PIN_FINAL_TRY
		case store.DefaultMaxFailures:
			wanted |= CKF_USER_PIN_LOCKED
		}
		if got := flags(); got != wanted {
			t.Errorf("try %d: flags 0x%x, want 0x%x", try, got, wanted)
		}
	}
	want(t, "right PIN", f.Login(f.h, CKU_USER, userPIN), CKR_PIN_LOCKED)
	want(t, "change", f.SetPIN(f.h, userPIN, userPIN), CKR_PIN_LOCKED)
	f.login(CKU_SO)
	want(t, "another PIN by the SO", f.InitPIN(f.h, []byte("fresh")), CKR_OK)
	f.ok(f.Logout(f.h))
	want(t, "fresh PIN", f.Login(f.h, CKU_USER, []byte("fresh")), CKR_OK)
	if got := flags(); got != 0 {
		t.Errorf("flags 0x%x after the right PIN", got)
	}
}

func TestInitPIN(t *testing.T) {
	f := newPublic(t)
	want(t, "nobody", f.InitPIN(f.h, userPIN), CKR_USER_NOT_LOGGED_IN)
	f.login(CKU_USER)
	want(t, "user", f.InitPIN(f.h, userPIN), CKR_USER_NOT_LOGGED_IN)
	f.ok(f.Logout(f.h))
	f.login(CKU_SO)
	for _, c := range pinLengths {
		want(t, c.name, f.InitPIN(f.h, c.pin), c.code)
	}
}

var pinLengths = []struct {
	name string
	pin  []byte
	code Error
}{
	{"none", nil, CKR_ARGUMENTS_BAD},
	{"empty", []byte{}, CKR_PIN_LEN_RANGE},
	{"short", []byte("123"), CKR_PIN_LEN_RANGE},
	{"long", bytes.Repeat([]byte("x"), MaxPIN+1), CKR_PIN_LEN_RANGE},
	{"longest", bytes.Repeat([]byte("x"), MaxPIN), CKR_OK},
	{"shortest", []byte("1234"), CKR_OK},
}

func TestSetPIN(t *testing.T) {
	for _, c := range []struct {
		name  string
		login uint
		old   []byte
		user  uint // whose PIN it is then
	}{
		{"by the user", CKU_USER, userPIN, CKU_USER},
		{"by nobody: the user's", nobody, userPIN, CKU_USER},
		{"by the SO", CKU_SO, soPIN, CKU_SO},
	} {
		f := newPublic(t)
		if c.login != nobody {
			f.login(c.login)
		}
		for _, l := range pinLengths[:4] {
			want(t, c.name+" "+l.name, f.SetPIN(f.h, c.old, l.pin), l.code)
		}
		want(t, c.name+" no old PIN", f.SetPIN(f.h, nil, []byte("changed")), CKR_ARGUMENTS_BAD)
		want(t, c.name+" wrong", f.SetPIN(f.h, []byte("wrong"), []byte("changed")), CKR_PIN_INCORRECT)
		want(t, c.name, f.SetPIN(f.h, c.old, []byte("changed")), CKR_OK)
		f.ok(f.CloseAllSessions(0))
		f.h = f.session(CKF_RW_SESSION)
		want(t, c.name+" old PIN", f.Login(f.h, c.user, c.old), CKR_PIN_INCORRECT)
		want(t, c.name+" new PIN", f.Login(f.h, c.user, []byte("changed")), CKR_OK)
		if c.user == CKU_USER {
			_, err := f.sign(CKM_ECDSA, f.private(0), digest32)
			want(t, c.name+" sign", err, CKR_OK)
		}
	}
	f := newPublic(t)
	want(t, "R/O session", f.SetPIN(f.session(0), userPIN, []byte("changed")), CKR_SESSION_READ_ONLY)
	blank := newBlank(t)
	h := blank.session(CKF_RW_SESSION)
	want(t, "PIN never set", blank.SetPIN(h, userPIN, userPIN), CKR_PIN_INCORRECT)
	want(t, "login without a PIN", blank.Login(h, CKU_USER, userPIN), CKR_USER_PIN_NOT_INITIALIZED)
}

func TestInitToken(t *testing.T) {
	f := newUser(t)
	f.tokenPair(scm.P256)
	_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
	f.ok(err)
	label := []byte("again" + strings.Repeat(" ", 27))
	want(t, "with a session", f.InitToken(0, soPIN, label), CKR_SESSION_EXISTS)
	f.ok(f.CloseSession(f.h))
	for _, c := range []struct {
		name       string
		slot       uint
		pin, label []byte
		code       Error
	}{
		{"no slot", 1, soPIN, label, CKR_SLOT_ID_INVALID},
		{"no PIN", 0, nil, label, CKR_ARGUMENTS_BAD},
		{"no label", 0, soPIN, nil, CKR_ARGUMENTS_BAD},
		{"wrong PIN", 0, userPIN, label, CKR_PIN_INCORRECT},
		{"short PIN", 0, []byte("123"), label, CKR_PIN_INCORRECT},
		{"label that is not UTF-8", 0, soPIN, bytes.Repeat([]byte{0xff}, 32), CKR_ARGUMENTS_BAD},
		{"right", 0, soPIN, label, CKR_OK},
	} {
		want(t, c.name, f.InitToken(c.slot, c.pin, c.label), c.code)
	}

	info, err := f.GetTokenInfo(0)
	f.ok(err)
	if info.Label != "again" || info.Flags&CKF_TOKEN_INITIALIZED == 0 || info.Flags&CKF_USER_PIN_INITIALIZED != 0 {
		t.Errorf("label %q, flags 0x%x", info.Label, info.Flags)
	}
	f.h = f.session(CKF_RW_SESSION)
	want(t, "user", f.Login(f.h, CKU_USER, userPIN), CKR_USER_PIN_NOT_INITIALIZED)
	f.login(CKU_SO)
	f.ok(f.InitPIN(f.h, userPIN))
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	if n := len(f.search()); n != 2*scm.PermanentSlots+profileObjects {
		t.Errorf("%d objects are left, want those of the permanent slots and the profiles", n)
	}
	_, err = f.sign(CKM_ECDSA, f.private(0), digest32)
	want(t, "sign", err, CKR_OK)
}

// TestInitTokenElsewhere: a process that is logged in while another initialises
// the token is logged out: its private keys are gone.
func TestInitTokenElsewhere(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	other := openIn(t, f.dir, Options{})
	f.ok(other.InitToken(0, soPIN, []byte("taken over")))
	_, err := f.sign(CKM_ECDSA, key, digest32)
	want(t, "sign", err, CKR_KEY_HANDLE_INVALID)
	_, _, err = f.tryPair(scm.P256, nil, nil)
	want(t, "generate", err, CKR_USER_NOT_LOGGED_IN)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true))
	want(t, "create", err, CKR_USER_NOT_LOGGED_IN)
}

// TestLoginDeviceStaysShut: the PIN is right, but the device does not open.
func TestLoginDeviceStaysShut(t *testing.T) {
	softOnly(t, noSeal)
	f := newPublic(t)
	f.device.Fail("Unseal", 1, scm.ErrSecret)
	want(t, "login", f.Login(f.h, CKU_USER, userPIN), CKR_DEVICE_ERROR)
	if f.log.count("the device does not open") != 1 {
		t.Error("nothing is in the log")
	}
	want(t, "next login", f.Login(f.h, CKU_USER, userPIN), CKR_OK)
}

// TestAlwaysAuthenticate: a key that wants the PIN for each signature.
func TestAlwaysAuthenticate(t *testing.T) {
	f := newUser(t)
	_, key := f.pairOn(scm.P256, CKA_ALWAYS_AUTHENTICATE, true)
	m := &Mechanism{Type: CKM_ECDSA}
	authenticate := func(pin []byte) error { return f.Login(f.h, CKU_CONTEXT_SPECIFIC, pin) }

	f.ok(f.SignInit(f.h, m, key))
	want(t, "without the PIN", f.Sign(f.h, digest32, room(64)), CKR_USER_NOT_LOGGED_IN)
	want(t, "after the operation", authenticate(userPIN), CKR_OPERATION_NOT_INITIALIZED)

	f.ok(f.SignInit(f.h, m, key))
	want(t, "wrong PIN", authenticate(soPIN), CKR_PIN_INCORRECT)
	want(t, "size", f.Sign(f.h, digest32, sizeOnly()), CKR_OK)
	want(t, "right PIN", authenticate(userPIN), CKR_OK)
	want(t, "sign", f.Sign(f.h, digest32, room(64)), CKR_OK)

	f.ok(f.SignInit(f.h, m, key))
	want(t, "the next signature", f.Sign(f.h, digest32, room(64)), CKR_USER_NOT_LOGGED_IN)

	f.ok(f.SignInit(f.h, m, f.private(0)))
	want(t, "a key that does not want it", authenticate(userPIN), CKR_OPERATION_NOT_INITIALIZED)
}

// TestAlwaysAuthenticateLocks: wrong PINs for a signature lock the PIN, and log out.
func TestAlwaysAuthenticateLocks(t *testing.T) {
	f := newUser(t)
	_, key := f.pairOn(scm.P256, CKA_ALWAYS_AUTHENTICATE, true)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key))
	err := error(CKR_PIN_INCORRECT)
	for attempts := 0; err == CKR_PIN_INCORRECT; attempts++ {
		if f.token().user() != CKU_USER || attempts == 100 {
			t.Fatalf("logged out %v after %d attempts", f.token().user() != CKU_USER, attempts)
		}
		err = f.Login(f.h, CKU_CONTEXT_SPECIFIC, soPIN)
	}
	want(t, "too many attempts", err, CKR_PIN_LOCKED)
	info, err := f.GetSessionInfo(f.h)
	if err != nil || info.State != CKS_RW_PUBLIC_SESSION {
		t.Errorf("state %d, %v, want a public session", info.State, err)
	}
	want(t, "sign", f.Sign(f.h, digest32, room(64)), CKR_USER_NOT_LOGGED_IN)
}
