// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

func TestGetTokenInfo(t *testing.T) {
	f := newPublic(t)
	f.session(0)
	info, err := f.GetTokenInfo(0)
	f.ok(err)
	if info.Label != "test token" || info.Model != "Soft SCM" || info.Manufacturer != "zk_pkcs11" || len(info.Serial) == 0 || len(info.Serial) > 16 {
		t.Errorf("label %q, model %q, manufacturer %q, serial %q", info.Label, info.Model, info.Manufacturer, info.Serial)
	}
	if flags := uint(CKF_RNG | CKF_LOGIN_REQUIRED | CKF_RESTORE_KEY_NOT_NEEDED | CKF_CLOCK_ON_TOKEN | CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED); info.Flags != flags {
		t.Errorf("flags 0x%x, want 0x%x", info.Flags, flags)
	}
	if info.Session != 2 || info.RWSession != 1 || info.MaxSession != maxSessions || info.MinPIN != MinPIN || info.MaxPIN != MaxPIN {
		t.Errorf("%+v", info)
	}
	if _, err := time.Parse("20060102150405", info.UTCTime[:14]); err != nil || len(info.UTCTime) != 16 {
		t.Errorf("time %q", info.UTCTime)
	}
	blank := newBlank(t)
	info, err = blank.GetTokenInfo(0)
	f.ok(err)
	if info.Flags&(CKF_TOKEN_INITIALIZED|CKF_USER_PIN_INITIALIZED) != 0 {
		t.Errorf("flags 0x%x of a token that was never initialised", info.Flags)
	}
	f.device.Fail("Info", 1, scm.ErrAbsent)
	_, err = f.GetTokenInfo(0)
	want(t, "device gone", err, CKR_DEVICE_REMOVED)
}

func TestPINFlags(t *testing.T) {
	for _, c := range []struct {
		pin      store.PIN
		user, so uint
	}{
		{store.PIN{}, 0, 0},
		{store.PIN{Low: true}, CKF_USER_PIN_COUNT_LOW, CKF_SO_PIN_COUNT_LOW},
		{store.PIN{LastTry: true}, CKF_USER_PIN_FINAL_TRY, CKF_SO_PIN_FINAL_TRY},
		{store.PIN{Locked: true}, CKF_USER_PIN_LOCKED, CKF_SO_PIN_LOCKED},
	} {
		user, so := pinFlags(c.pin, CKF_USER_PIN_COUNT_LOW), pinFlags(c.pin, CKF_SO_PIN_COUNT_LOW)
		if user != c.user || so != c.so {
			t.Errorf("%+v: 0x%x and 0x%x, want 0x%x and 0x%x", c.pin, user, so, c.user, c.so)
		}
	}
}
