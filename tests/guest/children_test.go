// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestChildSeesTheSameNames(t *testing.T) {
	silent(t, newToken(t), compile(t, "children"), "same")
}

// TestChildHasNoSecrets looks through the memory of a child that never logs in
// for the PIN by which its parent did, and at the pages where the parent keeps
// its keys.
func TestChildHasNoSecrets(t *testing.T) {
	harness.NeedCleaning(t)
	const pin = "canary-MpQ7vXw2Zr9sKd4Tg8"
	home := harness.NewHome(t)
	home.Run(harness.Build(t, "zk_pkcs11-util"), "--init-token", "--slot", "0", "--label", harness.Label, "--pin", pin, "--so-pin", harness.SOPIN)
	cmd := home.Command(compile(t, "children"), harness.Module(t), "secrets")
	cmd.Stdin = strings.NewReader(pin)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestChildInJail gives children another root directory without /proc and /etc,
// and the rights of nobody, and has them sign, by each way to a fresh copy of
// the module that is left then.
func TestChildInJail(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may change its root directory")
	}
	program := compile(t, "children")
	tests := []struct {
		name, way string
		closed    bool // descriptors; the module is a file in the jail then
	}{
		{"memory", "", false},
		{"memory only", "memfd", false},
		{"file only", "file", false},
		{"descriptors closed", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			home, root := newToken(t), t.TempDir()
			home.Set("ZK_TEST_ROOT", root)
			harness.LeaveWay(t, home, tt.way)
			moveInto(t, root, home.Dir)
			if tt.way != "memfd" {
				run(t, "install", "-d", "-m", "1777", filepath.Join(root, "tmp"))
			}
			if tt.closed {
				home.Set("ZK_TEST_CLOSE", "1")
				run(t, "install", "-D", harness.Module(t), root+harness.Module(t))
				if library := harness.VendorLibrary(t); library != "" {
					run(t, "install", "-D", library, root+library)
				}
			}
			silent(t, home, program, "jail")
		})
	}
}

// moveInto moves the state to the same path below another root directory, where
// it is nobody's, and leaves a link.
func moveInto(t *testing.T, root, state string) {
	t.Helper()
	run(t, "install", "-d", root+filepath.Dir(state))
	run(t, "mv", state, root+state)
	run(t, "chown", "-R", "65534:65534", root+state)
	run(t, "ln", "-s", root+state, state)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// TestForkstress runs the stress test of another project, if it is there.
func TestForkstress(t *testing.T) {
	shared := os.Getenv("ZK_SHARED")
	if shared == "" {
		shared = filepath.Join(harness.Root(t), "..", "shared")
	}
	source := filepath.Join(shared, "tests/forkstress.c")
	if _, err := os.Stat(source); err != nil {
		t.Skipf("forkstress: %v (ZK_SHARED names the folder above tests)", err)
	}
	harness.Need(t, "cc")
	program := filepath.Join(t.TempDir(), "forkstress")
	run(t, "cc", "-O2", "-o", program, source, "-ldl", "-lpthread")
	rounds := size(4, 40)
	out := harness.NewHome(t).Run(program, harness.Module(t), "--rounds", rounds, "--signs", size(1000, 3000))
	t.Log(out)
	if !strings.Contains(out, " children, 0 failed, 0 hung\n") || strings.Count(out, "\n") != 1 {
		t.Error("want one line, and none failed or hung")
	}
}
