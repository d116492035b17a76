// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os/exec"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestDeletingKeys: what goes is named and asked about, and nothing else goes.
func TestDeletingKeys(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	for _, kind := range []string{"p256", "rsa2048", "aes256"} {
		x.user("key generate --type " + kind + " --label " + kind)
	}
	x.user("key generate --label stays --id 0001")
	x.user("key self-cert --label p256 --subject CN=gone.example --store")
	x.user("key self-cert --label stays --store")
	x.refuses("no\n", "key delete --label p256", `loses for good the key "p256": P-256`, "key slot 16", "CN=gone.example", "nothing was done")
	x.refuses("", "key delete --label p256", "not confirmed", "--yes")
	if n := len(x.keys("key list --json --token web --pin 12345678")); n != 16+4 {
		t.Errorf("%d keys are there after nothing was deleted", n)
	}
	x.mustRun("yes\n", words("key delete --token web --pin 12345678 --label p256")...)
	x.user("key delete --yes --label rsa2048")
	x.user("key delete --yes --label aes256")
	left := x.keys("key list --json --token web --pin 12345678")
	if k, there := left["stays"]; len(left) != 16+1 || !there || len(k.Certificates) != 1 {
		t.Errorf("left are %+v", left)
	}
	x.refuses("", "key delete --yes --label p256", `no key has the label "p256"`, "key list")
	x.refuses("", "key delete --yes --id 03", "key slot 3 is permanent")
}

// TestKeysThatStay: what says of itself that it stays, and its certificate with it.
func TestKeysThatStay(t *testing.T) {
	t.Parallel()
	if exec.Command("/usr/bin/python3", "-c", "import PyKCS11").Run() != nil {
		t.Skip("Debian's Python has no PyKCS11, which makes such a key")
	}
	x := newKeyTool(t)
	x.judge("/usr/bin/python3", "-c", `
import sys
from PyKCS11 import *
lib = PyKCS11Lib()
lib.load(sys.argv[1])
s = lib.openSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION)
s.login("12345678")
stays = [(CKA_TOKEN, True), (CKA_ID, (7, 7)), (CKA_LABEL, "stays"), (CKA_DESTROYABLE, (0,))]
s.generateKeyPair(stays + [(CKA_MODULUS_BITS, 2048)], stays, Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN, None))
`, harness.Module(t))
	x.user("key self-cert --store --label stays")
	x.refuses("", "key delete --yes --label stays", "cannot be deleted", "CKA_DESTROYABLE")
	if k := x.keys("key list --json")["stays"]; len(k.Certificates) != 1 {
		t.Errorf("left is %+v", k)
	}
}

// TestKeysOfWalletsGoTogether: with a key go those that are derived from it, which is said.
func TestKeysOfWalletsGoTogether(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	x.answer("", words("wallet create savings --curve nistp256 --pin 12345678")...)
	x.answer("", words("wallet child savings m/1h/2h --pin 12345678")...)
	x.user("key name 17 --label upper --id 1700")
	x.user("key name 18 --label lower --id 1800")
	x.user("key self-cert --store --label lower --subject CN=lower.example")
	x.refuses("no\n", "key delete --label upper", `the key "upper"`, `and the key "lower", which is derived from it: P-256, id 1800, key slot 18`, "CN=lower.example")
	x.user("key delete --label upper --yes")
	if left := x.keys("key list --json"); len(left) != 16 || len(x.certificates()) != 0 {
		t.Errorf("left are %+v", left)
	}
}

// TestCertificatesFollowTheirKey: to the first name of a key in a slot, and out of the token, whatever id they have.
func TestCertificatesFollowTheirKey(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl", "pkcs11-tool")
	x := newKeyTool(t)
	x.user("key self-cert --id 05 --subject CN=first.example --store")
	x.user("key name 5 --label named --id 0500")
	if k := x.keys("key list --json --token web")["named"]; len(k.Certificates) != 1 || k.Certificates[0].ID != "0500" || k.Certificates[0].Label != "named" {
		t.Errorf("after the key got its name it is %+v", k)
	}
	x.user("key generate --label goes --id 0600")
	x.user("key self-cert --id 0600 --subject CN=astray.example --out " + x.file("pem"))
	x.judge("openssl x509 -outform der -in " + x.file("pem") + " -out " + x.file("der"))
	x.judge("pkcs11-tool --login --pin 12345678 --type cert --id 77 --label astray --write-object "+x.file("der")+" --module", harness.Module(t))
	x.refuses("no\n", "key delete --id 0600", "CN=astray.example")
	x.user("key delete --id 0600 --yes")
	if list := x.certificates(); len(list) != 1 || list[0].Subject != "CN=first.example" {
		t.Errorf("left are %+v", list)
	}
}
