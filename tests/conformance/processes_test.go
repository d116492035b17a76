// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// TestOtherProcess sees at its next search what another process made meanwhile,
// and uses it.
func TestOtherProcess(t *testing.T) {
	home := harness.NewHome(t)
	home.Init()
	k := live.Load(t, home)
	s := k.User()
	label := attr(pkcs11.CKA_LABEL, "of another process")
	if n := len(k.Find(s, label)); n != 0 {
		t.Fatalf("%d objects before", n)
	}
	newActor(t, home, "create").play(t)
	o := k.One(s, label)
	has(t, k, s, o, attr(pkcs11.CKA_CLASS, pkcs11.CKO_DATA))
	k.OK(k.DestroyObject(s, o))

	newActor(t, home, "generate").play(t)
	public := k.One(s, label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY))
	private := k.One(s, label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))
	curves[0].try(t, k, s, public, private)
}

// TestOwnLogin has a login stay in its process.
func TestOwnLogin(t *testing.T) {
	home := harness.NewHome(t)
	home.Init()
	k := live.Load(t, home)
	s := k.Public()
	newActor(t, home, "look").play(t)
	info, err := k.GetSessionInfo(s)
	k.OK(err)
	if info.State != pkcs11.CKS_RW_PUBLIC_SESSION {
		t.Errorf("state %d after a login of another process", info.State)
	}
}
