// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// endedWell reports whether a host ended with 0.
func endedWell(o outcome) bool { return o.err == nil }

// answer runs a host at a limit: it lives, and the module answers that all went
// well, or with a code of which it logs the reason. The loader of libraries speaks
// for itself.
func (g guest) answer(t *testing.T, program string, args ...string) string {
	t.Helper()
	o := g.settled(endedWell, program, args...)
	out, log := strings.TrimSpace(o.out), o.log
	if o.err != nil {
		t.Errorf("%s: %v\n%s\n%s", strings.Join(args, " "), o.err, head(out), head(log))
		return out
	}
	t.Logf("%s: %s %s", strings.Join(args, " "), out, log)
	if g.library == softHSM {
		return out
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "libzk_pkcs11: ") {
			t.Errorf("%s: printed %s", strings.Join(args, " "), line)
		}
	}
	if out != "not loaded" && (out == "0x0") != (log == "") {
		t.Errorf("%s: the answer is %s, and the log is %q", strings.Join(args, " "), out, log)
	}
	return out
}

// common makes the state that of a user to whom limits apply, whom the host becomes.
func (g guest) common(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	uid := strconv.Itoa(200000 + os.Getpid()%100000) // a user who has no other processes
	open(t, g.Dir)
	run(t, "chown", "-R", uid+":"+uid, g.Dir)
	if out, err := exec.Command("setpriv", "--reuid", uid, "--clear-groups", "test", "-r", g.library).CombinedOutput(); err != nil {
		t.Skipf("a common user cannot read %s: %v %s", g.library, err, out)
	}
	g.Set("ZK_TEST_UID", uid)
}

// open lets other users into a temporary directory.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoMoreThreads: hosts that may make no more threads, alone and with many
// threads that call at once. When they may again, all goes well.
func TestNoMoreThreads(t *testing.T) {
	program := compile(t, "limits")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		g := host(t)
		g.common(t)
		for _, when := range []string{"before", "loaded", "called", "child-loaded", "child"} {
			for _, threads := range []string{"0", "4", "40"} {
				t.Run(when+"/"+threads, func(t *testing.T) { g.answer(t, program, "nproc", when, threads) })
			}
		}
	})
}

// TestLittleAddressSpace limits the address space of hosts, in MB, from the start
// or as soon as they have loaded the module, and that of their children.
func TestLittleAddressSpace(t *testing.T) {
	const least, most = 200, 4200
	enough := map[string]int{"before": 2200, "loaded": 2200, "child": 4200} // a child has what its parent had, besides
	step := 500
	if os.Getenv("ZK_SOAK") != "" {
		step = 100
	}
	program := compile(t, "limits")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		g := host(t)
		for _, when := range []string{"before", "loaded", "child"} {
			t.Run(when, func(t *testing.T) {
				t.Parallel()
				for size := least; size <= most; size += step {
					answer := g.answer(t, program, "space", when, strconv.Itoa(size))
					if size >= enough[when] && answer != "0x0" {
						t.Errorf("%d MB are not enough", size)
					}
				}
			})
		}
	})
}

// TestLimitOfDescriptors: the host's limit is what it was, in children and in the
// programs that they start, too.
func TestLimitOfDescriptors(t *testing.T) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil || own.Max <= 1024 {
		t.Skipf("the hard limit is %d, and has to be above 1024 (%v)", own.Max, err)
	}
	program := compile(t, "limits")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		g := host(t)
		for _, soft := range []string{"256", "1024"} {
			t.Run(soft, func(t *testing.T) { g.silent(t, program, "nofile", "loaded", soft) })
		}
	})
}
