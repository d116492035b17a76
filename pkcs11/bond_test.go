// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/tests/harness"
)

// TestAnotherDevice: a token that finds another SCM than its own does nothing with it. Who
// asks is told that there is no token, and who names it that the device fails.
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
		ok(t, p.GetSlotList(true, Output[uint]{Length: &n}))
		info, err := p.GetSlotInfo(0)
		ok(t, err)
		if n != 0 || info.Flags&CKF_TOKEN_PRESENT != 0 {
			t.Errorf("%d slots have a token, flags %x", n, info.Flags)
		}
		p.slots[0].failed = p.slots[0].failed.Add(-openAgain) // it is tried again
	}
	if log.count("error") != 1 || log.count("put back what was exchanged") != 1 {
		t.Errorf("logged %q, want one line", log.list)
	}
	device = mine.dir
	p.slots[0].failed = p.slots[0].failed.Add(-openAgain)
	_, err := p.OpenSession(0, CKF_SERIAL_SESSION)
	want(t, "with its own SCM again", err, CKR_OK)
}

// TestInitTokenInterrupted: wherever C_InitToken is interrupted, the token and its device
// belong together afterwards.
func TestInitTokenInterrupted(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	fault := errors.New("interrupted")
	for _, method := range []string{"Prepare", "Offer", "Unseal", "Bind", "Keys"} {
		for call := 1; call <= 2; call++ {
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
