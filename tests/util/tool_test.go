// SPDX-License-Identifier: Apache-2.0

// Package util tests zk_pkcs11-util as administrators and scripts use it: by its
// arguments, what it prints and how it ends.
package util

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// tool is zk_pkcs11-util with a soft SCM of its own.
type tool struct {
	t    *testing.T
	home *harness.Home
	boot string // where the files of supervised boot are

	through []string // program, and its arguments, that starts the tool; nil = none
}

// newTool makes a soft SCM, with more settings in the form of the file, which the tool
// uses directly: most of its commands are for no other.
func newTool(t *testing.T, settings string) *tool {
	t.Helper()
	x := newAnyTool(t, settings)
	x.home.Set("ZK_PKCS11_BACKEND", "soft")
	return x
}

// newAnyTool is newTool for commands that reach the SCM as the module does.
func newAnyTool(t *testing.T, settings string) *tool {
	t.Helper()
	x := &tool{t: t, home: harness.NewHome(t)}
	x.boot = filepath.Join(x.home.Dir, "boot")
	file := filepath.Join(x.home.Dir, "zk_pkcs11.toml")
	text := "[soft]\nboot_dir = \"" + x.boot + "\"\n" + settings
	for _, err := range []error{os.Mkdir(x.boot, 0o700), os.WriteFile(file, []byte(text), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	x.home.Set("ZK_PKCS11_CONF", file)
	return x
}

// run runs the tool with an input, and returns what it printed on both outputs.
func (x *tool) run(input string, args ...string) (out, errs string, err error) {
	line := slices.Concat(x.through, []string{harness.Build(x.t, "zk_pkcs11-util")}, args)
	cmd := x.home.Command(line[0], line[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// scm runs "scm" with words, which must end well, and returns what it printed.
func (x *tool) scm(words ...string) string { x.t.Helper(); return x.answer("", words...) }

// answer is scm with an input.
func (x *tool) answer(input string, words ...string) string {
	x.t.Helper()
	out, errs, err := x.run(input, append([]string{"scm"}, words...)...)
	if err != nil {
		x.t.Fatalf("scm %s: %v\n%s%s", strings.Join(words, " "), err, out, errs)
	}
	return out
}

// parse is answer with --json, into a value that has a field for each of it.
func (x *tool) parse(to any, input string, words ...string) {
	x.t.Helper()
	out := x.answer(input, append([]string{"--json"}, words...)...)
	d := json.NewDecoder(strings.NewReader(withoutSchema.ReplaceAllString(out, "{")))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		x.t.Fatalf("scm %s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// withoutSchema is the first field of a result.
var withoutSchema = regexp.MustCompile(`^\{\s*"schema": "zk_pkcs11-util\.[a-z-]+/[0-9]+",`)

// fails runs "scm" with words, which must end badly, with all these parts in its
// one line on the error output.
func (x *tool) fails(input string, words []string, parts ...string) {
	x.t.Helper()
	out, errs, err := x.run(input, append([]string{"scm"}, words...)...)
	if err == nil {
		x.t.Errorf("scm %s ended well:\n%s", strings.Join(words, " "), out)
	}
	for _, part := range parts {
		if !strings.Contains(errs, part) {
			x.t.Errorf("scm %s does not say %q but %q", strings.Join(words, " "), part, errs)
		}
	}
}

// bootFile writes a file of supervised boot.
func (x *tool) bootFile(name, text string) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.boot, name), []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// words splits arguments at blanks.
func words(line string) []string { return strings.Fields(line) }

// The actions of guides and scripts are flags of the tool itself.
func TestActionsAreFlags(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	out, errs, err := x.run("", "--init-token", "--slot", "0", "--label", "x", "--pin", "1234", "--so-pin", "1234")
	if err != nil || strings.Trim(out, "abcdefghijklmnopqrstuvwxyzT \n") != "0" {
		t.Errorf("--init-token: %v, %q, %q: its only digits have to be the slot's", err, out, errs)
	}
	for _, args := range [][]string{{"--show-slots"}, {"--use-zkslot", "0", "--slot", "0", "--label", "key", "--pin", "1234"}} {
		if _, errs, err := x.run("", args...); err != nil {
			t.Errorf("%s: %v, %q", args, err, errs)
		}
	}
	for line, why := range map[string]string{
		"bogus":     "unknown command",
		"--label x": "is missing",
		"--slot 0 --init-token --label x --pin 1234 --so-pin 4321": "the PIN is wrong",
		"--slot 0 --use-zkslot 600 --label x --pin 1234":           "they are 0 to 527",
	} {
		if _, errs, err := x.run("", words(line)...); err == nil || !strings.Contains(errs, why) {
			t.Errorf("%s: %v, %q", line, err, errs)
		}
	}
}

// Commands that only have others below them print help.
func TestHelp(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	for line, part := range map[string]string{
		"": "lock-binding", "inject": "temperature", "manifest": "verify", "wallet": "restore", "led --help": "CODE [SUB]",
	} {
		if out := x.scm(words(line)...); !strings.Contains(out, part) {
			t.Errorf("scm %s does not tell of %q:\n%s", line, part, out)
		}
	}
	for _, line := range []string{"bogus", "inject bogus", "status more", "led", "wallet child x", "manifest add"} {
		x.fails("", words(line))
	}
}
