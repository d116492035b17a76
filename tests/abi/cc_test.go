// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// include is the directory of the headers under test.
func include(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../include")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// need skips the test when a program is not installed.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: %v", program, err)
	}
}

// output runs a program and returns what it prints; a failure ends the test.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
	}
	return string(out)
}
