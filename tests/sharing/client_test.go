// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// program is the client as it was built.
type program struct {
	t    testing.TB
	path string
}

func build(t testing.TB) *program {
	t.Helper()
	return &program{t, harness.Compile(t, "testdata/client.c")}
}

// client is a process that uses the module as it is told.
type client struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	stderr bytes.Buffer
}

// answer is what a command came to.
type answer struct {
	rv    pkcs11.Error
	took  time.Duration
	words []string
}

// start begins a process with the token of a home. It has not called the module yet.
// What does not end by itself is killed with the test.
func (p *program) start(home *harness.Home) (*client, error) {
	c := &client{cmd: home.Command(p.path, harness.Module(p.t))}
	c.cmd.Stderr = &c.stderr
	input, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.input, c.output = input, bufio.NewReader(output)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	p.t.Cleanup(c.kill)
	return c, nil
}

// user begins a process, opens a session and logs the user in.
func (p *program) user(home *harness.Home) (*client, error) {
	c, err := p.start(home)
	if err != nil {
		return nil, err
	}
	return c, c.enter(harness.UserPIN)
}

// enter begins the use of the module, up to the login.
func (c *client) enter(pin string) error {
	for _, command := range []string{"initialize", "open", "login " + pin} {
		if _, err := c.do(command); err != nil {
			return err
		}
	}
	return nil
}

// signer is a user who has the key in memory that it signs with.
func (p *program) signer(home *harness.Home) (*client, error) {
	c, err := p.user(home)
	if err == nil {
		_, err = c.do("key")
	}
	return c, err
}

// kill ends the process at once.
func (c *client) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()
}

// end lets the process end by itself.
func (c *client) end() error {
	if err := c.input.Close(); err != nil {
		return err
	}
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, c.stderr.String())
	}
	return nil
}

// say sends a command, and hear waits for its answer. That the process has ended is
// an error.
func (c *client) say(command string) error {
	_, err := fmt.Fprintln(c.input, command)
	return err
}

func (c *client) hear() (answer, error) {
	line, err := c.output.ReadString('\n')
	if err != nil {
		return answer{}, err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return answer{}, fmt.Errorf("the client says %q", line)
	}
	rv, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil {
		return answer{}, fmt.Errorf("the client says %q", line)
	}
	ns, err := strconv.ParseInt(words[1], 10, 64)
	return answer{pkcs11.Error(rv), time.Duration(ns), words[2:]}, err
}

// ask has a command done, whatever its code is.
func (c *client) ask(command string) (answer, error) {
	if err := c.say(command); err != nil {
		return answer{}, fmt.Errorf("%s: %w", command, err)
	}
	a, err := c.hear()
	if err != nil {
		err = fmt.Errorf("%s: %w", command, err)
	}
	return a, err
}

// do has a command done that must succeed.
func (c *client) do(command string) (answer, error) {
	a, err := c.ask(command)
	if err == nil && a.rv != pkcs11.CKR_OK {
		err = fmt.Errorf("%s: %w", command, a.rv)
	}
	return a, err
}

// number is the first word of an answer.
func (a answer) number() int {
	n, _ := strconv.Atoi(a.words[0])
	return n
}

// signatures are the times that the command "sign" tells, and how many of the
// signatures failed.
func (a answer) signatures() (failed int, took []time.Duration) {
	for _, word := range a.words[1:] {
		ns, _ := strconv.Atoi(word)
		took = append(took, time.Duration(ns))
	}
	return a.number(), took
}
