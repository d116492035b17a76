// SPDX-License-Identifier: Apache-2.0

// Package pool has several soft SCMs behind one slot, restored from the same words, and signs with
// them from threads and processes, also while one of them fails.
package pool

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// Variables by which a process is told what to do.
const (
	threadsVariable = "ZK_TEST_THREADS"
	countVariable   = "ZK_TEST_COUNT"
)

func TestMain(m *testing.M) {
	harness.Play(m, map[string]func(string) error{"sign": play})
}

// play signs as often as it is told, with so many threads, and prints its report.
func play(module string) error {
	threads, err := strconv.Atoi(os.Getenv(threadsVariable))
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(os.Getenv(countVariable))
	if err != nil {
		return err
	}
	s, err := openSigner(module)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	var begin string
	if _, err := fmt.Scanln(&begin); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s.run(threads, count))
}
