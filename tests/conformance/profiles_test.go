// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// TestProfiles reads what the token says that it implements, in a R/O session that
// nobody is logged in to.
func TestProfiles(t *testing.T) {
	k := live.New(t)
	s := k.ReadOnly()
	for _, id := range []uint{live.CKP_BASELINE_PROVIDER, live.CKP_EXTENDED_PROVIDER, live.CKP_PUBLIC_CERTIFICATES_TOKEN} {
		o := k.One(s, attr(pkcs11.CKA_CLASS, live.CKO_PROFILE), attr(pkcs11.CKA_TOKEN, true), attr(live.CKA_PROFILE_ID, id))
		has(t, k, s, o, attr(pkcs11.CKA_PRIVATE, false), attr(pkcs11.CKA_MODIFIABLE, false))
	}
	if n := len(k.Find(s, attr(pkcs11.CKA_CLASS, live.CKO_PROFILE))); n != profiles {
		t.Errorf("%d profiles, want %d", n, profiles)
	}
}

// TestExtendedProvider makes the calls of the test case EXT-M-1 of the profiles, which
// are those of BL-M-1 and a few more, with the mechanism of it that there is here.
func TestExtendedProvider(t *testing.T) {
	k := live.New(t)
	slots, err := k.GetSlotList(true)
	k.OK(err)
	mechanisms, err := k.GetMechanismList(slots[0])
	k.OK(err)
	if !slices.ContainsFunc(mechanisms, func(m *pkcs11.Mechanism) bool { return m.Mechanism == pkcs11.CKM_SHA512 }) {
		t.Error("there is no CKM_SHA512")
	}
	info, err := k.GetMechanismInfo(slots[0], live.Mechanism(pkcs11.CKM_SHA512))
	k.OK(err)
	if info != (pkcs11.MechanismInfo{Flags: pkcs11.CKF_DIGEST}) {
		t.Errorf("CKM_SHA512 is %+v", info)
	}
	s, err := k.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	k.OK(err)
	k.OK(k.Login(s, pkcs11.CKU_USER, harness.UserPIN))
	k.OK(k.FindObjectsInit(s, []*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true)}))
	found, _, err := k.FindObjects(s, 1)
	k.OK(err)
	if len(found) != 1 {
		t.Errorf("%d token objects, want one at a time", len(found))
	}
	k.OK(k.FindObjectsFinal(s))
	k.OK(k.Logout(s))
	k.OK(k.CloseSession(s))
	k.OK(k.CloseAllSessions(slots[0]))
}

// TestPublicCertificatesToken finds a certificate, and the public key that has its
// CKA_ID, without a login.
func TestPublicCertificatesToken(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	c := certificate(t, "public")
	_, err := k.CreateObject(s, certificateObject(c, attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_ID, []byte{4})))
	k.OK(err)
	k.OK(k.CloseSession(s))
	s = k.ReadOnly()
	o := k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE))
	has(t, k, s, o, attr(pkcs11.CKA_VALUE, c.Raw))
	k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_ID, k.Attr(s, o, pkcs11.CKA_ID)))
}
