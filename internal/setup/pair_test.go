// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/pkcs11"
)

// harms are what happens to a file, with the same file of another token.
var harms = map[string]func(path, other string) error{
	"deleted": func(path, _ string) error { return os.Remove(path) },
	"emptied": func(path, _ string) error { return os.Truncate(path, 0) },
	"exchanged": func(path, other string) error {
		content, err := os.ReadFile(other)
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(path), os.WriteFile(path, content, 0o600))
	},
}

// needed are the files without which nothing works.
var needed = []string{"flash.db", "token.db"}

// TestEachFile has each file of a token alone deleted, emptied and exchanged for that of
// another token, and put back. Meanwhile the token works or it says that it does not,
// and signs with no other key. Afterwards it works as before.
func TestEachFile(t *testing.T) {
	for settings, some := range map[string][]string{"": nil, `soft.seal = "device"`: {"flash.db", "flash.db-wal", "token.db", "root.key"}} {
		dir, public := made(t, settings)
		other, _ := made(t, settings)
		for _, name := range names(t, dir) {
			if some != nil && !slices.Contains(some, name) {
				continue
			}
			for harm, do := range harms {
				t.Run(settings+"/"+name+"/"+harm, func(t *testing.T) { testHarm(t, dir, other, name, settings, public, do) })
			}
		}
	}
}

func testHarm(t *testing.T, dir, other, name, settings string, public *ecdsa.PublicKey, do func(path, other string) error) {
	here := filepath.Join(t.TempDir(), "token")
	copyTo(t, here, dir)
	path := filepath.Join(here, name)
	if err := do(path, filepath.Join(other, name)); err != nil {
		t.Fatal(err)
	}
	p := start(t, here, settings)
	err := p.use(public)
	p.end()
	switch {
	case errors.Is(err, errWrong):
		t.Fatal(err)
	case slices.Contains(needed, name) && err != pkcs11.CKR_DEVICE_ERROR:
		t.Errorf("%v, want CKR_DEVICE_ERROR", err)
	case err != nil && len(p.log.only("error")) != 1:
		t.Errorf("%v: logged %q, want one line", err, p.log.list)
	}
	copyFile(t, here, dir, name)
	p = start(t, here, settings)
	if err := p.use(public); err != nil {
		t.Errorf("after %s was put back: %v, %q", name, err, p.log.list)
	}
	if name != "token.pins" && len(p.log.list) > 0 {
		t.Errorf("after %s was put back: logged %q", name, p.log.list)
	}
}

// TestHalfMissing: with all that belongs to one of both gone, or another token's, nothing
// is made anew. One line says what to do.
func TestHalfMissing(t *testing.T) {
	dir, public := made(t, "")
	other, _ := made(t, "")
	blank := t.TempDir()
	p := start(t, blank, "")
	if _, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil { // which makes it
		t.Fatal(err)
	}
	p.end()
	for name, tt := range map[string]struct {
		harm func(t *testing.T, dir string)
		line string
	}{
		"flash removed":   {func(t *testing.T, dir string) { remove(t, dir, "flash.db*") }, "flash.db: file is missing or empty"},
		"token removed":   {func(t *testing.T, dir string) { remove(t, dir, "token.*") }, "token.db: file is missing or empty"},
		"flash exchanged": {func(t *testing.T, dir string) { take(t, dir, other, "flash.db*") }, "put back what was exchanged"},
		"token exchanged": {func(t *testing.T, dir string) { take(t, dir, other, "token.*") }, "put back what was exchanged"},
		"flash new":       {func(t *testing.T, dir string) { take(t, dir, blank, "flash.db*"); copyFile(t, dir, blank, "root.key") }, "put back what was exchanged"},
		"token new":       {func(t *testing.T, dir string) { take(t, dir, blank, "token.*") }, "put its token.db back"},
	} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "token")
			copyTo(t, here, dir)
			tt.harm(t, here)
			before := names(t, here)
			p := start(t, here, "")
			for range 2 {
				if err := p.use(public); err != pkcs11.CKR_DEVICE_ERROR {
					t.Errorf("%v, want CKR_DEVICE_ERROR", err)
				}
				if err := p.InitToken(0, pairSO, []byte("token")); err != pkcs11.CKR_DEVICE_ERROR {
					t.Errorf("InitToken: %v, want CKR_DEVICE_ERROR", err)
				}
			}
			var slots uint
			p.must("GetSlotList", p.GetSlotListWithToken(pkcs11.Output[uint]{Length: &slots}))
			if slots != 0 {
				t.Error("a caller who asks is told that there is a token")
			}
			p.end()
			if lines := p.log.only(""); len(lines) != 1 || !strings.HasPrefix(lines[0], "error") || !strings.Contains(lines[0], tt.line) {
				t.Errorf("logged %q, want one line with %q", lines, tt.line)
			}
			if after := names(t, here); !slices.Equal(after, before) {
				t.Errorf("there was %q, now there is %q", before, after)
			}
			for _, name := range names(t, dir) {
				copyFile(t, here, dir, name)
			}
			if err := start(t, here, "").use(public); err != nil {
				t.Errorf("after all was put back: %v", err)
			}
		})
	}
}

