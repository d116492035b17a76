// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the module against the specification: by C programs
// (testdata) where the pointers and return codes of C are what counts, through
// a Go binding where the objects are.
package conformance

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestPrograms compiles and runs each program of testdata, with the address and
// undefined behaviour sanitizers watching the caller's side.
func TestPrograms(t *testing.T) {
	harness.Need(t, "cc")
	sources, err := filepath.Glob("testdata/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d programs, %v", len(sources), err)
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := harness.Compile(t, source, "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
			home := harness.NewHome(t)
			home.Set("ASAN_OPTIONS", "detect_leaks=0") // the Go runtime looks like one
			report(t, home.Command(program, harness.Module(t)))
		})
	}
}

// report runs a program that prints the Test Anything Protocol. It must come to
// its plan, the last line, with as many checks as that says.
func report(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v\n%s", err, stderr.String())
	}
	checks, planned := 0, false
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "ok "):
			checks++
		case strings.HasPrefix(line, "1.."):
			planned = true
		default:
			t.Error(line)
		}
	}
	if !planned || checks == 0 {
		t.Errorf("the program ended early, after %d good checks", checks)
	}
	t.Logf("%d checks", checks)
}
