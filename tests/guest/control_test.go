// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// softHSM is the library with which hosts run as a control: what fails with it,
// too, is no fault of the module.
const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// tooLong is when a host counts as hung.
const tooLong = 90 * time.Second

// guest is a library in a host, with a token of its own that has a key of
// CKA_ID 0.
type guest struct {
	*harness.Home
	library string
	tries   int // SoftHSM2 fails now and then, with threads and in forked children
}

func newGuest(t *testing.T) guest {
	t.Helper()
	harness.SoftOnly(t, harness.SecondRuntime)
	return guest{newToken(t), harness.Module(t), 1}
}

func newControl(t *testing.T) guest {
	t.Helper()
	harness.Need(t, "softhsm2-util", "pkcs11-tool")
	if _, err := os.Stat(softHSM); err != nil {
		t.Skipf("no control: %v", err)
	}
	home := harness.NewHome(t)
	conf, tokens := filepath.Join(home.Dir, "softhsm.conf"), filepath.Join(home.Dir, "tokens")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tokens, 0o755); err != nil {
		t.Fatal(err)
	}
	home.Set("SOFTHSM2_CONF", conf)
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	home.Run("softhsm2-util", "--init-token", "--free", "--label", harness.Label, "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	home.Run("pkcs11-tool", "--module", softHSM, "--token-label", harness.Label, "--login", "--pin", harness.UserPIN,
		"--keypairgen", "--key-type", "EC:prime256v1", "--id", "00")
	return guest{home, softHSM, 4}
}

// withBoth runs a test with the module, and with SoftHSM2 as a control where there is time:
// it tells whether a test that fails is at fault itself.
func withBoth(t *testing.T, test func(*testing.T, func(*testing.T) guest)) {
	t.Helper()
	t.Run("module", func(t *testing.T) { test(t, newGuest) })
	if os.Getenv("ZK_SOAK") == "" {
		t.Log("without SoftHSM2 as a control, which ZK_SOAK=1 runs too")
		return
	}
	t.Run("control", func(t *testing.T) { test(t, newControl) })
}

// run runs a host and returns what it printed, and what the library logged.
func (g guest) run(program string, args ...string) (out, log string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	cmd := g.CommandContext(ctx, program, append([]string{g.library}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		err = context.DeadlineExceeded
	}
	return stdout.String(), stderr.String(), err
}

// outcome is how a host ended, and what was printed.
type outcome struct {
	out, log string
	err      error
}

// settled runs a host again until its outcome is the wanted one, as often as the library is
// given.
func (g guest) settled(wanted func(outcome) bool, program string, args ...string) outcome {
	var o outcome
	for range g.tries {
		if o.out, o.log, o.err = g.run(program, args...); wanted(o) {
			break
		}
	}
	return o
}

// isSilent reports whether a host ended well, without a word.
func isSilent(o outcome) bool { return o.err == nil && o.out == "" && o.log == "" }

// silent runs a host that must end well, without a word.
func (g guest) silent(t *testing.T, program string, args ...string) {
	t.Helper()
	if o := g.settled(isSilent, program, args...); !isSilent(o) {
		t.Errorf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), o.err, head(o.out), head(o.log))
	}
}

// head is the begin of a text: what a crash prints can be long.
func head(s string) string {
	const most = 600
	if len(s) > most {
		return s[:most] + "...\n"
	}
	return s
}

// isUnlogged reports whether a host ended well, and the library logged nothing.
func isUnlogged(o outcome) bool { return o.err == nil && o.log == "" }

// prints runs a host that must end well, and shows what it printed.
func (g guest) prints(t *testing.T, program string, args ...string) {
	t.Helper()
	o := g.settled(isUnlogged, program, args...)
	if !isUnlogged(o) {
		t.Errorf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), o.err, head(o.log))
	}
	t.Log(strings.TrimSpace(o.out))
}

// endedBy is the signal by which a program was ended, or 0.
func endedBy(err error) syscall.Signal {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	status, is := exit.Sys().(syscall.WaitStatus)
	if !is || !status.Signaled() {
		return 0
	}
	return status.Signal()
}
