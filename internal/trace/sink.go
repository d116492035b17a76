// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// program is how the lines are signed.
const program = "libzk_pkcs11"

// standardError is the descriptor, not os.Stderr: that raises SIGPIPE in the host
// when nobody reads it.
type standardError struct{}

func (standardError) Write(b []byte) (int, error) { return descriptor.Write(unix.Stderr, b) }

// sink writes one line of the log.
type sink func(level Level, text string)

func sinkOf(to string) sink {
	switch to {
	case "stderr":
		return func(level Level, text string) { writeLine(standardError{}, level, text) }
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
	f, err := descriptor.Open(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		writeLine(standardError{}, level, fmt.Sprintf("%s (not in the log: %v)", text, err))
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s[%d]: %s: %s\n", time.Now().UTC().Format(time.RFC3339), program, os.Getpid(), level, text)
}

// toSyslog falls back to stderr where no syslog listens.
func toSyslog(level Level, text string) {
	socket, err := dialSyslog()
	if err != nil {
		writeLine(standardError{}, level, text)
		return
	}
	defer socket.Close()
	fmt.Fprintf(socket, "<%d>%s %s[%d]: %s: %s\n",
		priority(level), time.Now().Format(time.Stamp), program, os.Getpid(), level, text)
}

// priority is the level as a syslog has it, in the facility of daemons.
func priority(level Level) int {
	const daemon = 3 << 3
	return daemon | [...]int{Error: 3, Warning: 4, Info: 6, Debug: 7}[level]
}

// dialSyslog connects to the syslog of this machine.
func dialSyslog() (*descriptor.File, error) {
	var err error
	for _, kind := range [...]int{unix.SOCK_DGRAM, unix.SOCK_STREAM} {
		for _, path := range [...]string{"/dev/log", "/var/run/syslog", "/var/run/log"} {
			var socket *descriptor.File
			if socket, err = descriptor.Dial(path, kind); err == nil {
				return socket, nil
			}
		}
	}
	return nil, err
}
