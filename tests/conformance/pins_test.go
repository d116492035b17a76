// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// lockedAfter is how many wrong PINs in a row lock a PIN.
const lockedAfter = 10

// The four flags of a PIN in CK_TOKEN_INFO.
const (
	countLow    = pkcs11.CKF_USER_PIN_COUNT_LOW
	finalTry    = pkcs11.CKF_USER_PIN_FINAL_TRY
	locked      = pkcs11.CKF_USER_PIN_LOCKED
	pinFlags    = countLow | finalTry | locked
	initialized = pkcs11.CKF_TOKEN_INITIALIZED
	pinIsSet    = pkcs11.CKF_USER_PIN_INITIALIZED
)

func flags(t *testing.T, k *live.Token) uint {
	t.Helper()
	info, err := k.GetTokenInfo(0)
	k.OK(err)
	return info.Flags
}

// TestNewToken walks from the factory to a token with both PINs.
func TestNewToken(t *testing.T) {
	k := live.Load(t, harness.NewHome(t))
	if f := flags(t, k); f&(initialized|pinIsSet) != 0 || f&pkcs11.CKF_LOGIN_REQUIRED == 0 || f&pkcs11.CKF_RNG == 0 {
		t.Errorf("a new token has the flags 0x%x", f)
	}
	s := k.Public()
	k.Want("the user's login", k.Login(s, pkcs11.CKU_USER, harness.UserPIN), pkcs11.CKR_USER_PIN_NOT_INITIALIZED)
	k.Want("C_InitToken with a session open", k.InitToken(0, harness.SOPIN, harness.Label), pkcs11.CKR_SESSION_EXISTS)
	k.OK(k.CloseSession(s))
	k.OK(k.InitToken(0, harness.SOPIN, "A label of two wörds"))
	info, err := k.GetTokenInfo(0)
	k.OK(err)
	if info.Label != "A label of two wörds" || info.Flags&(initialized|pinIsSet) != initialized {
		t.Errorf("after C_InitToken: %q, flags 0x%x", info.Label, info.Flags)
	}
	s = k.Public()
	k.Want("C_InitPIN of nobody", k.InitPIN(s, harness.UserPIN), pkcs11.CKR_USER_NOT_LOGGED_IN)
	k.OK(k.Login(s, pkcs11.CKU_SO, harness.SOPIN))
	k.OK(k.InitPIN(s, harness.UserPIN))
	if flags(t, k)&pinIsSet == 0 {
		t.Error("C_InitPIN did not set CKF_USER_PIN_INITIALIZED")
	}
	k.OK(k.Logout(s))
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	k.Want("C_InitPIN of the user", k.InitPIN(s, harness.UserPIN), pkcs11.CKR_USER_NOT_LOGGED_IN)
}

// TestSetPIN changes both PINs, from every state in which that can be.
func TestSetPIN(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	for _, bad := range []string{"123", strings.Repeat("1", 256)} {
		k.Want("a PIN of a length that is not allowed", k.SetPIN(s, harness.UserPIN, bad), pkcs11.CKR_PIN_LEN_RANGE)
	}
	k.Want("the wrong old PIN", k.SetPIN(s, "wrong", "new PIN"), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.SetPIN(s, harness.UserPIN, "by nobody"))
	k.Want("the old PIN", k.Login(s, pkcs11.CKU_USER, harness.UserPIN), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.Login(s, pkcs11.CKU_USER, "by nobody"))
	k.OK(k.SetPIN(s, "by nobody", "by the user"))
	k.OK(k.Logout(s))
	k.OK(k.Login(s, pkcs11.CKU_SO, harness.SOPIN))
	k.Want("the user's PIN for the officer's", k.SetPIN(s, "by the user", "new PIN"), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.SetPIN(s, harness.SOPIN, "officer's"))
	k.OK(k.Logout(s))
	k.Want("the officer's old PIN", k.Login(s, pkcs11.CKU_SO, harness.SOPIN), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.Login(s, pkcs11.CKU_SO, "officer's"))
	k.OK(k.Logout(s))
	k.OK(k.Login(s, pkcs11.CKU_USER, "by the user"))
	k.Signed(s, pkcs11.CKM_ECDSA, k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0), make([]byte, 32))
}

