// SPDX-License-Identifier: Apache-2.0

// Package faults lets everything go wrong with an SCM while processes use it
// through PKCS#11.
package faults

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"
)

// The tests start their own program again, which then plays the role that
// roleVariable names with the module of moduleVariable.
const (
	roleVariable   = "ZK_TEST_ROLE"
	moduleVariable = "ZK_TEST_MODULE"
)

// roles use the module and report when they are asked to, until the questions end.
var roles = map[string]func(c *client, questions <-chan struct{}) error{
	"sign":  sign,
	"fill":  fill,
	"empty": empty,
}

func TestMain(m *testing.M) {
	role, play := roles[os.Getenv(roleVariable)]
	if !play {
		os.Exit(m.Run())
	}
	if err := role(newClient(os.Getenv(moduleVariable)), lines(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
