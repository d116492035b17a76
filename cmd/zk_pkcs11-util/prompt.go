// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// prompter asks for PINs and other secrets: on a terminal without echo, twice for
// a new one, otherwise it reads a line of the input each time. Prompts go to the
// error output, because scripts read the other one.
type prompter struct {
	in  io.Reader
	err io.Writer
	buf *bufio.Reader
}

// errEnded is the end of the answers.
var errEnded = errors.New("standard input, which has ended")

// newPrompter returns what asks on the streams of a command.
func newPrompter(c *cobra.Command) *prompter {
	return &prompter{in: c.InOrStdin(), err: c.ErrOrStderr()}
}

// isTerminal reports whether somebody types the answers.
func (p *prompter) isTerminal() bool {
	f, ok := p.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// pin returns a PIN from where its options say, from a credential of systemd, or asks for it.
func (p *prompter) pin(s *pinSource) ([]byte, error) {
	pin, err := p.pinOf(s.name, s)
	if err != nil {
		return nil, err
	}
	return pin, s.checkLength(pin)
}

// pinOf is pin with another name of it in the prompt.
func (p *prompter) pinOf(name string, s *pinSource) ([]byte, error) {
	o, err := p.ready(s)
	if err != nil {
		return nil, err
	}
	pin, err := p.secret(name, o)
	return pin, s.aboutEnd(err)
}

// newPIN is pin of a new one, for which it asks twice.
func (p *prompter) newPIN(s *pinSource) ([]byte, error) {
	o, err := p.ready(s)
	if err != nil {
		return nil, err
	}
	pin, err := p.newSecret(s.name, o)
	return pin, s.aboutEnd(err)
}

// ready returns a PIN that nobody has to be asked for. A credential is for services, which have no terminal.
func (p *prompter) ready(s *pinSource) (option, error) {
	if s.found.given || p.isTerminal() {
		return s.found, nil
	}
	return s.fromCredential()
}

// option is a secret as an option of the command, which it is if it was given.
type option struct {
	value string
	given bool
}

// secret returns what was given as an option, or asks for it.
func (p *prompter) secret(name string, o option) ([]byte, error) {
	if o.given {
		return []byte(o.value), nil
	}
	return p.askHidden(name + ": ")
}

// newSecret is secret of a new one, for which it asks twice.
func (p *prompter) newSecret(name string, o option) ([]byte, error) {
	first, err := p.secret(name, o)
	if err != nil || o.given {
		return first, err
	}
	again, err := p.askHidden(name + " again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, again) {
		return nil, fmt.Errorf("%s: the two are not the same; nothing was done, so type it once more", name)
	}
	return first, nil
}

// askHidden asks for a secret.
func (p *prompter) askHidden(prompt string) ([]byte, error) {
	if p.isTerminal() {
		fmt.Fprint(p.err, prompt)
		defer fmt.Fprintln(p.err)
		return term.ReadPassword(int(p.in.(*os.File).Fd()))
	}
	return p.askLine(prompt)
}

// askLine asks for what may be seen on the terminal.
func (p *prompter) askLine(prompt string) ([]byte, error) {
	fmt.Fprint(p.err, prompt)
	if p.buf == nil {
		p.buf = bufio.NewReader(p.in)
	}
	line, err := p.buf.ReadBytes('\n')
	if err != nil && len(line) == 0 {
		return nil, fmt.Errorf("%q is asked for on the %w", strings.TrimRight(prompt, ": "), errEnded)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
