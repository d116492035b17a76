// SPDX-License-Identifier: Apache-2.0

// Package bench measures what the module adds to the work of its device. Run it
// by "make bench".
package bench

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// driver is a C program that calls the module through its C interface.
type driver struct {
	t     testing.TB
	input io.WriteCloser
	lines *bufio.Scanner
}

// startDriver compiles the program and lets it log in to a new soft SCM with the
// settings.
func startDriver(t testing.TB, settings string) *driver {
	t.Helper()
	harness.Need(t, "cc")
	home := harness.NewHome(t)
	home.Settings(settings)
	home.Init()
	program := filepath.Join(t.TempDir(), "driver")
	include := filepath.Join(harness.Root(t), "include")
	home.Run("cc", "-O2", "-Wall", "-Werror", "-I"+include, "-o", program, "testdata/driver.c", "-ldl")
	d := &driver{t: t}
	d.start(home.Command(program, harness.Module(t)))
	d.send(harness.UserPIN)
	return d
}

func (d *driver) start(cmd *exec.Cmd) {
	d.t.Helper()
	input, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.input, d.lines = input, bufio.NewScanner(output)
	d.t.Cleanup(func() {
		input.Close()
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("driver: %v\n%s", err, problems.String())
		}
	})
}

func (d *driver) send(line string) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.input, line); err != nil {
		d.t.Fatalf("driver: %v", err)
	}
}

// run runs an operation count times and returns what one of them took.
func (d *driver) run(operation string, count int) time.Duration {
	d.t.Helper()
	d.send(fmt.Sprintf("%s %d", operation, count))
	if !d.lines.Scan() {
		d.t.Fatalf("the driver ended in %s", operation)
	}
	ns, err := strconv.ParseInt(d.lines.Text(), 10, 64)
	if err != nil {
		d.t.Fatal(err)
	}
	return time.Duration(ns) / time.Duration(count)
}

// The driver checks its last signature, so that no benchmark counts wrong ones.
func TestDriver(t *testing.T) {
	d := startDriver(t, "")
	for _, operation := range []string{"P-256", "Ed25519", "C_GetSessionInfo", "C_GetAttributeValue", "C_FindObjects", "signals", "C_OpenSession", "C_Initialize"} {
		if took := d.run(operation, 3); took <= 0 {
			t.Errorf("%s took %v", operation, took)
		}
	}
}
