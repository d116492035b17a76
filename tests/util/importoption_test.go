// SPDX-License-Identifier: Apache-2.0

package util

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestImportOption types what guides for SoftHSM2 type to bring a key in: a key in PKCS #8, sealed by a password, with a
// label and an ID.
func TestImportOption(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.judge("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:secret -out " + x.file("rsa.pem"))
	out := x.user("--import " + x.file("rsa.pem") + " --file-pin secret --label web-key --id A1B2")
	for _, part := range []string{"private key", "public key", "web-key", "a1b2", "2 of 2 objects imported"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
	if out := x.user("key public --id a1b2"); !strings.Contains(out, "BEGIN PUBLIC KEY") {
		t.Errorf("the public key is\n%s", out)
	}
}

// TestImportOptionAlone leaves the public key out, and takes an ID that another key has by --force alone.
func TestImportOptionAlone(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.judge("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out " + x.file("ec.pem"))
	x.judge("openssl genpkey -algorithm ED25519 -out " + x.file("ed.pem"))
	out := x.user("--import " + x.file("ec.pem") + " --label ec --id 0a01 --no-public-key")
	if !strings.Contains(out, "1 of 1 object imported") || strings.Contains(out, "public key") {
		t.Errorf("without the public key:\n%s", out)
	}
	x.refuses("", "--import "+x.file("ed.pem")+" --label ed --id 0a01", "has the ID 0a01 already", "--force")
	if out = x.user("--import " + x.file("ed.pem") + " --label ed --id 0a01 --force"); !strings.Contains(out, "2 of 2 objects imported") {
		t.Errorf("by force:\n%s", out)
	}
}

// TestImportOptionRefused says what is wrong, and brings nothing in.
func TestImportOptionRefused(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.judge("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=a -keyout " + x.file("key.pem") + " -out " + x.file("cert.pem"))
	x.judge("openssl pkey -in " + x.file("key.pem") + " -aes256 -passout pass:secret -out " + x.file("sealed.pem"))
	before := x.user("key list")
	x.refuses("", "--import "+x.file("cert.pem")+" --label a --id 01", "has no private key")
	x.refuses("", "--import "+x.file("sealed.pem")+" --label a --id 01 --file-pin wrong", "password")
	x.refuses("", "--import "+x.file("key.pem")+" --id 01", "--import needs --label")
	x.refuses("", "--import "+x.file("key.pem")+" --label a --id wood", "is not hexadecimal")
	x.refuses("", "--import "+x.file("none.pem")+" --label a --id 01", "no such file")
	if after := x.user("key list"); after != before {
		t.Errorf("keys before:\n%s\nand after:\n%s", before, after)
	}
}
