// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// filesHome is a token, and a folder for the host's own files.
func filesHome(t *testing.T) *harness.Home {
	t.Helper()
	home := newToken(t)
	home.Set("ZK_TEST_OWN", t.TempDir())
	return home
}

// TestLostDescriptors has the host take over the numbers of the module's files. An
// operator reads once what has happened and what to do.
func TestLostDescriptors(t *testing.T) {
	program := compile(t, "files_lost")
	const line = "libzk_pkcs11: error: slot 0: the program has closed descriptors of this library: C_Finalize and C_Initialize open them anew\n"
	for scenario, want := range map[string]string{"loaded": "", "initialised": "", "opened": line, "signing": line} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			if want != "" {
				harness.SoftOnly(t, harness.SecondRuntime) // which has descriptors of its own, and the emulator's files
			}
			home := filesHome(t)
			if out := home.Run(program, harness.Module(t), scenario); out != want {
				t.Errorf("printed %q, want %q", out, want)
			}
			integrity(t, home)
		})
	}
	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		harness.SoftOnly(t, harness.SecondRuntime)
		home := filesHome(t)
		home.Set("ZK_PKCS11_TRACE", home.Dir+"/trace")
		for out := range strings.Lines(home.Run(program, harness.Module(t), "one")) {
			if out != line && !strings.HasPrefix(out, "libzk_pkcs11: error: calls are not traced: write "+home.Dir+"/trace: the program has closed") {
				t.Errorf("printed %q", out)
			}
		}
		integrity(t, home)
	})
}

func TestStandardDescriptors(t *testing.T) {
	harness.SoftOnly(t, harness.SecondRuntime) // which opens those that are closed
	silent(t, filesHome(t), compile(t, "files_numbers"), "standard")
}

// TestFewDescriptors counts the free descriptors at the first use up to where they
// suffice.
func TestFewDescriptors(t *testing.T) {
	program := compile(t, "files_numbers")
	for free := range 16 {
		t.Run(strconv.Itoa(free), func(t *testing.T) {
			t.Parallel()
			home := filesHome(t)
			home.Set("ZK_TEST_FREE", strconv.Itoa(free))
			out := home.Run(program, harness.Module(t), "few")
			for line := range strings.Lines(out) {
				if !strings.HasPrefix(line, "libzk_pkcs11: error: ") {
					t.Errorf("printed %q", line)
				}
			}
		})
	}
}

// TestNoChown runs as root in a new state directory, and then in an old one.
func TestNoChown(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not as root: SQLite asks for no owner then")
	}
	home := harness.NewHome(t)
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	silent(t, home, compile(t, "files_chown"), "run")
}

func TestNoSIGPIPE(t *testing.T) {
	program := compile(t, "files_pipe")
	for _, scenario := range []string{"log", "log_blocked", "trace", "trace_blocked"} {
		t.Run(scenario, func(t *testing.T) {
			home := filesHome(t)
			for line := range strings.Lines(home.Run(program, harness.Module(t), scenario)) {
				if !strings.Contains(line, "calls are not traced: write ") {
					t.Errorf("printed %q", line)
				}
			}
		})
	}
}

func TestFreshCopyOfShortenedFile(t *testing.T) {
	harness.NewHome(t).Run(compile(t, "files_fill"), t.TempDir())
}

func TestSQLiteSystemCalls(t *testing.T) {
	harness.NewHome(t).Run(compile(t, "files_sqlite"), t.TempDir())
}
