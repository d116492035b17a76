// SPDX-License-Identifier: Apache-2.0

// Package backup_test takes backups of tokens that are in use, and puts them back.
package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

func TestMain(m *testing.M) { harness.Play(m, map[string]func(string) error{"write": write}) }

// attr is a shorter pkcs11.NewAttribute.
func attr(kind uint, v any) *pkcs11.Attribute { return pkcs11.NewAttribute(kind, v) }

// tool is zk_pkcs11-util on the token of a home.
type tool struct {
	t    *testing.T
	home *harness.Home
}

func (x *tool) must(args ...string) string {
	x.t.Helper()
	return x.home.Run(harness.Build(x.t, "zk_pkcs11-util"), args...)
}

// fails runs the tool, which must end badly and say why.
func (x *tool) fails(why string, args ...string) {
	x.t.Helper()
	out, err := x.home.Try(harness.Build(x.t, "zk_pkcs11-util"), args...)
	if err == nil || !strings.Contains(out, why) {
		x.t.Errorf("%q: %v, %q, want %q", args, err, out, why)
	}
}

func (x *tool) backUp() (file string) {
	x.t.Helper()
	file = filepath.Join(x.t.TempDir(), "backup")
	if out := x.must("token", "backup", file, "--pin", harness.UserPIN); !strings.Contains(out, `The token "`+harness.Label+`" of the SCM`) {
		x.t.Errorf("backup: %q", out)
	}
	return file
}

// restore puts a backup back, and returns where the directory of before is.
func (x *tool) restore(file string) (old string) {
	x.t.Helper()
	out := x.must("token", "restore", file, "--pin", harness.UserPIN)
	_, rest, _ := strings.Cut(out, "What was there before is in ")
	old, _, _ = strings.Cut(rest, ", with its keys")
	if old != "" {
		x.t.Cleanup(func() { os.RemoveAll(old) })
	}
	return old
}

// serial is the serial number of the SCM.
func (x *tool) serial() string {
	x.t.Helper()
	_, rest, _ := strings.Cut(x.must("scm", "status"), "Serial")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

// newTool is a token that is ready.
func newTool(t *testing.T) *tool {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	return &tool{t, home}
}

// pair makes a key pair in a slot.
func pair(k *pkcs11.Ctx, session pkcs11.SessionHandle, label string) error {
	id := attr(pkcs11.CKA_ID, []byte(label))
	named := []*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, label), id}
	curve := attr(pkcs11.CKA_EC_PARAMS, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
	_, _, err := k.GenerateKeyPair(session, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), append(named, curve), named)
	return err
}

// TestRestoreUnderProcess: a process that has the token open, and a user logged in, goes on with what was put back.
func TestRestoreUnderProcess(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	k := live.Load(t, x.home)
	session := k.User()
	k.OK(pair(k.Ctx, session, "early"))
	file := x.backUp()
	k.OK(pair(k.Ctx, session, "late"))
	k.OK(k.DestroyObject(session, k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_LABEL, "early"))))
	old := x.restore(file)
	if _, err := os.Stat(filepath.Join(old, "token.db")); err != nil {
		t.Errorf("the directory of before: %v", err)
	}
	if n := len(k.Find(session, attr(pkcs11.CKA_LABEL, "late"))); n != 0 {
		t.Errorf("%d objects of after the backup", n)
	}
	private := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_LABEL, "early"))
	public := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_LABEL, "early"))
	data := bytes.Repeat([]byte{1}, 32)
	k.OK(k.Verified(session, pkcs11.CKM_ECDSA, public, data, k.Signed(session, pkcs11.CKM_ECDSA, private, data)))
	k.OK(pair(k.Ctx, session, "later"))
	for i := range 2 {
		out := x.home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--list-objects")
		warned := strings.Contains(out, "warning") // the first may: the process knew more of the SCM than there is now
		if !strings.Contains(out, "later") || strings.Contains(out, "error") || i > 0 && warned {
			t.Errorf("another process finds %s", out)
		}
	}
}

