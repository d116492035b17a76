// SPDX-License-Identifier: Apache-2.0

// Package fuzz calls the functions of the module at random, over the C boundary,
// with arguments of which many are wrong.
package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

const (
	secondsVariable = "ZK_FUZZ_SECONDS" // how long each test calls, 20 unless set; 300 with ZK_SOAK
	seedVariable    = "ZK_FUZZ_SEED"    // the clock unless set
)

// succeed are functions that must have done something now and then: calls that
// are all refused test little.
var succeed = []string{
	"C_OpenSession", "C_Logout", "C_CreateObject", "C_CopyObject", "C_DestroyObject", "C_GetAttributeValue", "C_SetAttributeValue",
	"C_FindObjects", "C_Digest", "C_DigestFinal", "C_SignInit", "C_Sign", "C_VerifyInit", "C_GenerateKey", "C_GenerateKeyPair", "C_DeriveKey",
	"C_GenerateRandom", "C_GetOperationState", "C_SetOperationState",
}

// TestOneThread calls every function, C_Initialize and C_Finalize included.
func TestOneThread(t *testing.T) {
	t.Parallel()
	run(t, 1, usual())
}

// TestThreads has four threads share sessions and objects, and log each other
// out.
func TestThreads(t *testing.T) {
	t.Parallel()
	run(t, 4, usual())
}

// TestBadThreads has pointers that lead nowhere in half of the calls.
func TestBadThreads(t *testing.T) {
	t.Parallel()
	run(t, 4, usual()/2, "bad")
}

func run(t *testing.T, threads, usual int, mode ...string) {
	harness.Need(t, "cc")
	program := harness.Compile(t, "testdata/fuzz.c", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
	seconds, seed := number(t, secondsVariable, usual), number(t, seedVariable, int(time.Now().UnixNano()>>10&0xffffff))
	t.Logf("%s=%d", seedVariable, seed)
	home := harness.NewHome(t)
	home.Set("ASAN_OPTIONS", "detect_leaks=0") // the Go runtime looks like one
	journal, log := filepath.Join(t.TempDir(), "journal"), filepath.Join(t.TempDir(), "log")
	home.Settings("log.to = \"" + log + "\"\nlog.level = \"info\"\n")
	args := append([]string{harness.Module(t), fmt.Sprint(seconds), fmt.Sprint(seed), fmt.Sprint(threads), journal}, mode...)
	out, err := output(t, home, time.Duration(seconds)*time.Second, program, args...)
	if err != nil {
		t.Fatalf("%v\n%s\nThe latest calls:\n%s", err, complaints(out), latest(t, journal))
	}
	if mode == nil {
		check(t, out, threads)
		checkTouches(t, log)
	}
}

// checkTouches looks in the module's log for what only a touch beyond a buffer of the caller makes.
func checkTouches(t *testing.T, log string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "a pointer of the caller leads to where") || strings.Contains(line, "internal error") {
			t.Error(line)
		}
	}
}

// output runs the program, which must end not long after its time.
func output(t *testing.T, home *harness.Home, wanted time.Duration, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wanted+8*time.Minute)
	defer cancel()
	cmd := home.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it hangs: %w", ctx.Err())
	}
	return out.String(), err
}

// latest are the calls that were under way.
func latest(t *testing.T, journal string) string {
	t.Helper()
	text, err := os.ReadFile(journal)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for part := range strings.SplitSeq(string(text), "\x00") {
		if strings.HasPrefix(part, "thread ") {
			lines = append(lines, part)
		}
	}
	return strings.Join(lines, "\n")
}

// complaints is what the program and the module printed, without the counts.
func complaints(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "C_") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// check reads the counts: every function was called that can be called then.
func check(t *testing.T, out string, threads int) {
	t.Helper()
	done, total := map[string]int{}, 0
	for line := range strings.Lines(out) {
		var name string
		var calls, ok int
		if n, _ := fmt.Sscanf(line, "%s %d %d", &name, &calls, &ok); n != 3 || !strings.HasPrefix(name, "C_") {
			continue
		}
		if calls == 0 && threads == 1 {
			t.Errorf("%s was never called", name)
		}
		done[name], total = ok, total+calls
	}
	for _, name := range succeed {
		if done[name] == 0 {
			t.Errorf("%s never did anything", name)
		}
	}
	t.Logf("%d calls of %d functions", total, len(done))
}

// usual is how many seconds are enough, at every change and in a long run.
func usual() int {
	if os.Getenv("ZK_SOAK") != "" {
		return 300
	}
	return 40 // some functions are called once in ten thousand calls
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
