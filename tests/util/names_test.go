// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestTokenByLabel: a token is named by its label where the guides of SoftHSM2 do so.
func TestTokenByLabel(t *testing.T) {
	t.Parallel()
	x := newTool(t, "[[slot]]\nname = \"a\"\n[[slot]]\nname = \"b\"\n")
	for _, slot := range []string{"0", "1"} {
		x.mustRun("", words("--init-token --pin 12345678 --so-pin 87654321 --slot "+slot+" --label number"+slot)...)
	}
	x.mustRun("", words("--use-zkslot 0 --label key --id aa01 --pin 12345678 --token number1")...)
	for line, why := range map[string]string{
		"--use-zkslot 0 --label key --pin 12345678 --token other":            "no token has the label",
		"--use-zkslot 0 --label key --pin 12345678 --token number1 --slot 1": "give one of them",
		"--use-zkslot 2 --label two --id aa01 --pin 12345678 --slot 1":       "key slot 0 has the --id aa01 already",
		"--delete-token":                "needs --serial or --token",
		"--delete-token --token number": "no token has the label",
	} {
		if _, errs, err := x.run("", words(line)...); err == nil || !strings.Contains(errs, why) {
			t.Errorf("%s: %v, %q", line, err, errs)
		}
	}
	x.mustRun("", words("--delete-token --token number1")...)
	if out, _ := x.mustRun("", "--show-slots"); strings.Contains(out, "number1") || !strings.Contains(out, "number0") {
		t.Errorf("afterwards:\n%s", out)
	}
}

// TestShowBound: programs see the keys that have a name, and the tool gives one to any.
func TestShowBound(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	t.Parallel()
	x := newAnyTool(t, "")
	x.home.Settings("show = \"bound\"\n")
	x.mustRun("", words("--init-token --slot 0 --label device --pin 12345678 --so-pin 87654321")...)
	list := func(kind string) string {
		return x.home.Run("pkcs11-tool", "--module", harness.Build(t, "libzk_pkcs11.so"), "--login", "--pin", "12345678", "--list-objects", "--type", kind)
	}
	if out := list("pubkey") + list("privkey"); strings.Contains(out, "Key Object") {
		t.Errorf("before a key has a name:\n%s", out)
	}
	x.mustRun("", words("--use-zkslot 3 --slot 0 --label iotkey --id 0001 --pin 12345678")...)
	for _, kind := range []string{"pubkey", "privkey"} {
		if out := list(kind); strings.Count(out, "Key Object") != 1 || !strings.Contains(out, "iotkey") {
			t.Errorf("afterwards:\n%s", out)
		}
	}
}

// TestSeveralNames: a second name of a key is a pair of objects beside the first, with an ID that no other key has.
func TestSeveralNames(t *testing.T) {
	harness.Need(t, "pkcs11-tool", "openssl")
	t.Parallel()
	x := newAnyTool(t, "")
	x.mustRun("", words("--init-token --slot 0 --label device --pin 12345678 --so-pin 87654321")...)
	x.mustRun("", words("--use-zkslot 0 --slot 0 --label iotkey --id 0001 --pin 12345678")...)
	x.mustRun("", words("--use-zkslot 0 --slot 0 --label webkey --id 0002 --pin 12345678")...)
	for line, why := range map[string]string{
		"--use-zkslot 0 --slot 0 --label third --id 0002 --pin 12345678": "has the --id 0002 already",
		"--use-zkslot 1 --slot 0 --label third --id 0001 --pin 12345678": "key slot 0 has the --id 0001 already",
		"--use-zkslot 0 --slot 0 --label third --pin 12345678":           "needs an --id of its own",
	} {
		if _, errs, err := x.run("", words(line)...); err == nil || !strings.Contains(errs, why) {
			t.Errorf("%s: %v, %q", line, err, errs)
		}
	}
	module, dir := harness.Module(t), t.TempDir()
	for id, label := range map[string]string{"0001": "iotkey", "0002": "webkey"} {
		for _, kind := range []string{"pubkey", "privkey"} {
			out := x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--list-objects", "--type", kind)
			if strings.Count(out, "label:      "+label+"\n") != 1 || strings.Count(out, "ID:         "+id+"\n") != 1 {
				t.Errorf("%s %s:\n%s", kind, id, out)
			}
		}
		public, message, signature := filepath.Join(dir, id+".der"), filepath.Join(dir, id), filepath.Join(dir, id+".sig")
		if err := os.WriteFile(message, []byte(label), 0o600); err != nil {
			t.Fatal(err)
		}
		x.home.Run("pkcs11-tool", "--module", module, "--read-object", "--type", "pubkey", "--id", id, "--output-file", public)
		x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--sign", "--mechanism", "ECDSA-SHA256",
			"--signature-format", "openssl", "--id", id, "--input-file", message, "--output-file", signature)
		x.home.Run("openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", public, "-signature", signature, message)
	}
}
