// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// patience is after how long a call hangs. It is not a promise of speed.
const patience = time.Minute

// process is a user in a process of its own.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
}

// start begins a process that has not called the module yet. It is killed with the test.
func start(t testing.TB, home *harness.Home) *process {
	t.Helper()
	p := &process{cmd: home.Role("user")}
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
	t.Cleanup(p.kill)
	return p
}

// end waits for the end of the process, after which all that it has logged is there.
func (p *process) end() error {
	defer time.AfterFunc(patience, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }).Stop()
	return errors.Join(p.stdin.Close(), p.cmd.Wait())
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}

// ask has a command done. That the process crashes or hangs is an error; it is then shown
// where.
func (p *process) ask(command string) (a answer, err error) {
	defer time.AfterFunc(patience, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }).Stop()
	if _, err = fmt.Fprintln(p.stdin, command); err == nil {
		err = p.out.Decode(&a)
	}
	if err != nil {
		return a, fmt.Errorf("%s: %w: %v\n%s", command, err, p.cmd.Wait(), p.stderr.String())
	}
	return a, nil
}

// must has a command done that has to succeed.
func (p *process) must(t testing.TB, command string) answer {
	t.Helper()
	a, err := p.ask(command)
	if err == nil && a.Code != pkcs11.CKR_OK {
		err = fmt.Errorf("%s: %w\n%s", command, a.Code, p.stderr.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}
