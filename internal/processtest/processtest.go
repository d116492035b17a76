// SPDX-License-Identifier: Apache-2.0

// Package processtest starts processes from a test's own binary, to see what
// several of them do to one thing at the same time.
package processtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const roleVariable = "PROCESSTEST_ROLE"

// Role is what a process does: it gets an argument from the test that starts it
// and reads the lines that the test tells it.
type Role func(argument string, in *bufio.Scanner) error

// Main is the body of TestMain in a test that starts processes.
func Main(m *testing.M, roles map[string]Role) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(os.Args[1], bufio.NewScanner(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Process is a running role.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// Start runs a role of the test binary. A change to the command can be made before
// it starts. The process is killed at the end of the test.
func Start(t testing.TB, role, argument string, change ...func(*exec.Cmd)) *Process {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", argument)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{t, cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(p.Kill)
	return p
}

// Tell writes a line to the input of the process.
func (p *Process) Tell(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatal(err)
	}
}

// Hear returns the next line of its output. The test fails when there is none.
func (p *Process) Hear() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("process ended: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// End closes the input of the process and waits for it.
func (p *Process) End() error {
	p.stdin.Close()
	return p.cmd.Wait()
}

// Signal sends the process a signal.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends the process with SIGKILL.
func (p *Process) Kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// Unprivileged makes a command run as somebody whom permissions bind.
func Unprivileged(t testing.TB) func(*exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func(*exec.Cmd) {}
	}
	const nobody = 65534
	binary := copyOfBinary(t)
	return func(cmd *exec.Cmd) {
		cmd.Path = binary
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// copyOfBinary puts the test binary where everybody may execute it.
func copyOfBinary(t testing.TB) string {
	t.Helper()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(PublicDir(t), "test")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// PublicDir returns a directory that everybody may read.
func PublicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", strings.ReplaceAll(t.Name(), "/", "_"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Stop stops the process with SIGSTOP, and returns when it has stopped.
func (p *Process) Stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	for state := p.state(); state != "T" && state != "t"; state = p.state() {
		if state == "Z" {
			p.t.Fatal("the process that was to stop has ended")
		}
		time.Sleep(time.Millisecond)
	}
}

// state is the letter that the kernel has for it (proc_pid_stat(5)).
func (p *Process) state() string {
	p.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:1]
}

// Continue lets a stopped process go on.
func (p *Process) Continue() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		p.t.Fatal(err)
	}
}
