// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// begin puts a library without slots in place, whose log it returns.
func begin(t *testing.T) (logFile string) {
	t.Helper()
	logFile = filepath.Join(t.TempDir(), "log")
	l := &library{log: trace.NewLogger(trace.Debug, logFile)}
	l.provider = pkcs11.New(pkcs11.Options{Log: l.log})
	current.Store(l)
	t.Cleanup(func() { current.Store(nil) })
	return logFile
}

func TestCall(t *testing.T) {
	logFile := begin(t)
	var nowhere *int
	tests := []struct {
		name string
		f    func(*pkcs11.Provider) error
		want pkcs11.Error
		log  string
	}{
		{"ok", func(*pkcs11.Provider) error { return nil }, pkcs11.CKR_OK, ""},
		{"code", func(*pkcs11.Provider) error { return pkcs11.CKR_PIN_LOCKED }, pkcs11.CKR_PIN_LOCKED, ""},
		{"wrapped", func(*pkcs11.Provider) error { return fmt.Errorf("slot: %w", pkcs11.CKR_PIN_LOCKED) }, pkcs11.CKR_PIN_LOCKED, ""},
		{"other error", func(*pkcs11.Provider) error { return errors.New("odd") }, pkcs11.CKR_GENERAL_ERROR, ""},
		{"refusal", func(*pkcs11.Provider) error { panic(refusal(pkcs11.CKR_ARGUMENTS_BAD)) }, pkcs11.CKR_ARGUMENTS_BAD, ""},
		{"panic", func(*pkcs11.Provider) error { panic("lost") }, pkcs11.CKR_GENERAL_ERROR, "error: C_Test panic: internal error: lost"},
		{"nil", func(*pkcs11.Provider) error { *nowhere = 1; return nil }, pkcs11.CKR_GENERAL_ERROR, "error: C_Test nil: internal error: runtime error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := pkcs11.Error(call("C_Test "+tt.name, nil, tt.f)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			text, err := os.ReadFile(logFile)
			if tt.log != "" && (err != nil || !strings.Contains(string(text), tt.log)) {
				t.Errorf("log is %q, %v; want %q in it", text, err, tt.log)
			}
		})
	}
}

// TestDuring: without its session a call is refused for that alone, and an error of our
// own is told all the same.
func TestDuring(t *testing.T) {
	logFile := begin(t)
	for problem, want := range map[any]pkcs11.Error{
		refusal(pkcs11.CKR_ARGUMENTS_BAD): pkcs11.CKR_SESSION_HANDLE_INVALID,
		"lost":                            pkcs11.CKR_GENERAL_ERROR,
	} {
		got := during(pkcs11.CKF_SIGN, "C_Test", 1, nil, func(*pkcs11.Provider) error { panic(problem) })
		if pkcs11.Error(got) != want {
			t.Errorf("%v: got %v, want %v", problem, pkcs11.Error(got), want)
		}
	}
	if text, err := os.ReadFile(logFile); err != nil || !strings.Contains(string(text), "error: C_Test: internal error: lost") {
		t.Errorf("log is %q, %v", text, err)
	}
}

func TestCallBeforeInitialize(t *testing.T) {
	got := call("C_Test", nil, func(*pkcs11.Provider) error { t.Error("was called"); return nil })
	if pkcs11.Error(got) != pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED {
		t.Errorf("got %v", pkcs11.Error(got))
	}
}

func TestTracedCall(t *testing.T) {
	begin(t)
	path := filepath.Join(t.TempDir(), "trace")
	tracer, err := trace.NewTracer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	current.Load().tracer = tracer
	call("C_Test", args{sessionArg(7), flagsArg(6)}, func(*pkcs11.Provider) error { return pkcs11.CKR_PIN_LOCKED })
	current.Load().traceCall("C_Other", nil, time.Now(), 0)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), " C_Test session=7 flags=0x6 = CKR_PIN_LOCKED ") ||
		!strings.Contains(string(text), " C_Other = CKR_OK ") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestFixedStrings(t *testing.T) {
	tests := []struct{ give, want string }{
		{"", ""},
		{"short", "short"},
		{strings.Repeat("x", 40), strings.Repeat("x", 32)},
		{strings.Repeat("x", 31) + "ä", strings.Repeat("x", 31)},
		{strings.Repeat("ä", 17), strings.Repeat("ä", 16)},
		{"bad\xff", "bad?"},
	}
	for _, tt := range tests {
		field := infoOf(pkcs11.Info{Manufacturer: tt.give}).manufacturerID
		var got []byte
		for _, c := range field {
			got = append(got, byte(c))
		}
		if want := fmt.Sprintf("%-*s", 32-len(tt.want)+len([]rune(tt.want)), tt.want); string(got) != want {
			t.Errorf("%q became %q, want %q", tt.give, got, want)
		}
	}
}

// The path of a signature through the boundary must not feed the collector.
func TestNoAllocations(t *testing.T) {
	begin(t)
	allocations := testing.AllocsPerRun(100, func() {
		during(pkcs11.CKF_SIGN, "C_Sign", 1, args{sessionArg(1), lengthArg(32)}, func(*pkcs11.Provider) error {
			return pkcs11.CKR_SESSION_HANDLE_INVALID
		})
	})
	if allocations != 0 {
		t.Errorf("%v allocations a call", allocations)
	}
}

// What a call costs between the entry in C and the provider.
func BenchmarkCall(b *testing.B) {
	l := &library{log: trace.NewLogger(trace.Error, "stderr")}
	l.provider = pkcs11.New(pkcs11.Options{})
	current.Store(l)
	defer current.Store(nil)
	for b.Loop() {
		during(pkcs11.CKF_SIGN, "C_Sign", 1, args{sessionArg(1), lengthArg(32)}, func(*pkcs11.Provider) error {
			return nil
		})
	}
}
