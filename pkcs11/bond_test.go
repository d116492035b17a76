// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/store"
)

// TestAnotherDevice: a token that finds another SCM than its own does nothing with it. A
// caller who asks is told that there is no token, and one who names it that the device fails.
func TestAnotherDevice(t *testing.T) {
	mine, other := newPublic(t), newBlank(t)
	other.token() // makes the SCM
	mine.Close()
	other.Close()
	log, device := &lines{}, other.dir
	open := func() (scm.Device, *store.Store, error) {
		d, err := openDevice(device, 0)
		if err != nil {
			return nil, nil, err
		}
		s, err := store.Open(mine.dir, store.Options{Mode: 0o600, Group: -1})
		return seen(scmtest.NewFaulty(d)), s, err
	}
	p := New(Options{Log: log, Slots: []SlotOptions{{Open: open}}})
	defer p.Close()
	for range 3 {
		_, err := p.OpenSession(0, CKF_SERIAL_SESSION)
		want(t, "OpenSession", err, CKR_DEVICE_ERROR)
		_, err = p.GetTokenInfo(0)
		want(t, "GetTokenInfo", err, CKR_DEVICE_ERROR)
		want(t, "InitToken", p.InitToken(0, soPIN, []byte("token")), CKR_DEVICE_ERROR)
		var n uint
		ok(t, p.GetSlotListWithToken(Output[uint]{Length: &n}))
		info, err := p.GetSlotInfo(0)
		ok(t, err)
		if n != 0 || info.Flags&CKF_TOKEN_PRESENT != 0 {
			t.Errorf("%d slots have a token, flags %x", n, info.Flags)
		}
		p.slots[0].life.failed = p.slots[0].life.failed.Add(-openAgain) // it is tried again
	}
	if log.count("error") != 1 || log.count("put back what was exchanged") != 1 {
		t.Errorf("logged %q, want one line", log.list)
	}
	device = mine.dir
	p.slots[0].life.failed = p.slots[0].life.failed.Add(-openAgain)
	_, err := p.OpenSession(0, CKF_SERIAL_SESSION)
	want(t, "with its own SCM again", err, CKR_OK)
}

// TestInitTokenInterrupted: wherever C_InitToken is interrupted, the token and its device
// belong together afterwards.
func TestInitTokenInterrupted(t *testing.T) {
	softOnly(t, noSeal)
	fault := errors.New("interrupted")
	for _, method := range []string{"Prepare", "Offer", "Unseal", "Bind", "Keys"} {
		for call := 1; call <= 3; call++ {
			f := newPublic(t)
			f.ok(f.CloseSession(f.h))
			f.device.Fail(method, call, fault)
			if f.InitToken(0, soPIN, []byte("token")) == nil && method != "Bind" && call == 1 {
				t.Errorf("%s did not fail", method)
			}
			f.Close()
			f = openIn(t, f.dir, Options{})
			f.h = f.session(CKF_RW_SESSION)
			f.login(CKU_SO)
			f.ok(f.Logout(f.h))
			f.ok(f.CloseSession(f.h))
			f.ok(f.InitToken(0, soPIN, []byte("token")))
			checkUsable(t, f.dir, soPIN)
		}
	}
}

// TestResetThenInterrupted: after a reset C_InitToken may be interrupted wherever it is, and
// tried again.
func TestResetThenInterrupted(t *testing.T) {
	softOnly(t, noSeal)
	for _, method := range []string{"Prepare", "Offer", "Unseal", "Keys"} {
		for _, after := range []bool{false, true} {
			f := newPublic(t)
			f.Close()
			d, err := openDevice(f.dir, 0)
			f.ok(err)
			f.ok(errors.Join(d.(*soft.Device).Reset(), d.Close()))
			f = openIn(t, f.dir, Options{})
			f.token()
			f.token().device = interrupted{Faulty: f.device, method: method, after: after}
			if f.InitToken(0, soPIN, []byte("token")) == nil {
				t.Errorf("%s did not fail", method)
			}
			f.Close()
			f = openIn(t, f.dir, Options{})
			f.ok(f.InitToken(0, soPIN, []byte("token")))
			checkUsable(t, f.dir, soPIN)
		}
	}
}

// interrupted is a device one of whose methods fails, before or after it has done its work.
type interrupted struct {
	*scmtest.Faulty
	method string
	after  bool
	skip   bool // Unseal leaves what was prepared, as on a full disk
}

var errInterrupted = errors.New("interrupted")

func (d interrupted) at(method string, do func() error) error {
	if d.method != method {
		return do()
	}
	if !d.after {
		return errInterrupted
	}
	return errors.Join(do(), errInterrupted)
}

func (d interrupted) Prepare(secret []byte) error {
	return d.at("Prepare", func() error { return d.Faulty.Prepare(secret) })
}

