// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// process plays a role.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
}

// start begins a role. What does not end by itself is killed with the test.
func start(t *testing.T, home *harness.Home, role string) *process {
	t.Helper()
	p := &process{t: t, cmd: home.Role(role)}
	p.cmd.Stderr = &p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin, p.out = stdin, json.NewDecoder(stdout)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it may have ended
	return p
}

// ask has the process report, which it does when all works.
func (p *process) ask() (r report) {
	p.t.Helper()
	defer p.hurry()()
	if _, err := p.stdin.Write([]byte("\n")); err == nil {
		if err = p.out.Decode(&r); err == nil {
			return r
		}
	}
	p.fail("it does not sign again")
	return r
}

// end waits for the end of a role that has come to it.
func (p *process) end() {
	p.t.Helper()
	defer p.hurry()()
	_ = p.stdin.Close() // it may have ended
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("%v\n%s", err, p.stderr.String())
	}
}

// fail ends the test with what the process had to say.
func (p *process) fail(why string) {
	p.t.Helper()
	err := p.cmd.Wait()
	p.t.Fatalf("%s: %v\n%s", why, err, p.stderr.String())
}

// hurry ends a process that takes too long, with a list of what it was doing, unless
// the function that it returns is called before.
func (p *process) hurry() (stop func() bool) {
	return time.AfterFunc(3*patience, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }).Stop
}
