// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// recorder is a sink that keeps the lines, and a clock that stands still.
type recorder struct {
	lines []string
	time  time.Time
}

func (r *recorder) logger(level Level) *Logger {
	l := NewLogger(level, "stderr")
	l.sink = func(level Level, text string) { r.lines = append(r.lines, level.String()+": "+text) }
	l.now = func() time.Time { return r.time }
	return l
}

func TestLevels(t *testing.T) {
	for level := Error; level <= Debug; level++ {
		var r recorder
		l := r.logger(level)
		l.Errorf("a")
		l.Warningf("b %d", 1)
		l.Infof("c")
		l.Debugf("d")
		want := []string{"error: a", "warning: b 1", "info: c", "debug: d"}[:level+1]
		if strings.Join(r.lines, "|") != strings.Join(want, "|") {
			t.Errorf("%v: got %q, want %q", level, r.lines, want)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for level := Error; level <= Debug; level++ {
		if got, err := ParseLevel(level.String()); got != level || err != nil {
			t.Errorf("%v: got %v, %v", level, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("a level of no meaning was accepted")
	}
}

func TestSameLineOnceAMinute(t *testing.T) {
	var r recorder
	l := r.logger(Error)
	for range 100 {
		l.Errorf("again")
	}
	l.Errorf("another")
	r.time = r.time.Add(repeatAfter)
	l.Errorf("again")
	if got := strings.Join(r.lines, "|"); got != "error: again|error: another|error: again" {
		t.Errorf("got %q", got)
	}
}

func TestMemoryOfLinesIsBounded(t *testing.T) {
	var r recorder
	l := r.logger(Error)
	for i := range 10 * remembered {
		l.Errorf("line %d", i)
	}
	if len(l.seen) > remembered {
		t.Errorf("%d lines are remembered", len(l.seen))
	}
	if len(r.lines) != 10*remembered {
		t.Errorf("%d lines were written", len(r.lines))
	}
}

func TestOldLinesAreForgottenFirst(t *testing.T) {
	var r recorder
	l := r.logger(Error)
	for i := range remembered - 1 {
		l.Errorf("old %d", i)
	}
	r.time = r.time.Add(repeatAfter)
	l.Errorf("young")
	l.Errorf("makes room")
	l.Errorf("young")
	if got := r.lines[remembered-1:]; strings.Join(got, "|") != "error: young|error: makes room" {
		t.Errorf("got %q", got)
	}
}

func TestLineBreaksAreTakenOut(t *testing.T) {
	var r recorder
	r.logger(Error).Errorf("label %s", "x\nlibzk_pkcs11: error: forged\x1b[2J")
	if got := r.lines[0]; got != "error: label x libzk_pkcs11: error: forged [2J" {
		t.Errorf("got %q", got)
	}
}

func TestNilLogger(t *testing.T) {
	var l *Logger
	l.Errorf("x") // must not crash
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := NewLogger(Info, path)
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was opened before the first line")
	}
	l.Errorf("one")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Infof("two")
	line := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ libzk_pkcs11\[\d+\]: info: two\n$`)
	text, err := os.ReadFile(path)
	if err != nil || !line.Match(text) {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What cannot be written where it belongs goes to stderr.
func TestStderr(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none", "log")
	for to, why := range map[string]string{"stderr": "", missing: " (not in the log: open " + missing + ": no such file or directory)"} {
		text := stderrOf(t, func() { NewLogger(Warning, to).Warningf("battery low") })
		if text != "libzk_pkcs11: warning: battery low"+why+"\n" {
			t.Errorf("%s: got %q", to, text)
		}
	}
}

// stderrOf returns what f writes to descriptor 2.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old, err := unix.Dup(unix.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(old)
	if err := unix.Dup3(int(file.Fd()), unix.Stderr, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Dup3(old, unix.Stderr, 0)
	f()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLoggerFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := NewLogger(Info, path)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				l.Infof("%s", fmt.Sprint(i, j))
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != 400 {
		t.Errorf("%d lines, %v", strings.Count(string(text), "\n"), err)
	}
}
