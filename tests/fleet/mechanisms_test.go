// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// needed are the mechanisms that servers and clients of TLS and SSH ask for.
func needed() []carried {
	return []carried{
		{"CKM_ECDSA", pkcs11.CKM_ECDSA}, {"CKM_ECDSA_SHA256", pkcs11.CKM_ECDSA_SHA256}, {"CKM_ECDSA_SHA384", pkcs11.CKM_ECDSA_SHA384},
		{"CKM_EDDSA", 0x1057}, {"CKM_ECDH1_DERIVE", pkcs11.CKM_ECDH1_DERIVE}, {"CKM_RSA_PKCS", pkcs11.CKM_RSA_PKCS},
		{"CKM_SHA256_RSA_PKCS", pkcs11.CKM_SHA256_RSA_PKCS}, {"CKM_RSA_PKCS_PSS", pkcs11.CKM_RSA_PKCS_PSS},
		{"CKM_SHA256_RSA_PKCS_PSS", pkcs11.CKM_SHA256_RSA_PKCS_PSS}, {"CKM_AES_GCM", pkcs11.CKM_AES_GCM}, {"CKM_AES_CBC_PAD", pkcs11.CKM_AES_CBC_PAD},
	}
}

type carried struct {
	name      string
	mechanism uint
}

// TestCarried prints which mechanisms the p11-kit of this machine carries. CKM_ECDSA, by which TLS servers sign, it has to
// carry; docs/fleet.md has the table.
func TestCarried(t *testing.T) {
	s := newServer(t)
	through := s.client().mechanisms()
	s.Export(t)
	direct := login(t, harness.Module(t)).mechanisms()
	var table strings.Builder
	for _, m := range needed() {
		if !slices.Contains(direct, m.mechanism) {
			t.Errorf("the module itself has no %s", m.name)
		}
		fmt.Fprintf(&table, "%-25s %v\n", m.name, slices.Contains(through, m.mechanism))
	}
	t.Logf("p11-kit %s carries %d of the module's %d mechanisms\n%s", packageVersion("p11-kit"), len(through), len(direct), table.String())
	if !slices.Contains(through, pkcs11.CKM_ECDSA) {
		t.Error("CKM_ECDSA does not come through")
	}
}

func (c *client) mechanisms() (types []uint) {
	c.t.Helper()
	list, err := c.GetMechanismList(c.slot)
	c.must(err)
	for _, m := range list {
		types = append(types, m.Mechanism)
	}
	return types
}

func packageVersion(name string) string {
	out, _ := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", name).Output() // elsewhere than in Debian it is not told
	return string(out)
}
