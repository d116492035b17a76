// SPDX-License-Identifier: Apache-2.0

package util

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestRenaming: of a key in a slot and of one that is sealed, with their certificates.
func TestRenaming(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newKeyTool(t)
	for i, kind := range []string{"p256", "rsa2048", "aes256"} {
		x.user("key generate --type " + kind + " --label " + kind + " --id 010" + string(rune('0'+i)))
		uri := strings.TrimSpace(x.user("key rename --label " + kind + " --to-label new-" + kind))
		x.user("key rename " + uri + " --to-id 020" + string(rune('0'+i)))
	}
	x.user("key self-cert --store --label new-p256")
	x.user("key rename --label new-p256 --to-id 0300 --to-label last")
	keys := x.keys("key list --json --login --pin 12345678")
	if k := keys["last"]; k.ID != "0300" || len(k.Certificates) != 1 || k.Certificates[0].Label != "last" || len(keys) != 16+3 {
		t.Errorf("the keys are %+v", keys)
	}
	seen := x.judge("pkcs11-tool --login --pin 12345678 -O --module", harness.Module(t))
	for label, objects := range map[string]int{"last": 3, "new-rsa2048": 2, "new-aes256": 1} {
		if n := strings.Count(seen, "label:      "+label+"\n"); n != objects {
			t.Errorf("%d objects are called %s:\n%s", n, label, seen)
		}
	}
	x.refuses("", "key rename --label last --to-id 0201", `the key "new-rsa2048" (sealed) has the id 0201 already`)
	x.refuses("", "key rename --label last", "needs --to-label or --to-id")
}

// TestKeyWithoutID: it is named by its label until it has one.
func TestKeyWithoutID(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newKeyTool(t)
	x.judge("pkcs11-tool --login --pin 12345678 --keypairgen --key-type rsa:2048 --label noid --module", harness.Module(t))
	if k := x.keys("key list --json")["noid"]; k.ID != "" || k.URI != "pkcs11:token=web;object=noid;type=private" {
		t.Errorf("it is listed as %+v", k)
	}
	if _, errs, err := x.run("", words("snippet nginx --label noid")...); err == nil || !strings.Contains(errs, `has no id, by which programs would find it; "key rename --to-id HEX"`) {
		t.Errorf("of a snippet it says %v, %q", err, errs)
	}
	if uri := x.user("key rename pkcs11:token=web;object=noid;type=private --to-id 0e0e"); uri != "pkcs11:token=web;id=%0E%0E;type=private\n" {
		t.Errorf("after it got an id its URI is %q", uri)
	}
}
