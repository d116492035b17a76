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

// pin returns the PIN that was given as a flag, or asks for it.
func (p *prompter) pin(name, value string, given, fresh bool) ([]byte, error) {
	if given {
		return []byte(value), nil
	}
	first, err := p.ask(name + ": ")
	if err != nil || !fresh {
		return first, err
	}
	again, err := p.ask(name + " again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, again) {
		return nil, fmt.Errorf("%s: the two are not the same", name)
	}
	return first, nil
}

// ask asks for a secret.
func (p *prompter) ask(prompt string) ([]byte, error) {
	if f, ok := p.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(p.err, prompt)
		defer fmt.Fprintln(p.err)
		return term.ReadPassword(int(f.Fd()))
	}
	return p.line(prompt)
}

// line asks for what may be seen on the terminal.
func (p *prompter) line(prompt string) ([]byte, error) {
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
