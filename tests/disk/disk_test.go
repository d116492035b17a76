// SPDX-License-Identifier: Apache-2.0

// Package disk unlocks disks as a machine does that starts: by cryptsetup, with a secret that only one SCM unlocks.
package disk

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// machine has a soft SCM and what is on its root disk.
type machine struct {
	*harness.Home
	t      *testing.T
	secret string // the file of the locked secret, with its PIN beside it
}

// bootDelay is for how long the SCM starts: in the soak as long as one in hardware may.
func bootDelay() time.Duration {
	if os.Getenv("ZK_SOAK") != "" {
		return 20 * time.Second
	}
	return 8 * time.Second
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	harness.Need(t, "cryptsetup")
	m := &machine{Home: harness.NewHome(t), t: t, secret: filepath.Join(t.TempDir(), "disk.secret")}
	m.Set("PATH", filepath.Dir(harness.Build(t, "zk_pkcs11-util"))+":"+os.Getenv("PATH"))
	m.Init()
	m.writePIN(harness.UserPIN)
	return m
}

func (m *machine) writePIN(pin string) {
	m.t.Helper()
	write(m.t, strings.TrimSuffix(m.secret, ".secret")+".pin", []byte(pin+"\n"))
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tool runs the tool of administrators with the user's PIN.
func (m *machine) tool(words ...string) (string, error) {
	return m.Try(harness.Build(m.t, "zk_pkcs11-util"), append(words, "--pin", harness.UserPIN)...)
}

func (m *machine) mustRun(words ...string) {
	m.t.Helper()
	if out, err := m.tool(words...); err != nil {
		m.t.Fatalf("%q: %v\n%s", words, err, out)
	}
}

// restart takes the SCM's power away and gives it back.
func (m *machine) restart() {
	m.t.Helper()
	m.Settings(fmt.Sprintf("[soft]\nboot_delay = \"%v\"\n", bootDelay()))
	// It is the soft SCM that starts, whatever the module reaches it by.
	m.Run("env", "ZK_PKCS11_BACKEND=soft", "zk_pkcs11-util", "scm", "inject", "boot")
}

// keyscript is the script of the package with the file of a secret.
func (m *machine) keyscript() *exec.Cmd {
	return m.Command(keyscript(m.t), m.secret)
}

func keyscript(t *testing.T) string {
	return filepath.Join(harness.Root(t), "packaging/cryptsetup/zk_pkcs11")
}

// passphrase is what the keyscript writes, and nothing else.
func (m *machine) passphrase() []byte {
	m.t.Helper()
	cmd := m.keyscript()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("keyscript: %v\n%s", err, errs.String())
	}
	if strings.Contains(errs.String(), harness.UserPIN) || bytes.Contains(errs.Bytes(), out) {
		m.t.Errorf("a secret is among what the keyscript tells:\n%s", errs.String())
	}
	return out
}

// disk makes a LUKS volume in a file, whose passphrase comes through a pipe.
func disk(t *testing.T, passphrase []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	write(t, file, nil)
	if err := os.Truncate(file, 32<<20); err != nil {
		t.Fatal(err)
	}
	out, err := cryptsetup(passphrase, "luksFormat", "--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-", file)
	if err != nil {
		t.Fatalf("luksFormat: %v\n%s", err, out)
	}
	return file
}

// opened reports by its error whether a passphrase opens a disk. It needs no device mapper.
func opened(file string, passphrase []byte) (string, error) {
	return cryptsetup(passphrase, "luksOpen", "--test-passphrase", "--tries", "1", "--key-file", "-", file)
}