// TestLockedPIN guesses until the PIN locks, in two lives of the library, and
// has the officer unlock it.
func TestLockedPIN(t *testing.T) {
	home := harness.NewHome(t)
	home.Init()
	k := live.Load(t, home)
	s := k.Public()
	k.Want("the first wrong PIN", k.Login(s, pkcs11.CKU_USER, "wrong"), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	k.OK(k.Logout(s))
	if f := flags(t, k); f&pinFlags != 0 {
		t.Errorf("the right PIN did not clear the count: flags 0x%x", f)
	}
	for i := 1; i <= lockedAfter; i++ {
		k.Want("a wrong PIN", k.Login(s, pkcs11.CKU_USER, "wrong"), pkcs11.CKR_PIN_INCORRECT)
		if f, want := flags(t, k)&pinFlags, flagsAfter(i); f != want {
			t.Errorf("after %d wrong PINs: flags 0x%x, want 0x%x", i, f, want)
		}
		if i == lockedAfter/2 {
			k.OK(k.Finalize())
			k.OK(k.Initialize())
			s = k.Public()
		}
	}
	k.Want("the right PIN, too late", k.Login(s, pkcs11.CKU_USER, harness.UserPIN), pkcs11.CKR_PIN_LOCKED)
	k.Want("C_SetPIN, too late", k.SetPIN(s, harness.UserPIN, "new PIN"), pkcs11.CKR_PIN_LOCKED)
	k.OK(k.Login(s, pkcs11.CKU_SO, harness.SOPIN))
	k.OK(k.InitPIN(s, "unlocked"))
	k.OK(k.Logout(s))
	k.OK(k.Login(s, pkcs11.CKU_USER, "unlocked"))
	if f := flags(t, k) & pinFlags; f != 0 {
		t.Errorf("unlocked, but flags 0x%x", f)
	}
}

func flagsAfter(wrong int) uint {
	switch {
	case wrong >= lockedAfter:
		return locked | countLow
	case wrong == lockedAfter-1:
		return countLow | finalTry
	}
	return countLow
}

// TestReinitialise has C_InitToken take away what can be taken away: objects,
// generated keys, the user's PIN. The slot stays what it was.
func TestReinitialise(t *testing.T) {
	k := live.New(t)
	before, err := k.GetTokenInfo(0)
	k.OK(err)
	s := k.User()
	curves[0].pair(t, k, s)
	data(t, k, s, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, "public"))
	data(t, k, s, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_PRIVATE, true))
	k.OK(k.SetAttributeValue(s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, 0), []*pkcs11.Attribute{attr(pkcs11.CKA_LABEL, "renamed")}))
	point := k.Attr(s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, 0), pkcs11.CKA_EC_POINT)
	k.OK(k.CloseSession(s))
	k.Want("C_InitToken with another SO PIN", k.InitToken(0, "not the PIN", "other"), pkcs11.CKR_PIN_INCORRECT)
	k.OK(k.InitToken(0, harness.SOPIN, "again"))

	slots, err := k.GetSlotList(true)
	k.OK(err)
	after, err := k.GetTokenInfo(0)
	k.OK(err)
	if len(slots) != 1 || slots[0] != 0 || after.SerialNumber != before.SerialNumber || after.Label != "again" {
		t.Errorf("slots %v, serial %s, before %s, label %s", slots, after.SerialNumber, before.SerialNumber, after.Label)
	}
	s = k.Public()
	k.Want("the user's PIN", k.Login(s, pkcs11.CKU_USER, harness.UserPIN), pkcs11.CKR_USER_PIN_NOT_INITIALIZED)
	k.OK(k.CloseSession(s))
	s = k.Officer()
	k.OK(k.InitPIN(s, harness.UserPIN))
	k.OK(k.CloseSession(s))
	s = k.User()
	if n := len(k.Find(s)); n != 2*permanent+profiles {
		t.Errorf("%d objects, want both halves of the permanent keys and the profiles", n)
	}
	has(t, k, s, k.Key(s, pkcs11.CKO_PUBLIC_KEY, 0), attr(pkcs11.CKA_LABEL, "SCM slot 0"), attr(pkcs11.CKA_EC_POINT, point))
}
