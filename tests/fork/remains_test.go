// SPDX-License-Identifier: Apache-2.0

package fork_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/tests/harness"
)

const secretSize = 32

// TestRemains looks for the token's secret, which opens every key of the token, in the
// memory of workers that never log in. That is what docs/adr/0022 decides the default by:
// with "strict" it is not there, with "inherit" it is, in the one place that it was left in.
func TestRemains(t *testing.T) {
	program := harness.Compile(t, "testdata/remains.c")
	for setting, want := range map[string]int{"strict": 0, "inherit": 1} {
		t.Run(setting, func(t *testing.T) {
			harness.NeedCleaning(t)
			home := newParent(t, setting)
			memory := memoryOfWorker(t, home, program)
			found := count(memory, fingerprint(t, home.Dir))
			t.Logf("the token's secret is %d times in %d kB of the worker", found, len(memory)>>10)
			if found != want {
				t.Errorf("want %d", want)
			}
		})
	}
}

func memoryOfWorker(t *testing.T, home *harness.Home, program string) []byte {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := home.Command(program, harness.Module(t), "worker")
	cmd.ExtraFiles = []*os.File{file}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	memory, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return memory
}

// count tells how often a secret of the fingerprint is in memory.
func count(memory, fingerprint []byte) int {
	n := 0
	for ; len(memory) >= secretSize; memory = memory[8:] {
		window := memory[:secretSize]
		if bytes.Count(window, []byte{0}) > 4 {
			continue // no random number
		}
		key, err := hkdf.Key(sha256.New, window, nil, "libzk_pkcs11 fingerprint", secretSize)
		if err == nil && bytes.Equal(key, fingerprint) {
			n++
		}
	}
	return n
}

// fingerprint is by what the token's file knows the secret.
func fingerprint(t *testing.T, dir string) (f []byte) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "token.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT secret_fingerprint FROM token").Scan(&f); err != nil || len(f) != secretSize {
		t.Fatal(err, len(f))
	}
	return f
}