func cryptsetup(passphrase []byte, words ...string) (string, error) {
	cmd := exec.Command("cryptsetup", words...)
	cmd.Stdin = bytes.NewReader(passphrase)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestFirstTry: an SCM that starts for a while opens the disk at the one attempt that there is.
func TestFirstTry(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.mustRun("secret", "lock", m.secret)
	first := m.passphrase()
	file := disk(t, first)
	m.restart()
	if out, err := m.tool("scm", "wait", "--timeout", "0"); err == nil {
		t.Fatalf("the SCM has started at once: %s", out)
	}
	start := time.Now()
	again := m.passphrase()
	t.Logf("an SCM that starts for %v: the passphrase came after %v", bootDelay(), time.Since(start).Round(time.Second/10))
	if out, err := opened(file, again); err != nil {
		t.Errorf("the disk does not open: %v\n%s", err, out)
	}
	if out, err := opened(file, append(again, '\n')); err == nil {
		t.Errorf("any passphrase opens the disk: %s", out)
	}
}

// TestCopiedDisk: somebody who has all files of a machine but its SCM has no passphrase.
func TestCopiedDisk(t *testing.T) {
	t.Parallel()
	harness.SoftOnly(t, "soft SCMs of their own")
	m, thief := newMachine(t), newMachine(t)
	m.mustRun("secret", "lock", m.secret)
	thief.secret = m.secret
	out, err := thief.keyscript().Output()
	if err == nil || len(out) > 0 {
		t.Errorf("another SCM unlocks %q, %v", out, err)
	}
	text, err := thief.tool("secret", "unlock", m.secret)
	if err == nil || !strings.Contains(text, "this SCM has not locked it") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestRefused: damaged, empty and huge files, a wrong PIN and a file that is there already give an error and no byte of a secret.
func TestRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.mustRun("secret", "lock", m.secret)
	whole, err := os.ReadFile(m.secret)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := m.tool("secret", "lock", m.secret); err == nil || !strings.Contains(out, "is there already") {
		t.Errorf("a secret is overwritten: %v\n%s", err, out)
	}
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 1
	for name, content := range map[string][]byte{
		"empty": {}, "half": whole[:len(whole)/2], "changed": changed, "more": append(bytes.Clone(whole), 0), "huge": make([]byte, 1<<20),
	} {
		write(t, m.secret, content)
		if out, err := m.keyscript().Output(); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	write(t, m.secret, whole)
	m.writePIN("wrong-pin")
	if out, err := m.keyscript().Output(); err == nil || len(out) > 0 {
		t.Errorf("with a wrong PIN: %q, %v", out, err)
	}
}

// TestOwnSecret: the secret that a file has, with any bytes in it, comes out as it went in.
func TestOwnSecret(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	plain := filepath.Join(t.TempDir(), "plain")
	for _, want := range [][]byte{[]byte("a word of my own\n"), {0}, bytes.Repeat([]byte{0, '\n', 0xff}, 100)} {
		write(t, plain, want)
		m.secret = filepath.Join(t.TempDir(), "own.secret")
		m.writePIN(harness.UserPIN)
		m.mustRun("secret", "lock", m.secret, "--from", plain)
		if got := m.passphrase(); !bytes.Equal(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	}
}

// TestTerminal: nobody sees a secret on a terminal.
func TestTerminal(t *testing.T) {
	t.Parallel()
	harness.Need(t, "script")
	m := newMachine(t)
	m.mustRun("secret", "lock", m.secret)
	want := m.passphrase()
	out, err := m.Try("script", "--quiet", "--return", "--command",
		"zk_pkcs11-util secret unlock "+m.secret+" --pin-file "+strings.TrimSuffix(m.secret, ".secret")+".pin", "/dev/null")
	if err == nil || !strings.Contains(out, "not shown on a terminal") || strings.Contains(out, string(want)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSocket: the units' way, for which systemd-socket-activate stands in. The one who connects reads the passphrase
// up to its end, as systemd-cryptsetup does.
func TestSocket(t *testing.T) {
	t.Parallel()
	harness.Need(t, "systemd-socket-activate")
	m := newMachine(t)
	m.mustRun("secret", "lock", m.secret)
	file := disk(t, m.passphrase())
	path := filepath.Join(t.TempDir(), "disk.sock")
	// It hands on nothing of its own environment but PATH and what is named.
	words := []string{"--accept", "--inetd", "--listen", path}
	for _, name := range []string{"ZK_PKCS11_HOME", "ZK_PKCS11_CONF", "ZK_PKCS11_BACKEND", "ZK_APP_UTILS_LIB", "ZK_PKCS11_LIBRARY", "PATH"} {
		words = append(words, "--setenv", name)
	}
	cmd := m.Command("systemd-socket-activate", append(words, keyscript(t), m.secret)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if out, err := opened(file, readSocket(t, path)); err != nil {
		t.Errorf("the disk does not open: %v\n%s", err, out)
	}
}

// readSocket reads what comes from a socket, which may not be there yet.
func readSocket(t *testing.T, path string) []byte {
	t.Helper()
	for {
		connection, err := net.Dial("unix", path)
		if err != nil {
			time.Sleep(time.Second / 20)
			continue
		}
		defer connection.Close()
		got, err := io.ReadAll(connection)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}
