// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
)

// Exit codes of all commands but "doctor", which tells by them how bad its findings are, and "check",
// which has those of monitoring plugins.
const (
	exitFailed  = 1 // what was wanted could not be done
	exitUsage   = 2 // the command line is wrong; nothing was done
	exitRefused = 3 // not confirmed: --yes is missing, or the answer was no; nothing was done
	exitPartly  = 4 // some of it did not come over, what "import" alone ends with
)

// ending is an error that decides the exit code. Without a cause everything has been said.
type ending struct {
	code  int
	cause error
}

func (e *ending) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e *ending) Unwrap() error { return e.cause }

// usagef makes the error of a command line that is wrong.
func usagef(format string, args ...any) error {
	return &ending{exitUsage, fmt.Errorf(format, args...)}
}

// refusedf makes the error of what was not confirmed.
func refusedf(format string, args ...any) error {
	return &ending{exitRefused, fmt.Errorf(format, args...)}
}

// silently ends the tool with a code and without a further word.
func silently(code int) error { return &ending{code, nil} }

// exitCode returns how the tool ends after an error.
func exitCode(err error) int {
	var e *ending
	if errors.As(err, &e) {
		return e.code
	}
	return exitFailed
}
