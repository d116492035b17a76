// SPDX-License-Identifier: Apache-2.0

// Package faults lets everything go wrong with an SCM while processes use it
// through PKCS#11.
package faults

import (
	"bufio"
	"io"
	"os"
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestMain(m *testing.M) {
	harness.Play(m, map[string]func(string) error{
		"sign":  func(module string) error { return sign(newClient(module), lines(os.Stdin)) },
		"fill":  func(module string) error { return fill(newClient(module)) },
		"empty": func(module string) error { return empty(newClient(module)) },
	})
}

// lines tells of each line that comes in, and of the end.
func lines(r io.Reader) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for s := bufio.NewScanner(r); s.Scan(); {
			c <- struct{}{}
		}
	}()
	return c
}
