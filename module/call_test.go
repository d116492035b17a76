// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// start puts a library without slots in place, whose log it returns.
func start(t *testing.T) (logFile string) {
	t.Helper()
	logFile = filepath.Join(t.TempDir(), "log")
	l := &library{log: trace.NewLogger(trace.Debug, logFile)}
	l.provider = pkcs11.New(pkcs11.Options{Log: l.log})
	current.Store(l)
	t.Cleanup(func() { current.Store(nil) })
	return logFile
}

func begun(name string, a ...trace.Arg) (c call) {
	c.begin(name, a...)
	return c
}

// do makes a call as an export does.
func do(c call, work func(*call)) (code pkcs11.Error) {
	rv := result(nil)
	defer func() { code = pkcs11.Error(rv) }()
	defer c.end(&rv)
	if c.accepted() {
		work(&c)
	}
	return 0
}

// sign is do for a call that goes on with a signature of a session that is not there.
func sign(c call, work func(*call)) (code pkcs11.Error) {
	rv := result(nil)
	defer func() { code = pkcs11.Error(rv) }()
	defer c.endOperation(&rv, 1, pkcs11.CKF_SIGN)
	if c.accepted() {
		work(&c)
	}
	return 0
}

func TestCall(t *testing.T) {
	logFile := start(t)
	var nowhere *int
	tests := []struct {
		name string
		work func(*call)
		want pkcs11.Error
		log  string
	}{
		{"ok", func(*call) {}, pkcs11.CKR_OK, ""},
		{"code", func(c *call) { c.err = pkcs11.CKR_PIN_LOCKED }, pkcs11.CKR_PIN_LOCKED, ""},
		{"wrapped", func(c *call) { c.err = fmt.Errorf("slot: %w", pkcs11.CKR_PIN_LOCKED) }, pkcs11.CKR_PIN_LOCKED, ""},
		{"other error", func(c *call) { c.err = errors.New("odd") }, pkcs11.CKR_GENERAL_ERROR, ""},
		{"refusal", func(c *call) { c.refuse(pkcs11.CKR_ARGUMENTS_BAD) }, pkcs11.CKR_ARGUMENTS_BAD, ""},
		{"panic", func(*call) { panic("lost") }, pkcs11.CKR_GENERAL_ERROR, "error: C_Test panic: internal error: lost"},
		{"nil", func(*call) { *nowhere = 1 }, pkcs11.CKR_GENERAL_ERROR, "error: C_Test nil: internal error: runtime error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := do(begun("C_Test "+tt.name), tt.work); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			text, err := os.ReadFile(logFile)
			if tt.log != "" && (err != nil || !strings.Contains(string(text), tt.log)) {
				t.Errorf("log is %q, %v; want %q in it", text, err, tt.log)
			}
		})
	}
}

// TestOperation: without its session a call is refused for that alone, and an error of our
// own is told all the same.
func TestOperation(t *testing.T) {
	logFile := start(t)
	refused := sign(begun("C_Test"), func(c *call) { c.refuse(pkcs11.CKR_ARGUMENTS_BAD) })
	if refused != pkcs11.CKR_SESSION_HANDLE_INVALID {
		t.Errorf("refused: got %v", refused)
	}
	lost := sign(begun("C_Test"), func(*call) { panic("lost") })
	if lost != pkcs11.CKR_GENERAL_ERROR {
		t.Errorf("lost: got %v", lost)
	}
	if text, err := os.ReadFile(logFile); err != nil || !strings.Contains(string(text), "error: C_Test: internal error: lost") {
		t.Errorf("log is %q, %v", text, err)
	}
}

// TestRefusedOnce: the first complaint is the answer, and nothing is looked at after it.
func TestRefusedOnce(t *testing.T) {
	start(t)
	c := begun("C_Test")
	c.refuse(pkcs11.CKR_MECHANISM_PARAM_INVALID)
	if mechanism(&c, nil) != nil || required(&c, (*int)(nil)) || sliceOf[byte](&c, new(byte), 1) != nil {
		t.Error("an argument was looked at after another was refused")
	}
	if got := do(c, func(*call) { t.Error("was made") }); got != pkcs11.CKR_MECHANISM_PARAM_INVALID {
		t.Errorf("got %v", got)
	}
}

func TestCallBeforeInitialize(t *testing.T) {
	got := do(begun("C_Test"), func(*call) { t.Error("was made") })
	if got != pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED {
		t.Errorf("got %v", got)
	}
}

func TestTracedCall(t *testing.T) {
	start(t)
	path := filepath.Join(t.TempDir(), "trace")
	tracer, err := trace.NewTracer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	current.Load().tracer = tracer
	do(begun("C_Test", sessionArg(7), flagsArg(6)), func(c *call) { c.err = pkcs11.CKR_PIN_LOCKED })
	do(begun("C_Other"), func(*call) {})
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
	start(t)
	allocations := testing.AllocsPerRun(100, func() { goSign(1, nil, 0, nil, nil) })
	if allocations != 0 {
		t.Errorf("%v allocations a call", allocations)
	}
}

// What a call costs between the entry in C and the provider, which knows no such session.
func BenchmarkCall(b *testing.B) {
	l := &library{log: trace.NewLogger(trace.Error, "stderr")}
	l.provider = pkcs11.New(pkcs11.Options{})
	current.Store(l)
	defer current.Store(nil)
	for b.Loop() {
		goSign(1, nil, 0, nil, nil)
	}
}
