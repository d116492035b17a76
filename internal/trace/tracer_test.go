// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

func newTracer(t *testing.T) (*Tracer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace")
	tracer, err := NewTracer(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tracer.Close)
	return tracer, path
}

func TestCallLine(t *testing.T) {
	named := func(v uint) string { return map[uint]string{1: "CKA_ONE", 2: "CKA_TWO"}[v] }
	tests := []struct {
		name string
		args []Arg
		want string
	}{
		{"none", nil, `C_Finalize = CKR_OK`},
		{"number", []Arg{{Name: "session", Value: 7}}, `C_Finalize session=7 = CKR_OK`},
		{"name", []Arg{{Name: "type", Value: 2, Show: named}}, `C_Finalize type=CKA_TWO = CKR_OK`},
		{"list", []Arg{{Name: "types", List: func() []uint { return []uint{1, 2} }, Show: named}},
			`C_Finalize types=CKA_ONE,CKA_TWO = CKR_OK`},
		{"empty list", []Arg{{Name: "types", List: func() []uint { return nil }}}, `C_Finalize types= = CKR_OK`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tracer, path := newTracer(t)
			tracer.Call("C_Finalize", tt.args, time.Now(), "CKR_OK")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			line := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+/\d+ ` + tt.want + ` \d+us\n$`)
			if !line.Match(text) {
				t.Errorf("got %q", text)
			}
		})
	}
}

func TestTraceFile(t *testing.T) {
	tracer, path := newTracer(t)
	tracer.Call("C_One", nil, time.Now(), "CKR_OK")
	again, err := NewTracer(path)
	if err != nil {
		t.Fatal(err)
	}
	again.Call("C_Two", nil, time.Now(), "CKR_OK")
	again.Close()
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := NewTracer(t.TempDir()); err == nil {
		t.Error("a directory was opened as a trace")
	}
}

func TestLinesOfManyGoroutinesAreWhole(t *testing.T) {
	tracer, path := newTracer(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				tracer.Call("C_Sign", []Arg{{Name: "session", Value: 1}}, time.Now(), "CKR_OK")
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^\S+ \d+/\d+ C_Sign session=1 = CKR_OK \d+us$`)
	if n := len(whole.FindAll(text, -1)); n != 800 {
		t.Errorf("%d whole lines of 800", n)
	}
}

func TestNilTracer(t *testing.T) {
	var tracer *Tracer
	tracer.Close() // must not crash
}

func BenchmarkCall(b *testing.B) {
	tracer, err := NewTracer(os.DevNull)
	if err != nil {
		b.Fatal(err)
	}
	defer tracer.Close()
	args := []Arg{{Name: "session", Value: 1}, {Name: "length", Value: 32}}
	for b.Loop() {
		tracer.Call("C_Sign", args, time.Now(), "CKR_OK")
	}
}

// TestTraceThatTheHostHasClosed checks that the file that has got its number is not
// written, and that this is told.
func TestTraceThatTheHostHasClosed(t *testing.T) {
	tracer, _ := newTracer(t)
	host, err := os.Create(filepath.Join(t.TempDir(), "host"))
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	number := tracer.file.Descriptor()
	if err := unix.Dup3(int(host.Fd()), number, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := tracer.Call("C_Sign", nil, time.Now(), "CKR_OK"); !errors.Is(err, descriptor.ErrLost) {
		t.Errorf("got %v", err)
	}
	tracer.Close()
	if err := unix.Close(number); err != nil {
		t.Errorf("the host's descriptor: %v", err)
	}
	if info, err := host.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the host's file has %d bytes, %v", info.Size(), err)
	}
}
