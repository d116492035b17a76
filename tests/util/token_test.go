// SPDX-License-Identifier: Apache-2.0

package util

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tokenRow is a token of "token list --json".
type tokenRow struct {
	Slot                 int
	Present, Initialised bool
	Problem              string
	Label, Serial, Model string
	State                string `json:"state_directory"`
	User                 pin    `json:"user_pin"`
	SO                   pin    `json:"so_pin"`
	URI                  string
}

type pin struct {
	Set, Locked bool
	Left        int `json:"tries_left"`
}

// tokens returns what "token list" tells, with more arguments.
func (x *tool) tokens(more ...string) []tokenRow {
	x.t.Helper()
	out, _ := x.mustRun("", append(words("token list --json"), more...)...)
	var l struct {
		Schema string
		Tokens []tokenRow
	}
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil || l.Schema != "zk_pkcs11-util.token-list/1" {
		x.t.Fatalf("%v\n%s", err, out)
	}
	return l.Tokens
}

// exitCode is how a run ended.
func exitCode(err error) int {
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	return -1
}

// A token's life by the commands of "token", and what each of them tells.
func TestTokenCommands(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	if l := x.tokens(); len(l) != 1 || l[0].Initialised || l[0].User.Set || l[0].URI != "pkcs11:serial="+l[0].Serial {
		t.Fatalf("a new SCM: %+v", l)
	}
	x.mustRun("so-pin\nso-pin\nfirst\nfirst\n", "token", "init", "--label", "my token;")
	x.mustRun("so-pin\nso-pin\nfirst\nfirst\nyes\n", "token", "init", "--label", "my token;") // the same lines once more
	l := x.tokens("--token", "my token;")
	if len(l) != 1 || !l[0].Initialised || l[0].User != (pin{true, false, 10}) || l[0].URI != "pkcs11:token=my%20token%3B;serial="+l[0].Serial {
		t.Fatalf("after token init: %+v", l)
	}
	if _, errs, err := x.run("", words("token pin --pin wrong --new-pin second")...); err == nil || !strings.Contains(errs, "User PIN: 9 tries left") {
		t.Errorf("a wrong PIN: %v, %q", err, errs)
	}
	if n := x.tokens()[0].User.Left; n != 9 {
		t.Errorf("%d tries are left after a wrong PIN", n)
	}
	x.mustRun("first\nsecond\nsecond\n", words("token pin")...)
	if out := x.scm("--token", "my token;", "status"); !strings.Contains(out, l[0].Serial) {
		t.Errorf("scm --token: %q", out)
	}
	for range 10 {
		x.run("", words("token pin --pin wrong --new-pin third")...)
	}
	if p := x.tokens()[0].User; p != (pin{true, true, 0}) {
		t.Errorf("after ten wrong PINs: %+v", p)
	}
	if _, errs, err := x.run("", words("token pin --pin second --new-pin third")...); err == nil || !strings.Contains(errs, `"token unlock"`) {
		t.Errorf("a locked PIN: %v, %q", err, errs)
	}
	x.mustRun("so-pin\nthird\nthird\n", words("token unlock")...)
	x.mustRun("so-pin\nnew-so\nnew-so\n", words("token pin --so")...)
	if out, _ := x.mustRun("", words("token unlock --so-pin new-so --new-pin fourth")...); !strings.Contains(out, "10 tries left") {
		t.Errorf("token unlock: %q", out)
	}
}