// TestBeginAnew: an administrator who gives the keys up moves the other files away, too.
func TestBeginAnew(t *testing.T) {
	dir, public := made(t, "")
	remove(t, dir, "flash.db", "token.db")
	p := start(t, dir, "")
	p.initialise()
	p.must("use", p.enter())
	if err := p.sign(public); err == nil {
		t.Error("the old key is there")
	}
	if lines := p.log.only("error"); len(lines) != 0 {
		t.Errorf("logged %q", lines)
	}
}

// TestNeverInitialised: as long as nobody has set a PIN nothing belongs to anything.
func TestNeverInitialised(t *testing.T) {
	for _, name := range []string{"flash.db", "token.db"} {
		dir := t.TempDir()
		p := start(t, dir, "")
		if _, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil { // which makes it
			t.Fatal(err)
		}
		p.end()
		remove(t, dir, name)
		p = start(t, dir, "")
		p.initialise()
		p.must("enter without "+name, p.enter())
	}
}

// TestOtherSlots: a token that is damaged keeps nobody from another.
func TestOtherSlots(t *testing.T) {
	dir := t.TempDir()
	settings := fmt.Sprintf("state = %q\n[[slot]]\nname = \"a\"\n[[slot]]\nname = \"b\"\n", dir)
	p := start(t, dir, settings)
	p.initialise()
	p.end()
	remove(t, filepath.Join(dir, "a"), "flash.db")
	p = start(t, dir, settings)
	ids, n := make([]uint, 2), uint(2)
	p.must("GetSlotList", p.GetSlotListWithToken(pkcs11.Output[uint]{Buffer: ids, Length: &n}))
	if n != 1 || ids[0] != 1 {
		t.Errorf("%d slots have a token: %v", n, ids)
	}
	if _, err := p.GetTokenInfo(0); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("GetTokenInfo: %v", err)
	}
	if _, err := p.OpenSession(1, pkcs11.CKF_SERIAL_SESSION); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

// TestMadeMeanwhile: a process that found no soft SCM takes the one that another has made
// since, together with a token that it has initialised.
func TestMadeMeanwhile(t *testing.T) {
	dir, _ := made(t, "")
	c, err := config.Source{File: "/f", State: dir}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	o := opener{settings: c, slot: c.Slots[0]}
	options := soft.Options{Settings: c.Soft, Mode: 0o600, Group: -1, Existing: true}
	d, err := o.makeSoft(access{file: 0o600, group: -1}, options, scm.ErrNone)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	remove(t, dir, "flash.db*")
	if d, err = o.makeSoft(access{file: 0o600, group: -1}, options, scm.ErrNone); !errors.Is(err, scm.ErrForeign) {
		d.Close()
		t.Errorf("of a flash that is gone: %v, want ErrForeign", err)
	}
}

// TestLogBesideLostFlash: a token whose log is another's is told of without being opened,
// also where the SCM is gone, too.
func TestLogBesideLostFlash(t *testing.T) {
	dir, public := made(t, "")
	other, _ := made(t, "")
	here := filepath.Join(t.TempDir(), "token")
	copyTo(t, here, dir)
	remove(t, here, "flash.db*")
	copyFile(t, here, other, "token.db-wal")
	p := start(t, here, "")
	if err := p.use(public); err != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("%v, want CKR_DEVICE_ERROR", err)
	}
	if lines := p.log.only("error"); len(lines) != 1 || !strings.Contains(lines[0], "token.db or its log, whichever was exchanged") {
		t.Errorf("logged %q", lines)
	}
}
