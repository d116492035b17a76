// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestBrokenFile has the first call after C_Initialize, which reads the settings, fail with one
// line that says where.
func TestBrokenFile(t *testing.T) {
	for name, c := range map[string]struct{ text, line string }{
		"not TOML":               {"backend = \"soft\"\nlevel = = 1\n", ":2: "},
		"an unknown setting":     {"backend = \"soft\"\n\nno_such_setting = 1\n", ":3: "},
		"an unknown value":       {"backend = \"hard\"\n", ":1: "},
		"a setting of no string": {"# a comment\nec_point = true\n", ":2: "},
		"an unknown table":       {"[nothing]\nx = \"y\"\n", ":1: "},
		"binary":                 {"\x00\xff\xfe", ":1: "},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "zk.toml")
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			home := harness.NewHome(t)
			home.Set("ZK_PKCS11_CONF", file)
			out, stderr := newActor(t, home, "begin").play(t)
			if want := pkcs11.Error(pkcs11.CKR_GENERAL_ERROR).Error(); out != want {
				t.Errorf("C_GetSlotList: %s, want %s", out, want)
			}
			if !strings.Contains(stderr, file+c.line) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("the log is %q, want one line with %s%s", stderr, file, c.line)
			}
		})
	}
}

// TestMissingFile names a file that is not there.
func TestMissingFile(t *testing.T) {
	home := harness.NewHome(t)
	file := filepath.Join(home.Dir, "missing.toml")
	home.Set("ZK_PKCS11_CONF", file)
	out, stderr := newActor(t, home, "begin").play(t)
	if want := pkcs11.Error(pkcs11.CKR_GENERAL_ERROR).Error(); out != want {
		t.Errorf("C_GetSlotList: %s, want %s", out, want)
	}
	if !strings.Contains(stderr, file) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("the log is %q, want one line with %s", stderr, file)
	}
}

// TestReadOnlyState lets a user work with a token whose folder is another's. A
// R/W session is allowed: many programs open no other, and only want to sign.
func TestReadOnlyState(t *testing.T) {
	needRoot(t)
	home := harness.NewHome(t)
	home.Init()
	if err := filepath.WalkDir(home.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o755)
	}); err != nil {
		t.Fatal(err)
	}
	a := newActor(t, home, "look")
	a.asNobody(t)
	out, stderr := a.play(t)
	refusal := pkcs11.Error(pkcs11.CKR_TOKEN_WRITE_PROTECTED).Error()
	want := "write-protected true, 16 keys, signature of 64 bytes, C_CreateObject: " + refusal + ", R/O: " + refusal
	if out != want {
		t.Errorf("%s\nwant %s", out, want)
	}
	if !strings.Contains(stderr, home.Dir) {
		t.Errorf("the log is %q, want a line with %s", stderr, home.Dir)
	}
}

// TestNoState has no folder for the state, and cannot make one: the slot is
// there, the token is not.
func TestNoState(t *testing.T) {
	needRoot(t)
	home := harness.NewHome(t)
	dir := filepath.Join(readable(t), "state")
	home.Set("ZK_PKCS11_HOME", dir)
	a := newActor(t, home, "slots")
	a.asNobody(t)
	out, stderr := a.play(t)
	if out != "1 slot, 0 with a token" {
		t.Error(out)
	}
	if !strings.Contains(stderr, dir) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("the log is %q, want one line with %s", stderr, dir)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
}