// What is deleted is named first, and only a yes deletes it.
func TestTokenDelete(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	x.mustRun("", words("scm wallet create savings --pin 12345678")...)
	x.mustRun("", words("scm wallet child savings m/1 --pin 12345678")...)
	for _, answer := range []string{"", "no\n"} {
		_, errs, err := x.run(answer, words("token delete --token device")...)
		if exitCode(err) != 3 || !strings.Contains(errs, "1 key and 0 foreign keys of other programs, and all wallets") || !strings.Contains(errs, "--yes") {
			t.Errorf("answer %q: %v, %q", answer, err, errs)
		}
	}
	serial := x.tokens()[0].Serial
	out, _ := x.mustRun("yes\n", words("token delete --token device")...)
	if !strings.Contains(out, serial) || !strings.Contains(out, x.home.Dir) {
		t.Errorf("%q does not name %s and %s", out, serial, x.home.Dir)
	}
	if l := x.tokens(); l[0].Initialised || l[0].Serial == serial {
		t.Errorf("after it: %+v", l)
	}
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	x.mustRun("", words("--delete-token --token device --slot 7")...) // the option has never looked at the slot
}

// There is an error when there is no token, and the list says why.
func TestNoToken(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.tokens()
	x.scm("inject", "unbind")
	out, errs, err := x.run("", words("token list")...)
	if exitCode(err) != 1 || !strings.Contains(out, "none: ") || !strings.Contains(errs, "scm status") {
		t.Errorf("%v, %q, %q", err, out, errs)
	}
}

// A PIN comes from a file, a descriptor, the environment or a credential, with or without a line end.
func TestPINSources(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	x.home.Set("USER_PIN", "12345678")
	x.home.Set("CREDENTIALS_DIRECTORY", filepath.Dir(file("zk_pkcs11.pin", "12345678\n")))
	for _, args := range [][]string{
		{"--pin-file", file("bare", "12345678")}, {"--pin-file", file("line", "12345678\n")}, {"--pin-file", file("crlf", "12345678\r\n")},
		{"--pin", "file:" + file("pin", "12345678\n")}, {"--pin-env", "USER_PIN"}, {"--pin", "env:USER_PIN"}, {"--pin-fd", "0"}, {},
	} {
		x.mustRun("12345678\n", append(words("token pin --new-pin 12345678"), args...)...)
	}
	for _, wrong := range []struct {
		args  []string
		names string
	}{
		{[]string{"--pin-file", "/nowhere"}, "/nowhere"},
		{[]string{"--pin-file", file("lines", "secret\nsecret\n")}, "more than one line"},
		{[]string{"--pin-file", file("empty", "\n")}, "is empty"},
		{[]string{"--pin", "env:NO_PIN"}, `"NO_PIN"`},
		{[]string{"--pin-env", "NO_PIN"}, "--pin-env"},
		{[]string{"--pin-fd", "77"}, "descriptor 77"},
		{[]string{"--pin-env", "USER_PIN", "--pin-file", file("pin", "secret")}, "--pin-file and --pin-env"},
	} {
		_, errs, err := x.run("", append(words("token pin --new-pin 12345678"), wrong.args...)...)
		if exitCode(err) != 2 || !strings.Contains(errs, wrong.names) || strings.Contains(errs, "secret") {
			t.Errorf("%s: %v, %q does not say %q", wrong.args, err, errs, wrong.names)
		}
	}
}

// TestLastTry: a PIN that no token has costs no try, and the wrong one that locks says what unlocks.
func TestLastTry(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	for _, pin := range []string{"12", strings.Repeat("1", 256)} {
		for range 6 {
			if _, errs, err := x.run("", "key", "generate", "--label", "x", "--pin", pin); exitCode(err) != 1 || !strings.Contains(errs, "no try is lost") {
				t.Fatalf("a PIN of %d bytes: %v\n%s", len(pin), err, errs)
			}
		}
	}
	if out, _, _ := x.run("", words("check --key pkcs11:id=%00 --pin 12")...); !strings.Contains(out, "no try is lost") {
		t.Errorf("check says %s", out)
	}
	for try := range 10 {
		_, errs, err := x.run("", words("key generate --label x --pin wrong")...)
		isLast := try == 9
		if exitCode(err) != 1 || strings.Contains(errs, "token unlock") != isLast || strings.Contains(errs, "left") == isLast {
			t.Errorf("wrong PIN %d: %v\n%s", try+1, err, errs)
		}
	}
}
