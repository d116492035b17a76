// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/importer"
)

// What is read may be a module that hangs or crashes, or a file that asks for years of work. So a
// process of its own reads it, the same program with a command that nobody else calls, and this one waits for no
// longer than it wants to.

// readCommand is the command of that process.
const readCommand = "import-read"

// answer is what it says.
type answer struct {
	Objects []importer.Object
	Error   string
	Needed  bool   // a password is
	Wrong   bool   // the password is
	Next    string // what to do about the error
}

// mostAnswered bounds what is taken from it.
const mostAnswered = 256 << 20

// newReadCommand reads the source that its standard input names.
func newReadCommand() *cobra.Command {
	return &cobra.Command{
		Use: readCommand, Hidden: true, Args: cobra.NoArgs,
		Short: "Read what is imported, for the command import alone",
		RunE: func(c *cobra.Command, _ []string) error {
			var s importer.Source
			if err := gob.NewDecoder(c.InOrStdin()).Decode(&s); err != nil {
				return errors.New("this command is for \"import\" alone")
			}
			objects, err := importer.Read(s)
			a := answer{Objects: objects, Needed: errors.Is(err, importer.ErrNeeded), Wrong: errors.Is(err, importer.ErrPassword), Next: nextOf(err)}
			if err != nil {
				a.Error = err.Error()
			}
			return gob.NewEncoder(c.OutOrStdout()).Encode(a)
		},
	}
}

// readSource has another process read a source. importer.ErrNeeded when it takes a password.
func (x *importTool) readSource(s importer.Source) ([]importer.Object, error) {
	a, err := readElsewhere(s, x.wait)
	switch {
	case err != nil:
		return nil, err
	case a.Needed:
		return nil, fmt.Errorf("%s: %w", s.Path, importer.ErrNeeded)
	case a.Wrong:
		return nil, fmt.Errorf("%s; nothing was imported: give the password of the file by --%s-file, or leave that out and be asked for it", a.Error, x.fromPIN.option)
	case a.Error != "":
		return nil, fmt.Errorf("%s; nothing was imported%s", a.Error, a.Next)
	}
	return a.Objects, nil
}

// readElsewhere has another process read a source, and returns what that says.
func readElsewhere(s importer.Source, limit time.Duration) (a answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var in, out, errs bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(s); err != nil {
		return a, err
	}
	defer func() { clear(in.Bytes()); clear(out.Bytes()) }()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", readCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &bounded{&out, mostAnswered}, &bounded{&errs, 1 << 16}
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return a, fmt.Errorf("%s: it is not read after %v: it hangs, or asks for too much work; nothing was imported (--wait gives it more time)", s.Path, limit)
	case err != nil:
		return a, fmt.Errorf("%s: the process that reads it has crashed (%w), and nothing was imported: %s", s.Path, err, lastLine(errs.String()))
	}
	if err := gob.NewDecoder(&out).Decode(&a); err != nil {
		return a, fmt.Errorf("%s: what it gives is no list of objects: %w", s.Path, err)
	}
	return a, nil
}

// nextOf says what to do about an error of a source, behind "nothing was imported".
func nextOf(err error) string {
	var other *importer.FormError
	switch {
	case errors.As(err, &other):
		return ": " + other.Next
	case errors.Is(err, importer.ErrPIN):
		return ": give the user PIN of that token by --from-pin-file"
	case errors.Is(err, importer.ErrWhich):
		return "" // the error says it
	case errors.Is(err, fs.ErrPermission):
		return ": run the command as a user who may read it"
	}
	return ", so look at the name of the file and at what \"import --help\" says of its form"
}

// lastLine is the last line of what a process has said.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// bounded fails when more than n bytes are written.
type bounded struct {
	to io.Writer
	n  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errors.New("too much output")
	}
	return b.to.Write(p)
}
