// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// clock finds the clock of the token.
func (f *fixture) clock() uint {
	f.Helper()
	return f.one(CKA_CLASS, CKO_HW_FEATURE, CKA_HW_FEATURE_TYPE, CKH_CLOCK)
}

// told reads a time that is written in 16 digits.
func told(t *testing.T, text string) time.Time {
	t.Helper()
	if len(text) != 16 || text[14:] != "00" {
		t.Fatalf("time %q", text)
	}
	at, err := time.Parse("20060102150405", text[:14])
	ok(t, err)
	return at
}

// stopped is a device whose clock stands still.
type stopped struct {
	scm.Device
	seconds uint32
	err     error
}

func (s *stopped) Time() (uint32, error) { return s.seconds, s.err }

func (s *stopped) NextSecond() (uint32, error) { return s.Time() }

func TestClock(t *testing.T) {
	d := &stopped{seconds: 1700000000}
	f := withDevice(t, false, func(under scm.Device) scm.Device { d.Device = under; return d })
	f.reads(f.clock(), CKA_VALUE, "2023111422132000")
	f.reads(f.clock(), CKA_CLASS, CKO_HW_FEATURE)
	f.reads(f.clock(), CKA_UNIQUE_ID, "clock")
	info, err := f.GetTokenInfo(0)
	if err != nil || info.UTCTime != "2023111422132000" || info.Flags&CKF_CLOCK_ON_TOKEN == 0 {
		t.Errorf("the token says %q, flags 0x%x, %v", info.UTCTime, info.Flags, err)
	}
	d.seconds++
	f.reads(f.clock(), CKA_VALUE, "2023111422132100")
}

// TestClockOfSoftSCM: the clock goes, and is that of the host where it does not drift.
func TestClockOfSoftSCM(t *testing.T) {
	f := newPublic(t)
	before := time.Now().Truncate(time.Second)
	at := told(t, string(f.read(f.clock(), CKA_VALUE)))
	if at.Before(before) || at.After(time.Now()) {
		t.Errorf("the clock says %v, want %v", at, before)
	}
}

// TestClockIsFoundByClass: programs that know nothing of hardware features meet none.
func TestClockIsFoundByClass(t *testing.T) {
	f := newPublic(t)
	for name, template := range map[string][]any{
		"nothing": nil, "type alone": {CKA_HW_FEATURE_TYPE, CKH_CLOCK},
		"other class": {CKA_CLASS, CKO_DATA}, "other feature": {CKA_CLASS, CKO_HW_FEATURE, CKA_HW_FEATURE_TYPE, CKH_USER_INTERFACE},
	} {
		for _, h := range f.search(template...) {
			if h == f.clock() {
				t.Errorf("found by %s", name)
			}
		}
	}
	if n := len(f.search(CKA_CLASS, CKO_HW_FEATURE)); n != 1 {
		t.Errorf("%d hardware features, want 1", n)
	}
}

// TestClockIsFixed: nobody makes, changes or destroys one.
func TestClockIsFixed(t *testing.T) {
	f := newUser(t)
	h := f.clock()
	want(t, "set", f.SetAttributeValue(f.h, h, is(CKA_VALUE, "2023111422132000")), CKR_ACTION_PROHIBITED)
	want(t, "destroy", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
	_, err := f.CopyObject(f.h, h, nil)
	want(t, "copy", err, CKR_ACTION_PROHIBITED)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, CKO_HW_FEATURE, CKA_HW_FEATURE_TYPE, CKH_CLOCK))
	want(t, "create", err, CKR_ATTRIBUTE_VALUE_INVALID)
	_, err = f.tryRead(h, CKA_TOKEN)
	want(t, "attribute that it has not", err, CKR_ATTRIBUTE_TYPE_INVALID)
	want(t, "key", f.EncryptInit(f.h, zkLock(), h), CKR_KEY_HANDLE_INVALID)
	_, err = f.GetObjectSize(f.h, h)
	f.ok(err)
	if f.ok(f.Logout(f.h)); h != f.clock() {
		t.Error("another handle after a logout")
	}
}

func TestClockFaults(t *testing.T) {
	f := newPublic(t)
	h := f.clock()
	f.device.Fail("Time", 1, scm.ErrDevice)
	_, err := f.tryRead(h, CKA_VALUE)
	want(t, "clock", err, CKR_DEVICE_ERROR)
	f.device.Fail("Time", 1, scm.ErrDevice)
	_, err = f.tryRead(h, CKA_CLASS)
	want(t, "what asks for no time", err, CKR_OK)
	_, err = f.GetTokenInfo(0)
	want(t, "token", err, CKR_DEVICE_ERROR)
}

// TestNoClock: a device may have none, or a library that cannot ask for it.
func TestNoClock(t *testing.T) {
	for name, wrap := range map[string]func(scm.Device) scm.Device{
		"none":      func(d scm.Device) scm.Device { return plain{d} },
		"not asked": func(d scm.Device) scm.Device { return &stopped{Device: d, err: scm.ErrAbility} },
	} {
		f := withDevice(t, false, wrap)
		info, err := f.GetTokenInfo(0)
		if err != nil || info.UTCTime != "" || info.Flags&CKF_CLOCK_ON_TOKEN != 0 {
			t.Errorf("%s: the token says %q, flags 0x%x, %v", name, info.UTCTime, info.Flags, err)
		}
		for _, h := range f.search(CKA_CLASS, CKO_HW_FEATURE) {
			_, err := f.tryRead(h, CKA_VALUE)
			want(t, name, err, CKR_ATTRIBUTE_TYPE_INVALID)
		}
	}
}
