// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

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
		return nil, fmt.Errorf("%s: the two are not the same", name)
	}
	return first, nil
}

// askHidden asks for a secret.
func (p *prompter) askHidden(prompt string) ([]byte, error) {
	if f, ok := p.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(p.err, prompt)
		defer fmt.Fprintln(p.err)
		return term.ReadPassword(int(f.Fd()))
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
		return nil, fmt.Errorf("%q is asked for on the standard input, which has ended", strings.TrimRight(prompt, ": "))
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
