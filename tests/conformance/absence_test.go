// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// scm makes something happen to the soft SCM of a home, in a process of its own.
func scm(t *testing.T, home *harness.Home, args ...string) {
	t.Helper()
	cmd := home.Command(harness.Build(t, "zk_pkcs11-util"), append([]string{"scm", "--pin", harness.UserPIN}, args...)...)
	cmd.Env = append(cmd.Env, "ZK_PKCS11_BACKEND=soft") // also below the vendor's interface
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// initialised loads the module on a new token.
func initialised(t *testing.T) (*harness.Home, *live.Token) {
	t.Helper()
	home := harness.NewHome(t)
	k := live.Load(t, home)
	k.OK(k.InitToken(0, harness.SOPIN, harness.Label))
	s := k.Officer()
	k.OK(k.InitPIN(s, harness.UserPIN))
	k.OK(k.CloseSession(s))
	return home, k
}

// TestUnbound: sessions end when the SCM is parted from its host, and new ones work
// when it is back, without another C_Initialize.
func TestUnbound(t *testing.T) {
	home, k := initialised(t)
	s := k.User()
	key := k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0)
	digest := make([]byte, 32)
	k.Signed(s, pkcs11.CKM_ECDSA, key, digest)
	scm(t, home, "inject", "unbind")
	begin := func() error { return k.SignInit(s, live.Mechanism(pkcs11.CKM_ECDSA), key) }
	meet := begin
	if harness.OverVendor() { // where nothing tells but a call of the device
		meet = func() error { _, err := k.GenerateRandom(s, 1); return err }
	}
	k.Want("the call that finds out", meet(), pkcs11.CKR_DEVICE_REMOVED)
	k.Want("C_SignInit", begin(), pkcs11.CKR_SESSION_HANDLE_INVALID)
	_, err := k.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	k.Want("C_OpenSession", err, pkcs11.CKR_TOKEN_NOT_PRESENT)
	if slots, err := k.GetSlotList(true); err != nil || len(slots) != 0 {
		t.Errorf("slots with a token: %v, %v", slots, err)
	}
	scm(t, home, "inject", "unbind", "--undo")
	for deadline := time.Now().Add(5 * time.Second); ; {
		if s, err = k.OpenSession(0, pkcs11.CKF_SERIAL_SESSION); err == nil {
			break
		}
		if k.Want("C_OpenSession", err, pkcs11.CKR_TOKEN_NOT_PRESENT); time.Now().After(deadline) {
			t.Fatal("the token does not come back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	k.Signed(s, pkcs11.CKM_ECDSA, k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0), digest)
}

// TestWalletKey: what the tool derives has its place in the wallet, and keys that the
// host boots with stay.
func TestWalletKey(t *testing.T) {
	home, k := initialised(t)
	for _, wallet := range []string{"savings", "bootware"} {
		scm(t, home, "wallet", "create", wallet, "--curve", "nistp256", "--recovery", "none")
		scm(t, home, "wallet", "child", wallet, "m/1h")
	}
	k.OK(k.Finalize()) // the vendor's interface does not tell at once what others have made
	k.OK(k.Initialize())
	s := k.User()
	for wallet, code := range map[string]pkcs11.Error{"savings": pkcs11.CKR_OK, "bootware": live.CKR_ACTION_PROHIBITED} {
		key := k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(live.CKA_ZK_WALLET, wallet))
		if address := string(k.Attr(s, key, live.CKA_ZK_NODE_ADDRESS)); address != "m/1'" {
			t.Errorf("the key is at %q, want m/1'", address)
		}
		k.Signed(s, pkcs11.CKM_ECDSA, key, make([]byte, 32))
		k.Want("C_DestroyObject in "+wallet, k.DestroyObject(s, key), code)
	}
}
