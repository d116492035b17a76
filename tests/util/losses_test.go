// SPDX-License-Identifier: Apache-2.0

package util

import (
	"fmt"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestLosses: before --init-token destroys something it is counted, named and asked for. Keys
// that other programs have made are left where they are.
func TestLosses(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	x := newTool(t, "")
	others := words("scm wallet create savings --recovery none")
	x.mustRun("", others...)
	x.mustRun("", words("scm wallet child savings m/1")...)
	again := words("--init-token --slot 0 --label device --pin 12345678 --so-pin 87654321")
	if out, errs := x.mustRun("", again...); strings.Contains(errs, "loses") || !strings.Contains(errs, "1 key and 0 foreign keys of other programs stay") {
		t.Errorf("a new token: %q, %q", out, errs)
	}
	module := harness.Build(t, "libzk_pkcs11.so")
	x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "07")
	before := x.scm("slots")
	for _, answer := range []string{"", "no\n"} {
		_, errs, err := x.run(answer, again...)
		if err == nil || !strings.Contains(errs, `1 key pair in key slots, 0 sealed key pairs`) || !strings.Contains(errs, `key slot 18 "mine"`) || !strings.Contains(errs, "nothing was done") {
			t.Errorf("answer %q: %v, %q", answer, err, errs)
		}
	}
	if after := x.scm("slots"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	for _, option := range []string{"--yes", "--force"} {
		x.mustRun("", append(again, option)...)
	}
	after := x.scm("slots")
	if !strings.Contains(after, "savings") || strings.Contains(after, "mine") {
		t.Errorf("after it was meant:\n%s", after)
	}
	x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "07")
	x.mustRun("yes\n", again...)
}

// TestLossesByKind: what goes with a token is counted by what it is, and its keys and certificates are named, the first
// of each kind. Of what only a login shows there is the number.
func TestLossesByKind(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newServerKey(t)
	x.user("--use-zkslot 0 --id ff0a --label factory")
	for i := range 12 {
		x.user(fmt.Sprintf("key generate --type p384 --label sealed%02d --id 10%02d", i, i))
	}
	x.user("key generate --type aes256 --label cipher")
	x.user("cert import " + x.file("www.pem"))
	before := x.certificates()
	want := []string{
		"loses for good 1 key pair in key slots, 12 sealed key pairs, 0 secret keys, 1 certificate, 0 data objects and 1 private object that only a login shows",
		`key slot 16 "www"`, `sealed key "sealed00"`, `sealed key "sealed09"`, "and 2 more", `certificate "www"`, `key slot 0 "factory"`,
	}
	x.refuses("no\n", "token init --label new --so-pin 87654321", append(want, "These keys stay")...)
	_, errs, err := x.run("no\n", words("token delete --token web")...)
	for _, part := range append(want, "16 keys of its factory, 0 keys and 0 foreign keys of other programs, and all wallets; with them:") {
		if exitCode(err) != 3 || !strings.Contains(errs, part) {
			t.Errorf("%v; it does not say %q but\n%s", err, part, errs)
		}
	}
	if strings.Contains(errs, "sealed10") || len(x.certificates()) != len(before) {
		t.Errorf("it names more than ten, or has deleted something:\n%s", errs)
	}
}

// mustRun is run of what has to end well.
func (x *tool) mustRun(input string, args ...string) (out, errs string) {
	x.t.Helper()
	out, errs, err := x.run(input, args...)
	if err != nil {
		x.t.Fatalf("%q: %v\n%s%s", args, err, out, errs)
	}
	return out, errs
}