func (d interrupted) Offer(bond []byte) error {
	return d.at("Offer", func() error { return d.Faulty.Offer(bond) })
}

func (d interrupted) Unseal(secret []byte) error {
	if d.skip {
		return nil
	}
	return d.at("Unseal", func() error { return d.Faulty.Unseal(secret) })
}

func (d interrupted) Bind(bond []byte) error {
	return d.at("Bind", func() error { return d.Faulty.Bind(bond) })
}

func (d interrupted) Keys() (keys []scm.Key, err error) {
	err = d.at("Keys", func() (err error) {
		keys, err = d.Faulty.Keys()
		return err
	})
	return keys, err
}

// TestInitTokenTwiceInterrupted: what an interrupted C_InitToken has left, the next one
// finishes before it offers another secret and bond, or it fails.
func TestInitTokenTwiceInterrupted(t *testing.T) {
	softOnly(t, noSeal)
	for _, seal := range []string{settings.SealPIN, settings.SealDevice} {
		for _, first := range []string{"Unseal", "Bind"} {
			for _, second := range []string{"Prepare", "Offer", "Unseal", "Bind"} {
				dir := t.TempDir()
				for _, d := range []interrupted{
					{},
					{method: first},
					{method: second, after: true},
					{method: "Offer", after: true},
					{},
				} {
					p, log := initialising(dir, seal, d)
					if err := p.InitToken(0, soPIN, []byte("token")); err != nil && d.method == "" {
						t.Errorf("%s, %s, %s: %v %q", seal, first, second, err, log.list)
					}
					p.Close()
				}
			}
		}
	}
}

// TestInitTokenBeforeSealed: while the device is not sealed to the secret of the token for
// want of room, there is no place in it for another.
func TestInitTokenBeforeSealed(t *testing.T) {
	softOnly(t, noSeal)
	dir := t.TempDir()
	for _, tt := range []struct {
		full bool
		code Error
	}{{true, CKR_OK}, {true, CKR_DEVICE_MEMORY}, {false, CKR_OK}} {
		p, _ := initialising(dir, settings.SealPIN, interrupted{skip: tt.full})
		want(t, "InitToken", p.InitToken(0, soPIN, []byte("token")), tt.code)
		p.Close()
	}
}

// initialising returns a provider on a soft SCM that is interrupted as d says.
func initialising(dir, seal string, d interrupted) (*Provider, *lines) {
	log := &lines{}
	open := func() (scm.Device, *store.Store, error) {
		device, err := soft.Open(dir, soft.Options{Group: -1, Settings: soft.Settings{Seal: seal, Host: hostIdentity()}})
		if err != nil {
			return nil, nil, err
		}
		s, err := store.Open(dir, store.Options{Mode: 0o600, Group: -1})
		d.Faulty = scmtest.NewFaulty(device)
		return d, s, err
	}
	return New(Options{Log: log, Slots: []SlotOptions{{Open: open}}}), log
}

// TestInitTokenOfForged: the SO does not take a flash for the token's own that has its
// serial number and bond and needs no secret.
func TestInitTokenOfForged(t *testing.T) {
	softOnly(t, noSeal)
	f := newPublic(t)
	known, err := f.device.Bonds()
	f.ok(err)
	f.Close()
	forged := newBlank(t)
	forged.token()
	forged.Close()
	db, err := sql.Open("sqlite3", filepath.Join(forged.dir, "flash.db"))
	f.ok(err)
	_, err = db.Exec("UPDATE scm SET serial = ?, bond = ?", known.Serial, known.Token)
	f.ok(errors.Join(err, db.Close()))
	for _, name := range []string{"flash.db", "root.key"} {
		content, err := os.ReadFile(filepath.Join(forged.dir, name))
		f.ok(err)
		f.ok(os.RemoveAll(filepath.Join(f.dir, name+"-wal")))
		f.ok(os.WriteFile(filepath.Join(f.dir, name), content, 0o600))
	}
	f = openIn(t, f.dir, Options{})
	want(t, "InitToken", f.InitToken(0, soPIN, []byte("token")), CKR_DEVICE_ERROR)
	if s, err := f.device.Bonds(); err != nil || s.Sealed || string(s.Token) != string(known.Token) || s.Next != nil {
		t.Errorf("the forged flash has become %+v, %v", s, err)
	}
}

// TestLoginBesideInitToken: a login leaves what another process has offered to the device,
// which would be lost if that died as soon as it has stored what belongs to it.
func TestLoginBesideInitToken(t *testing.T) {
	softOnly(t, noSeal)
	f := newPublic(t)
	offered := []byte("bond of another process")
	f.ok(f.device.Offer(offered))
	f.login(CKU_USER)
	known, err := f.device.Bonds()
	f.ok(err)
	if string(known.Next) != string(offered) {
		t.Errorf("the device knows %+v", known)
	}
}
