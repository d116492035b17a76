// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"io"
	"log/syslog"
	"os"
	"time"
)

// program is how the lines are signed.
const program = "libzk_pkcs11"

// sink writes one line of the log.
type sink func(level Level, text string)

func sinkOf(to string) sink {
	switch to {
	case "stderr":
		return func(level Level, text string) { writeLine(os.Stderr, level, text) }
	case "syslog":
		return toSyslog
	}
	return func(level Level, text string) { toFile(to, level, text) }
}

func writeLine(w io.Writer, level Level, text string) {
	fmt.Fprintf(w, "%s: %s: %s\n", program, level, text)
}

// toFile opens the file anew for each line: lines are rare, and a file that was
// rotated away is not written to any more.
func toFile(path string, level Level, text string) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		writeLine(os.Stderr, level, fmt.Sprintf("%s (not in the log: %v)", text, err))
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s[%d]: %s: %s\n", time.Now().UTC().Format(time.RFC3339), program, os.Getpid(), level, text)
}

// toSyslog falls back to stderr where no syslog listens.
func toSyslog(level Level, text string) {
	priority := [...]syslog.Priority{syslog.LOG_ERR, syslog.LOG_WARNING, syslog.LOG_INFO, syslog.LOG_DEBUG}[level]
	w, err := syslog.New(syslog.LOG_DAEMON|priority, program)
	if err != nil {
		writeLine(os.Stderr, level, text)
		return
	}
	defer w.Close()
	fmt.Fprintf(w, "%s: %s", level, text)
}