// TestRestoreKilled kills the tool while it restores, after calls that write, cut or sync files: at points that are spread over it, with
// ZK_SOAK after each. The token is as it was before, or as in the backup.
func TestRestoreKilled(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	file := x.backUp()
	preload := harness.Compile(t, "../sharing/testdata/dies.c", "-shared", "-fPIC")
	stride := 4
	if os.Getenv("ZK_SOAK") != "" {
		stride = 1
	}
	victim, kills := *x.home, 0
	for name, value := range map[string]string{"LD_PRELOAD": preload, "DIES_IN": x.home.Dir, "DIES_TOLD": os.DevNull} {
		victim.Set(name, value)
	}
	for after := 1; ; after += stride {
		dying := victim
		dying.Set("DIES_AFTER", fmt.Sprint(after))
		_, err := dying.Try(harness.Build(t, "zk_pkcs11-util"), "token", "restore", file, "--pin", harness.UserPIN)
		left, globbed := filepath.Glob(x.home.Dir + ".*")
		if globbed != nil {
			t.Fatal(globbed)
		}
		for _, dir := range left {
			os.RemoveAll(dir)
		}
		x.backUp() // with a login
		if err == nil {
			break
		}
		kills++
	}
	t.Logf("%d kills", kills)
	if kills == 0 {
		t.Error("it was never killed")
	}
}

// TestRestoreFinishes: a restore brings to its end what was left of one that was killed after the exchange: what is not the token's is
// taken from the directory of before, which it names.
func TestRestoreFinishes(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	file := x.backUp()
	left := x.home.Dir + ".new-123"
	for _, err := range []error{
		os.Mkdir(left, 0o700), os.WriteFile(filepath.Join(left, "token.db"), []byte("of before"), 0o600),
		os.Mkdir(filepath.Join(left, "other"), 0o700), os.WriteFile(filepath.Join(left, "other", "flash.db"), []byte("of another slot"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.RemoveAll(left) })
	out := x.must("token", "restore", file, "--pin", harness.UserPIN)
	if !strings.Contains(out, "An earlier restore has left "+left+":\n  rm -r "+left) {
		t.Errorf("%s", out)
	}
	if b, err := os.ReadFile(filepath.Join(x.home.Dir, "other", "flash.db")); err != nil || string(b) != "of another slot" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(left, "token.db")); err != nil || string(b) != "of before" {
		t.Errorf("the directory of before: %q, %v", b, err)
	}
}

// TestRestoreRefuses: what is cut, changed, of a later release, or of another SCM is told in one line, and nothing is changed.
func TestRestoreRefuses(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	file := x.backUp()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := list(t, x.home.Dir)
	with := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "changed")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	changed := bytes.Clone(whole)
	changed[len(changed)-40] ^= 1
	label := bytes.Replace(whole, []byte(`"label":"harness"`), []byte(`"label":"hornets"`), 1)
	pin := []string{"--pin", harness.UserPIN}
	for why, b := range map[string][]byte{
		"cut or damaged": whole[:len(whole)/2], "it is no backup": []byte("something else"), "nothing was restored": label,
		"made by a later release": bytes.Replace(whole, []byte(`"format":1`), []byte(`"format":9`), 1),
	} {
		x.fails(why, append([]string{"token", "restore", with(b)}, pin...)...)
	}
	x.fails("", append([]string{"token", "restore", with(changed)}, pin...)...)
	x.fails("wrong PIN", "token", "restore", file, "--pin", "99999999")
	x.fails("no such file", append([]string{"token", "restore", "/no/such/file"}, pin...)...)
	x.fails("no recovery key", "token", "restore", file, "--words")
	if after := list(t, x.home.Dir); after != before {
		t.Errorf("there was %s, and is %s", before, after)
	}
	other := newTool(t)
	other.fails("only recovery words (--words) bring the token to the SCM that is there", append([]string{"token", "restore", file}, pin...)...)
	other.must("scm", "status")
	other.must("token", "delete", "--yes", "--slot", "0")
	other.restore(file)
	other.must("key", "list", "--login", "--pin", harness.UserPIN)
	x.fails("the PIN is wrong", "token", "backup", filepath.Join(t.TempDir(), "b"), "--pin", "99999999")
	x.fails("no backup was made", "token", "backup", "/no/such/directory/b", "--pin", harness.UserPIN)
}

