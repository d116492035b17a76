// SPDX-License-Identifier: Apache-2.0

// Package trace tells people what happens inside the module: [Logger] writes a
// line for each problem, [Tracer] a line for each call.
//
// Neither keeps a secret out of a line by filtering. Callers of Logger write
// none, and Tracer takes numbers and names only.
package trace

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// The same line is written once in repeatAfter. At most remembered lines are
// kept in mind for that.
const (
	repeatAfter = time.Minute
	remembered  = 256
)

// Logger writes a line for each problem. Its methods may be called from any
// number of goroutines, and on a nil Logger, which discards everything.
type Logger struct {
	level Level
	sink  sink
	now   func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time
}

// NewLogger returns a logger of lines up to level that writes to "stderr",
// "syslog" or the file of path to. Nothing is opened before the first line, and
// nothing stays open after one.
func NewLogger(level Level, to string) *Logger {
	return &Logger{level: level, sink: sinkOf(to), now: time.Now, seen: map[string]time.Time{}}
}

// Errorf logs what made a call fail.
func (l *Logger) Errorf(format string, args ...any) { l.log(Error, format, args) }

// Warningf logs what an operator should look at, although calls succeed.
func (l *Logger) Warningf(format string, args ...any) { l.log(Warning, format, args) }

// Infof logs what is good to know once.
func (l *Logger) Infof(format string, args ...any) { l.log(Info, format, args) }

// Debugf logs what helps to find a mistake.
func (l *Logger) Debugf(format string, args ...any) { l.log(Debug, format, args) }

func (l *Logger) log(level Level, format string, args []any) {
	if l == nil || level > l.level {
		return
	}
	text := oneLine(fmt.Sprintf(format, args...))
	if l.fresh(text) {
		l.sink(level, text)
	}
}

// fresh reports whether text was not written lately, and remembers it.
func (l *Logger) fresh(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if last, ok := l.seen[text]; ok && now.Sub(last) < repeatAfter {
		return false
	}
	if len(l.seen) >= remembered {
		l.forget(now)
	}
	l.seen[text] = now
	return true
}

// forget makes room: what is old goes, and everything if nothing is old.
func (l *Logger) forget(now time.Time) {
	for text, last := range l.seen {
		if now.Sub(last) >= repeatAfter {
			delete(l.seen, text)
		}
	}
	if len(l.seen) >= remembered {
		clear(l.seen)
	}
}

// oneLine keeps what came from outside, such as a label or a path, from
// forging lines or driving a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
