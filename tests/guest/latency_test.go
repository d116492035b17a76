// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/tests/harness"
)

// TestLatency prints how late signals are handled that arrive in a call: half of
// them within 0.1 s, though the calls last for seconds. SoftHSM2 has no calls that
// last, but C_Login.
func TestLatency(t *testing.T) {
	program := compile(t, "latency")
	t.Run("event", func(t *testing.T) { t.Parallel(); newGuest(t).prints(t, program, "event") })
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		host(t).prints(t, program, "logins")
	})
	for _, backend := range backends(t) {
		t.Run("slow/"+backend.name, func(t *testing.T) {
			t.Parallel()
			newSlowGuest(t, backend, "latency_sign = \"1s\"\n").prints(t, program, "slow")
		})
	}
	for _, absent := range []string{"0s", "1s"} {
		t.Run("boots/"+absent, func(t *testing.T) {
			t.Parallel()
			newBootingGuest(t, absent).prints(t, program, "boots")
		})
	}
}

// backend is a way to the soft SCM, with the file of the library, if there is one.
type backend struct{ name, library string }

func backends(t *testing.T) []backend {
	t.Helper()
	return []backend{{"soft", ""}, {"zymbit", harness.Build(t, "libzk_app_utils.so")}}
}

// newSlowGuest is the module over a soft SCM with those settings of its own.
func newSlowGuest(t *testing.T, way backend, settings string) guest {
	t.Helper()
	home := harness.NewHome(t)
	conf := filepath.Join(t.TempDir(), "slow.toml")
	if err := os.WriteFile(conf, []byte("[soft]\nseal = \"device\"\n"+settings), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_CONF", conf)
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	for _, variable := range harness.Backend(way.library) {
		name, value, _ := strings.Cut(variable, "=")
		home.Set(name, value)
	}
	home.Init()
	return guest{home, harness.Module(t), 1}
}

// newBootingGuest is the module over an SCM that was started just now, and does not
// answer for a minute: each attempt fails after that long.
func newBootingGuest(t *testing.T, absent string) guest {
	t.Helper()
	g := newSlowGuest(t, backends(t)[1], fmt.Sprintf("boot_delay = \"60s\"\nlatency_absent = %q\n", absent))
	g.Run("env", "ZK_PKCS11_BACKEND=soft", harness.Build(t, "zk_pkcs11-util"), "scm", "inject", "boot")
	return g
}

// TestLatencyOfLockedFiles: the files of the state are locked as a writer leaves
// them that is stopped while it writes.
func TestLatencyOfLockedFiles(t *testing.T) {
	g := newGuest(t)
	cmd := g.Command(compile(t, "latency"), g.library, "locked")
	cmd.Stderr = os.Stderr
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil || cmd.Start() != nil {
		t.Fatal("cannot start the host")
	}
	defer time.AfterFunc(tooLong, func() { cmd.Process.Kill() }).Stop()
	out := bufio.NewReader(stdout)
	if line, err := out.ReadString('\n'); line != "lock\n" {
		t.Errorf("%v %q", err, line)
	}
	defer lockFiles(t, g.Dir)()
	io.WriteString(stdin, "x")
	rest, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	t.Log(strings.TrimSpace(string(rest)))
}

// lockFiles takes the locks in a state directory, and returns what gives them back.
func lockFiles(t *testing.T, dir string) (release func()) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no locks", err)
	}
	var files []*os.File
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return func() {
		for _, f := range files {
			f.Close()
		}
	}
}

// TestInterruptedTool: Ctrl-C ends pkcs11-tool, which waits for an SCM that boots.
func TestInterruptedTool(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	g := newBootingGuest(t, "0s")
	cmd := g.Command("pkcs11-tool", "--module", g.library, "--slot", "0", "--login", "--pin", harness.UserPIN, "-O")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("pkcs11-tool did not wait: %v", err)
	case <-time.After(2 * time.Second):
	}
	cmd.Process.Signal(syscall.SIGINT)
	select {
	case err := <-ended:
		if endedBy(err) != syscall.SIGINT {
			t.Errorf("ended by %v, want SIGINT", err)
		}
	case <-time.After(time.Second):
		cmd.Process.Kill()
		t.Errorf("goes on after SIGINT: %v", <-ended)
	}
}

// TestNested: a handler of the host that calls the library in the middle of a call gets a
// code at once, and one that ends the process ends it.
func TestNested(t *testing.T) {
	program := compile(t, "nested")
	for _, scenario := range []string{"calls", "exit", "exit-waiting"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			newSlowGuest(t, backends(t)[0], "latency_sign = \"1s\"\n").silent(t, program, scenario)
		})
	}
}
