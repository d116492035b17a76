// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// oldPIN is the user PIN of the token that version 0.1.0 has made.
const oldPIN = "12345678"

// oldToken is a home with that token.
func oldToken(t testing.TB) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	dir := filepath.Join(harness.Root(t), "internal", "store", "testdata", "version-0.1.0")
	if err := os.CopyFS(home.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return home
}

// oldObjects are what the user finds in it.
var oldObjects = []string{
	"data long_private_data=" + strings.Repeat("x", 3000), "data private_data=private_value", "data public_data=public_value",
	"data without_login=public_value", "private pair", "private second_pair", "public pair", "public public_key",
}

// givenNames lists the objects with the names that somebody has given.
func givenNames(c *client) (all []string, err error) {
	for _, class := range []string{"data", "private", "public"} {
		a, err := c.do("list " + class)
		if err != nil {
			return nil, err
		}
		for _, word := range a.words {
			if !strings.HasPrefix(word, "SCM_slot_") {
				all = append(all, class+" "+word)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// sealedBlobs are what a token's file has of private objects.
func sealedBlobs(t *testing.T, dir string) (blobs [][]byte) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "token.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT attributes FROM records WHERE sealed = 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, blob[:min(64, len(blob))]) // longer ones are in several pages
	}
	return blobs
}

// TestKilledFirstLogin kills a process while it opens the token of version 0.1.0 and, by its login, gives it its
// root: after calls that write, cut or sync files, at points that are spread over it, with ZK_SOAK after each. The next
// login finds all that there was, and leaves nothing that the PIN opens without the SCM.
func TestKilledFirstLogin(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	k := &loginKiller{
		t: t, program: build(t), blobs: sealedBlobs(t, oldToken(t).Dir),
		preload: harness.Compile(t, "testdata/dies.c", "-shared", "-fPIC"),
	}
	calls := k.kill(math.MaxInt32)
	if calls == 0 {
		t.Fatal("the process has not told how many calls it made")
	}
	stride := size(max(1, calls/points), 1)
	for after := 1; after <= calls; after += stride {
		if k.kill(after) > 0 {
			t.Errorf("it lives after %d calls", after)
		}
	}
	t.Logf("%d calls", calls)
}

// loginKiller kills one process after the other in its login to an old token.
type loginKiller struct {
	t       *testing.T
	program *program
	preload string
	blobs   [][]byte // that the PIN opens without the SCM
}

// kill has a process log in, and kills it after a number of calls. It returns how many calls one made that
// was not killed.
func (k *loginKiller) kill(after int) (calls int) {
	k.t.Helper()
	home := oldToken(k.t)
	victim, told := *home, filepath.Join(k.t.TempDir(), "calls")
	victim.Set("LD_PRELOAD", k.preload)
	victim.Set("DIES_IN", home.Dir)
	victim.Set("DIES_TOLD", told)
	victim.Set("DIES_AFTER", strconv.Itoa(after))
	c, err := k.program.start(&victim)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := c.enter(oldPIN); err == nil {
		if err := c.end(); err != nil {
			k.t.Error(err)
		}
	}
	c.kill()
	if text, err := os.ReadFile(told); err == nil {
		calls, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err := k.look(home, after); err != nil {
		k.t.Fatal(err)
	}
	return calls
}

// look logs in after a kill, and looks at the objects and the files.
func (k *loginKiller) look(home *harness.Home, after int) error {
	c, err := k.program.start(home)
	if err != nil {
		return err
	}
	if err := c.enter(oldPIN); err != nil {
		return fmt.Errorf("killed after %d calls: %w\n%s", after, err, c.stderr.String())
	}
	found, err := givenNames(c)
	if err != nil || !slices.Equal(found, oldObjects) {
		k.t.Errorf("killed after %d calls: there are %.60q, %v", after, found, err)
	}
	if err := c.end(); err != nil {
		return err
	}
	if log := c.stderr.String(); strings.Contains(log, "error:") || strings.Contains(log, "warning:") {
		k.t.Errorf("killed after %d calls: %s", after, log)
	}
	for _, name := range files(k.t, home.Dir) {
		b, err := os.ReadFile(filepath.Join(home.Dir, name))
		if err != nil {
			return err
		}
		for _, blob := range k.blobs {
			if bytes.Contains(b, blob) {
				k.t.Errorf("killed after %d calls: %s has a private object that the PIN alone opens", after, name)
			}
		}
	}
	return nil
}

// TestFirstLogins: of several processes that log in to an old token at a time each finds everything, and
// what they make then is there for all.
func TestFirstLogins(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	const many = 6
	p, home := build(t), oldToken(t)
	var all []*client
	for range many {
		c, err := p.start(home)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		for _, command := range []string{"initialize", "open"} {
			if _, err := c.do(command); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range all {
		if err := c.say("login " + oldPIN); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.Clone(oldObjects)
	for i, c := range all {
		if a, err := c.hear(); err != nil || a.rv != pkcs11.CKR_OK {
			t.Fatalf("%v, %v", a.rv, err)
		}
		label := fmt.Sprintf("made-by-%d", i)
		if _, err := c.do("create " + label + " value 1"); err != nil {
			t.Error(err)
		}
		want = append(want, "data "+label+"=value")
	}
	slices.Sort(want)
	for _, c := range all {
		found, err := givenNames(c)
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("there are %.60q, %v", found, err)
		}
		if err := c.end(); err != nil {
			t.Error(err)
		}
		if log := c.stderr.String(); log != "" {
			t.Error(log)
		}
	}
}
