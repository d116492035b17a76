// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"libzk_pkcs11/tests/harness"
)

// onTerminal runs a line of the shell with the tool as $TOOL on a terminal of 60 columns, on which the input is typed.
func (x *tool) onTerminal(input, line string) (string, error) {
	x.t.Helper()
	harness.Need(x.t, "script", "stty")
	x.home.Set("TOOL", harness.Build(x.t, "zk_pkcs11-util"))
	x.home.Set("SHELL", "/bin/sh")
	cmd := x.home.Command("script", "-qec", "stty cols 60; "+line, "/dev/null")
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), "\r\n", "\n"), err
}

// Help is as wide as the terminal. Examples are lines to be copied, and stay as they are.
func TestHelpOnATerminal(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	out, err := x.onTerminal("", "$TOOL token init --help")
	if err != nil || !strings.Contains(out, "--so-pin-file") {
		t.Fatalf("%v\n%s", err, out)
	}
	widest := 0
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "  zk_pkcs11-util") {
			widest = max(widest, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
		}
	}
	if widest > 60 || widest < 50 {
		t.Errorf("help has %d columns on a terminal of 60:\n%s", widest, out)
	}
}

// A user who types is asked before a token is deleted, by the option of old guides too; scripts that have it are not.
func TestDeleteOnATerminal(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
	out, err := x.onTerminal("no\n", "$TOOL --delete-token --token device")
	if e, is := err.(*exec.ExitError); !is || e.ExitCode() != 3 || !strings.Contains(out, "Type yes to go on") {
		t.Errorf("%v\n%s", err, out)
	}
	if l := x.tokens("--token", "device"); len(l) != 1 {
		t.Errorf("after a no: %+v", l)
	}
	x.mustRun("", words("--delete-token --token device")...)
}
