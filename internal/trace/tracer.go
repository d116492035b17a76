// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"libzk_pkcs11/internal/descriptor"
)

// Tracer writes one line for each call into a file.
type Tracer struct{ file *descriptor.File }

// Arg is an argument of a call: a handle, a length, the type of something.
// Numbers are all it can hold, so no PIN, key or data can get into a trace.
type Arg struct {
	Name  string
	Value uint
	List  func() []uint     // in place of Value: more than one
	Show  func(uint) string // how a value is written; nil = as a number
}

// NewTracer appends to the file of that path, and makes it for its owner alone
// where it is missing.
func NewTracer(path string) (*Tracer, error) {
	f, err := descriptor.Open(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Tracer{file: f}, nil
}

// Close closes the file of t, which may be nil.
func (t *Tracer) Close() {
	if t != nil {
		t.file.Close()
	}
}

// Call writes the line of a call of function that began at start and ended now
// with result. It is a single write, so the lines of several processes do not
// mix. Its error is for the log: a trace that cannot be written must not fail the
// call.
func (t *Tracer) Call(function string, args []Arg, start time.Time, result string) error {
	took := time.Since(start)
	line := make([]byte, 0, 256)
	line = start.UTC().AppendFormat(line, "2006-01-02T15:04:05.000000Z")
	line = fmt.Appendf(line, " %d/%d %s", os.Getpid(), syscall.Gettid(), function)
	for _, a := range args {
		line = a.append(line)
	}
	line = fmt.Appendf(line, " = %s %dus\n", result, took.Microseconds())
	_, err := t.file.Write(line)
	return err
}

func (a Arg) append(line []byte) []byte {
	line = append(line, ' ')
	line = append(line, a.Name...)
	line = append(line, '=')
	if a.List == nil {
		return append(line, a.show(a.Value)...)
	}
	for i, v := range a.List() {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, a.show(v)...)
	}
	return line
}

func (a Arg) show(v uint) string {
	if a.Show != nil {
		return a.Show(v)
	}
	return strconv.FormatUint(uint64(v), 10)
}