// TestRefusedElsewhere: what is wrong with the settings, with the place or with the disk is told as such, and not as a fault of the backup.
func TestRefusedElsewhere(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	file := x.backUp()
	settings := filepath.Join(t.TempDir(), "zk_pkcs11.toml")
	if err := os.WriteFile(settings, []byte("state = \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mistaken := *x.home
	mistaken.Set("ZK_PKCS11_CONF", settings)
	out, err := mistaken.Try(harness.Build(t, "zk_pkcs11-util"), "token", "restore", file, "--pin", harness.UserPIN)
	if err == nil || strings.Contains(out, file) || !strings.Contains(out, "correct the setting") {
		t.Errorf("%v, %s", err, out)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	x.fails("not confirmed", "token", "backup", file, "--pin", harness.UserPIN)
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the backup of before: %v", err)
	}
	x.must("token", "backup", file, "--force", "--pin", harness.UserPIN)
	if after, err := os.ReadFile(file); err != nil || bytes.Equal(before, after) {
		t.Errorf("--force replaces nothing: %v", err)
	}
}

// TestNoPlaceFor: a user who may use a shared state directory and not write beside it is told so, and a full disk is told as one.
func TestNoPlaceFor(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("another user, and a disk that is full, take root and unshare")
	}
	x := newTool(t)
	file := x.backUp()
	place, shared := t.TempDir(), *x.home
	shared.Set("ZK_PKCS11_HOME", filepath.Join(place, "state"))
	x.home.Run("sh", "-ec", `cp -a "$0" "$1"; chgrp -R 5995 "$1"; chmod 2770 "$1"; chmod 660 "$1"/*; chmod 755 "$2" "$(dirname "$2")"; install -m 644 "$3" "$2/backup"`,
		x.home.Dir, filepath.Join(place, "state"), place, file)
	util := harness.Build(t, "zk_pkcs11-util")
	out, err := shared.Try("setpriv", "--reuid=5001", "--regid=5995", "--clear-groups", util, "token", "restore", filepath.Join(place, "backup"), "--pin", harness.UserPIN)
	if err == nil || !strings.Contains(out, "may not write "+place+"; run the command as root (sudo)") || strings.Contains(out, "state_group") {
		t.Errorf("%v, %s", err, out)
	}
	full := `mount -t tmpfs -o size=8k none "$0"; exec "$1" token backup "$0/b" --pin ` + harness.UserPIN
	out, err = x.home.Try("unshare", "-m", "sh", "-ec", full, t.TempDir(), util)
	if err == nil || !strings.Contains(out, "no space left on device; make room there") {
		t.Errorf("%v, %s", err, out)
	}
}

// list are the directory and what was left beside it.
func list(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(dir + "*")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(found)
}

// TestBackupOfAnotherSCM: a backup of before a token was bound to another SCM comes back with its words.
func TestBackupOfAnotherSCM(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	words := filepath.Join(t.TempDir(), "words")
	shell := func(script string) {
		t.Helper()
		x.home.Run("sh", "-ec", script, harness.Build(t, "zk_pkcs11-util"), words)
	}
	shell(`"$0" token recovery create --pin ` + harness.UserPIN + ` > "$1"`)
	file := x.backUp()
	for _, name := range []string{"flash.db", "flash.db-wal", "flash.db-shm", "flash.db.gen"} {
		if err := os.Remove(filepath.Join(x.home.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	shell(`"$0" token recovery restore < "$1"`)
	x.fails("only recovery words", "token", "restore", file, "--pin", harness.UserPIN)
	serial := x.serial()
	x.home.Set("BACKUP", file)
	shell(`"$0" token restore "$BACKUP" --words < "$1"`)
	if now := x.serial(); now != serial {
		t.Errorf("the SCM was %s and is %s", serial, now)
	}
	out := x.home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--list-objects")
	if strings.Contains(out, "error") {
		t.Error(out)
	}
}

// TestRestoreAfterDelete: of a token that was deleted there is nothing to be kept, and nothing to be told.
func TestRestoreAfterDelete(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	file := x.backUp()
	x.must("token", "delete", "--slot", "0", "--yes")
	if old := x.restore(file); old != "" {
		t.Errorf("a directory of before is told: %s", old)
	}
	if left, err := filepath.Glob(x.home.Dir + ".*"); err != nil || len(left) > 0 {
		t.Errorf("beside the state directory is %q, %v", left, err)
	}
	if out := x.must("token", "list"); !strings.Contains(out, harness.Label) {
		t.Errorf("the token is not there again:\n%s", out)
	}
	if old := x.restore(file); old == "" {
		t.Error("of a token that was there no directory is told")
	}
}
