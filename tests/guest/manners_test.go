// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/tests/harness"
)

func TestManners(t *testing.T) {
	program := compile(t, "manners")
	for _, scenario := range []string{"sigpipe", "sigsegv", "sigprof", "unload", "exit"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			silent(t, newToken(t), program, scenario)
		})
	}
}

func TestInitializeOpensNothing(t *testing.T) {
	home := harness.NewHome(t) // empty, and to stay so
	t.Log(home.Run(compile(t, "manners"), harness.Module(t), "lazy"))
}

func TestSetenvAfterLoading(t *testing.T) {
	silent(t, harness.NewHome(t), compile(t, "manners"), "setenv")
}

// TestAbsentDevice says nothing about an SCM that is not there, in programs that
// load every module of the system.
func TestAbsentDevice(t *testing.T) {
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_BACKEND", "zymbit")
	home.Set("ZK_APP_UTILS_LIB", filepath.Join(home.Dir, "none.so"))
	silent(t, home, compile(t, "manners"), "absent")
}

// TestTwoCopies loads two files with the module in them into one process.
func TestTwoCopies(t *testing.T) {
	home := newToken(t)
	image, err := os.ReadFile(harness.Module(t))
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "second.so")
	if err := os.WriteFile(second, image, 0o600); err != nil {
		t.Fatal(err)
	}
	silent(t, home, compile(t, "twins"), "use", second)
	integrity(t, home)
}

// integrity has SQLite check its files.
func integrity(t *testing.T, home *harness.Home) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home.Dir, "*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		db, err := sql.Open("sqlite3", "file:"+file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var answer string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
			t.Errorf("%s: %v %s", file, err, strings.TrimSpace(answer))
		}
	}
}
