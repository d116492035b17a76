// SPDX-License-Identifier: Apache-2.0

// Package demo runs the demo as a newcomer does.
package demo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// demo is one run of the script, with a temporary directory of its own.
type demo struct {
	dir, output string
	err         error
}

// run runs the script on the files that were built, with the folder bin in front
// of the PATH.
func run(t *testing.T, bin string) demo {
	t.Helper()
	harness.Need(t, "bash", "openssl", "nginx", "curl", "pkcs11-tool", "gcc", "make")
	harness.Build(t, "zk_pkcs11-util")
	cmd := exec.Command(filepath.Join(harness.Root(t), "scripts/demo.sh"))
	d := demo{dir: shared(t)}
	cmd.Env = append(os.Environ(), "TMPDIR="+d.dir, "ZK_PKCS11_BUILD="+filepath.Dir(harness.Module(t)),
		"PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	d.output, d.err = string(out), err
	return d
}

// shared makes a directory that other users can go through, such as that of
// nginx's workers.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// leftNothing checks that no file is left, and no process that knows the
// directory.
func (d demo) leftNothing(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(d.dir)
	if err != nil || len(files) > 0 {
		t.Errorf("files are left: %v, %v", files, err)
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path) // fails where the process has ended
		if err == nil && strings.Contains(string(line), d.dir) {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
}

func TestDemo(t *testing.T) {
	d := run(t, "/nowhere")
	if d.err != nil {
		t.Fatalf("%v\n%s", d.err, d.output)
	}
	for _, want := range []string{
		"Verification: OK", "SSL certificate verify ok", "hello from nginx worker",
		"sensitive, always sensitive, never extractable, local", "CKR_ATTRIBUTE_SENSITIVE",
		"make demo: all handshakes verified", "It took",
	} {
		if !strings.Contains(d.output, want) {
			t.Errorf("%q is not in the output:\n%s", want, d.output)
		}
	}
	d.leftNothing(t)
}

// A step that fails after nginx was started says which, shows the logs, and
// leaves as little behind as success.
func TestDemoFails(t *testing.T) {
	bin := t.TempDir()
	// The first call of curl goes to openssl s_server, the second to nginx.
	script := "#!/bin/sh\nif [ -e " + bin + "/called ]; then echo 'curl: refused by the test' >&2; exit 60; fi\n" +
		"touch " + bin + "/called\nPATH=${PATH#*:} exec curl \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "curl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	d := run(t, bin)
	if d.err == nil {
		t.Errorf("the demo succeeded:\n%s", d.output)
	}
	for _, want := range []string{"make demo FAILED in step 9: Handshake with curl", "curl: refused by the test"} {
		if !strings.Contains(d.output, want) {
			t.Errorf("%q is not in the output:\n%s", want, d.output)
		}
	}
	d.leftNothing(t)
}

// With a Go that is too old the demo says so and begins nothing.
func TestDemoNeedsANewGo(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\necho go1.19.8\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := run(t, bin)
	if want := "needs Go 1.26 or later; " + bin + "/go is Go 1.19.8\n"; d.err == nil || d.output != "make demo "+want {
		t.Errorf("%v, and the output is not %q:\n%s", d.err, want, d.output)
	}
	d.leftNothing(t)
}
