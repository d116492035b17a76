// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/pkcs11"
)

// TestVersion010: a token of version 0.1.0 takes the SCM that it is found with at the first
// login, and no other one from then on. That there is an SCM it knows before.
func TestVersion010(t *testing.T) {
	old := "../store/testdata/version-0.1.0"
	for _, name := range needed {
		dir := filepath.Join(t.TempDir(), "token")
		copyTo(t, dir, old)
		remove(t, dir, name)
		if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
			t.Errorf("without %s: %v, want CKR_DEVICE_ERROR", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "token")
	copyTo(t, dir, old)
	for range 2 {
		p := start(t, dir, "")
		p.must("enter", p.enter())
		if lines := p.log.only(""); len(lines) != 0 {
			t.Errorf("logged %q", lines)
		}
		p.end()
	}
	other, _ := made(t, "")
	take(t, dir, other, "flash.db*")
	if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("with another SCM: %v, want CKR_DEVICE_ERROR", err)
	}
}

// TestVendorLibrary: it makes no SCM beside a token that belongs to one either.
func TestVendorLibrary(t *testing.T) {
	dir, _ := made(t, "")
	remove(t, dir, "flash.db*")
	before := names(t, dir)
	if d, err := softIn(t, dir); !errors.Is(err, scm.ErrForeign) {
		d.Close()
		t.Errorf("%v, want ErrForeign", err)
	}
	if after := names(t, dir); !slices.Equal(after, before) {
		t.Errorf("there was %q, now there is %q", before, after)
	}
	d, err := softIn(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

// TestReset: an SCM that its administrator has reset has other keys. The token is to be
// initialised, by its SO.
func TestReset(t *testing.T) {
	dir, _ := made(t, "")
	d, err := softIn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Reset(), d.Close()); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir, "")
	if err := p.enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("login: %v, want CKR_DEVICE_ERROR", err)
	}
	if lines := p.log.only("error"); len(lines) != 1 || !strings.Contains(lines[0], "was reset") {
		t.Errorf("logged %q", lines)
	}
	p.must("CloseSession", p.CloseSession(p.session))
	if err := p.InitToken(0, pairUser, []byte("token")); err != pkcs11.CKR_PIN_INCORRECT {
		t.Errorf("InitToken with a wrong PIN: %v", err)
	}
	p.initialise()
	p.furnish()
}

// TestForged: a flash with the serial number and the bond of the token's own does not do
// when it needs no secret.
func TestForged(t *testing.T) {
	dir, _ := made(t, "")
	flash := filepath.Join(dir, "flash.db")
	serial, bond := query(t, flash, "SELECT serial FROM scm"), query(t, flash, "SELECT hex(bond) FROM scm")
	blank := t.TempDir()
	d, err := softIn(t, blank)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	change(t, filepath.Join(blank, "flash.db"), fmt.Sprintf("UPDATE scm SET serial = '%s', bond = x'%s'", serial, bond))
	take(t, dir, blank, "flash.db*")
	copyFile(t, dir, blank, "root.key")
	p := start(t, dir, "")
	if err := p.enter(); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("a flash that was forged: %v, want CKR_DEVICE_ERROR", err)
	}
	p.end()
	for _, statement := range []string{"UPDATE token SET open = 1", "UPDATE token SET mate = 'another'"} {
		dir, _ := made(t, "")
		change(t, filepath.Join(dir, "token.db"), statement)
		if err := start(t, dir, "").enter(); err != pkcs11.CKR_DEVICE_ERROR {
			t.Errorf("%s: %v, want CKR_DEVICE_ERROR", statement, err)
		}
	}
}

func query(t *testing.T, path, statement string) (text string) {
	t.Helper()
	with(t, path, func(db *sql.DB) error { return db.QueryRow(statement).Scan(&text) })
	return text
}

func change(t *testing.T, path, statement string) {
	t.Helper()
	with(t, path, func(db *sql.DB) error {
		_, err := db.Exec(statement)
		return err
	})
}

func with(t *testing.T, path string, do func(*sql.DB) error) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestOlderCopy: a copy of one half from the past is told of once, and the token can be
// used. A copy of everything looks like what it was.
func TestOlderCopy(t *testing.T) {
	dir, public := made(t, "")
	p := start(t, dir, "")
	p.must("use", p.use(public))
	p.end()
	past := filepath.Join(t.TempDir(), "past")
	copyTo(t, past, dir)
	p = start(t, dir, "")
	p.furnish()
	p.end()
	p = start(t, dir, "")
	p.furnish()
	p.end()
	for name, tt := range map[string]struct {
		files []string
		line  string
	}{
		"records":            {[]string{"token.db*"}, "token.db is an older copy"},
		"flash":              {[]string{"flash.db*"}, "(flash.db) is an older copy"},
		"records and counts": {[]string{"token.*"}, "token.db is an older copy"},
		"flash and counts":   {[]string{"flash.db*", "token.pins"}, "(flash.db) is an older copy"},
		"both":               {[]string{"token.*", "flash.db*"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			take(t, here, past, tt.files...)
			for time := range 2 {
				p := start(t, here, "")
				p.must("enter", p.enter())
				p.end()
				lines := p.log.only("warning")
				if tt.line == "" || time > 0 {
					if len(lines) != 0 {
						t.Errorf("logged %q", lines)
					}
				} else if len(lines) != 1 || !strings.Contains(lines[0], tt.line) {
					t.Errorf("logged %q, want one line with %q", lines, tt.line)
				}
			}
		})
	}
}

// TestLostCounts: nobody gets ten more tries for a file that he has removed or exchanged.
func TestLostCounts(t *testing.T) {
	dir, public := made(t, "")
	other, _ := made(t, "")
	for name, harm := range map[string]func(t *testing.T, dir string){
		"removed":   func(t *testing.T, dir string) { remove(t, dir, "token.pins") },
		"exchanged": func(t *testing.T, dir string) { take(t, dir, other, "token.pins") },
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			harm(t, here)
			p := start(t, here, "")
			p.must("the right PIN", p.use(public))
			p.end()
			if lines := p.log.only(""); len(lines) != 1 || !strings.Contains(lines[0], "one try is left") {
				t.Errorf("logged %q", lines)
			}
			harm(t, here)
			p = start(t, here, "")
			h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
			p.must("OpenSession", err)
			info, err := p.GetTokenInfo(0)
			p.must("GetTokenInfo", err)
			if info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY == 0 {
				t.Errorf("flags %x do not tell that it is the last try", info.Flags)
			}
			if err := p.Login(h, pkcs11.CKU_USER, []byte("wrong")); err != pkcs11.CKR_PIN_INCORRECT {
				t.Errorf("a wrong PIN: %v", err)
			}
			if err := p.Login(h, pkcs11.CKU_USER, pairUser); err != pkcs11.CKR_PIN_LOCKED {
				t.Errorf("then the right one: %v, want CKR_PIN_LOCKED", err)
			}
		})
	}
}
