// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// failing is a slot whose device cannot be opened.
func failing(opened *int) SlotOptions {
	return SlotOptions{Description: "gone", Hardware: true, Open: func() (scm.Device, *store.Store, error) {
		*opened++
		return nil, nil, errors.New("no device there")
	}}
}

// newPair returns a provider with a slot that works and one that does not.
func newPair(t *testing.T) (p *Provider, log *lines, opened *int) {
	t.Helper()
	f := &fixture{dir: t.TempDir(), wait: time.Minute}
	log, opened = &lines{}, new(int)
	p = New(Options{Log: log, Slots: []SlotOptions{{Description: "good", Open: f.open}, failing(opened)}})
	t.Cleanup(func() { p.Close() })
	return p, log, opened
}

func TestGetSlotList(t *testing.T) {
	p, _, _ := newPair(t)
	for _, c := range []struct {
		name string
		list func(Output[uint]) error
		want []uint
	}{{"all", p.GetSlotList, []uint{0, 1}}, {"with a token", p.GetSlotListWithToken, []uint{0}}} {
		length := uint(4)
		out := Output[uint]{Buffer: make([]uint, 4), Length: &length}
		ok(t, c.list(out))
		if !slices.Equal(out.Buffer[:length], c.want) {
			t.Errorf("%s: %d, want %d", c.name, out.Buffer[:length], c.want)
		}
	}
	length := uint(1)
	want(t, "too small", p.GetSlotList(Output[uint]{Buffer: make([]uint, 1), Length: &length}), CKR_BUFFER_TOO_SMALL)
	if length != 2 {
		t.Errorf("length %d, want 2", length)
	}
}

func TestGetSlotInfo(t *testing.T) {
	p, _, _ := newPair(t)
	good, err := p.GetSlotInfo(0)
	ok(t, err)
	if good != (SlotInfo{"good", Manufacturer, CKF_TOKEN_PRESENT, Version{}, Version{1, 0}}) {
		t.Errorf("%+v", good)
	}
	gone, err := p.GetSlotInfo(1)
	ok(t, err)
	if gone != (SlotInfo{Description: "gone", Manufacturer: Manufacturer, Flags: CKF_HW_SLOT | CKF_REMOVABLE_DEVICE}) {
		t.Errorf("%+v", gone)
	}
	_, err = p.GetSlotInfo(2)
	want(t, "no slot", err, CKR_SLOT_ID_INVALID)
}

// TestDeviceGone: every function at the slot says so, the log once, and the
// device is not tried again with each call.
func TestDeviceGone(t *testing.T) {
	p, log, opened := newPair(t)
	_, info := p.GetTokenInfo(1)
	_, open := p.OpenSession(1, CKF_SERIAL_SESSION)
	_, mechanism := p.GetMechanismInfo(1, CKM_ECDSA)
	for name, err := range map[string]error{
		"C_GetTokenInfo": info, "C_OpenSession": open, "C_GetMechanismInfo": mechanism,
		"C_InitToken": p.InitToken(1, soPIN, []byte("x")), "C_CloseAllSessions": p.CloseAllSessions(1),
		"C_GetMechanismList": p.GetMechanismList(1, Output[uint]{Length: new(uint)}),
	} {
		want(t, name, err, CKR_TOKEN_NOT_PRESENT)
	}
	if *opened != 1 || log.count("slot 1: no device there") != 1 {
		t.Errorf("opened %d times, %d log lines", *opened, log.count("slot 1"))
	}
	p.slots[1].life.failed = time.Now().Add(-2 * openAgain)
	_, err := p.GetTokenInfo(1)
	want(t, "later", err, CKR_TOKEN_NOT_PRESENT)
	if *opened != 2 {
		t.Errorf("opened %d times, want 2", *opened)
	}
}

// A device that is not there is no error, but the line says what to do; one that fails is.
func TestLogOfFailedOpen(t *testing.T) {
	for err, line := range map[error]string{
		scm.ErrAbsent: "info: slot 0: there is no token: opening: device does not answer; \"zk_pkcs11-util scm status --slot 0\"",
		scm.ErrDevice: "error: slot 0: opening: ",
	} {
		log := &lines{}
		p := New(Options{Log: log, Slots: []SlotOptions{{
			Open: func() (scm.Device, *store.Store, error) { return nil, nil, fmt.Errorf("opening: %w", err) },
		}}})
		_, answer := p.GetTokenInfo(0)
		want(t, err.Error(), answer, CKR_TOKEN_NOT_PRESENT)
		if log.count(line) != 1 {
			t.Errorf("%v: logged %q, want %s", err, log.list, line)
		}
	}
}

func TestWaitForSlotEvent(t *testing.T) {
	p, _, _ := newPair(t)
	_, err := p.WaitForSlotEvent(CKF_DONT_BLOCK)
	want(t, "not blocking", err, CKR_NO_EVENT)
	q := New(Options{})
	ended := make(chan error)
	go func() {
		_, err := q.WaitForSlotEvent(0)
		ended <- err
	}()
	q.Close()
	want(t, "blocking", <-ended, CKR_CRYPTOKI_NOT_INITIALIZED)
}

func TestFirmwareVersion(t *testing.T) {
	for s, v := range map[string]Version{
		"01.02.02release": {1, 2}, "1.2": {1, 2}, "12.34.56": {12, 34}, "3": {3, 0}, "": {}, "release": {}, "2.x": {2, 0},
	} {
		if got := firmwareVersion(s); got != v {
			t.Errorf("%q is %v, want %v", s, got, v)
		}
	}
}

// TestTwoSlots: what happens in one slot is nothing to the other.
func TestTwoSlots(t *testing.T) {
	a, b := newUser(t), &fixture{TB: t, dir: t.TempDir(), wait: time.Minute}
	p := New(Options{Slots: []SlotOptions{{Open: a.open}, {Open: b.open}}})
	t.Cleanup(func() { p.Close() })
	a.Close()
	first, err := p.OpenSession(0, CKF_SERIAL_SESSION|CKF_RW_SESSION)
	ok(t, err)
	second, err := p.OpenSession(1, CKF_SERIAL_SESSION)
	ok(t, err)
	ok(t, p.Login(first, CKU_USER, userPIN))
	info, err := p.GetSessionInfo(second)
	ok(t, err)
	if info.Slot != 1 || info.State != CKS_RO_PUBLIC_SESSION {
		t.Errorf("%+v", info)
	}
	object, err := p.CreateObject(first, is(CKA_CLASS, CKO_DATA))
	ok(t, err)
	want(t, "object of the other slot", p.DestroyObject(second, object), CKR_OBJECT_HANDLE_INVALID)
	ok(t, p.CloseAllSessions(1))
	if _, err := p.GetSessionInfo(first); err != nil {
		t.Error("closing the sessions of one slot closed one of the other")
	}
}
