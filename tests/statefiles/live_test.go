// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// settled asks until a command succeeds, as hosts do.
func settled(t *testing.T, p *process, command string) answer {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		a, err := p.ask(command)
		if err != nil {
			t.Fatal(err)
		}
		if a.Wrong {
			t.Fatalf("%s: the signature is by another key", command)
		}
		if a.Code == pkcs11.CKR_OK {
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v\n%s", command, a.Code, p.stderr.String())
		}
	}
}

// allSettle reports whether all can sign within some time. Nobody signs by another key.
func allSettle(t *testing.T, users []*process) bool {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for _, p := range users {
		for {
			a, err := p.ask("sign")
			if err != nil || a.Wrong {
				t.Fatalf("%v, wrong signature: %v", err, a.Wrong)
			}
			if a.Code == pkcs11.CKR_OK {
				break
			}
			if time.Now().After(deadline) {
				return false
			}
		}
	}
	return true
}

// TestBackupOverLiveDirectory copies a backup over the directory while two processes sign,
// as people do. They go on afterwards, and nobody has crashed.
func TestBackupOverLiveDirectory(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	home := harness.NewHome(t)
	home.Init()
	backup := t.TempDir()
	users := []*process{start(t, home), start(t, home)}
	for _, p := range users {
		p.must(t, "begin")
		p.must(t, "sign")
	}
	if err := copyAll(backup, home.Dir); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		copied := make(chan error, 1)
		go func() { copied <- exec.Command("cp", "-r", backup+"/.", home.Dir).Run() }()
		for round := 0; len(copied) == 0 || round < 2; round++ {
			for _, p := range users {
				if a, err := p.ask("sign"); err != nil || a.Wrong {
					t.Fatalf("copy %d: %v, wrong signature: %v", i, err, a.Wrong)
				}
			}
		}
		if err := <-copied; err != nil {
			t.Fatal(err)
		}
		if !allSettle(t, users) { // a file was opened between two pieces of it: about one copy in a thousand, on a busy machine
			t.Logf("copy %d: the files are a mixture; they are put back once more, as the log says", i)
			if err := exec.Command("cp", "-r", backup+"/.", home.Dir).Run(); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range users {
			settled(t, p, "sign")
			settled(t, p, fmt.Sprint("create after ", i))
		}
	}
	for _, p := range users {
		settled(t, p, "create last")
		p.must(t, "end")
	}
	p := start(t, home)
	p.must(t, "begin")
	if a := p.must(t, "find last"); a.Found == 0 {
		t.Error("what was stored last is not there")
	}
	p.must(t, "sign")
}

// TestOneFileUnderLiveProcess: a companion of a database that is cut, emptied or deleted costs
// nothing that was acknowledged, and a process that has it open goes on.
func TestOneFileUnderLiveProcess(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	for _, name := range []string{"token.db-shm", "flash.db-shm", "token.db.gen", "flash.db.gen", "token.db.lock", "token.db.write", "flash.db.lock"} {
		for kind, damage := range map[string]func(path string) error{
			"emptied": func(path string) error { return os.Truncate(path, 0) },
			"deleted": os.Remove,
			"moved":   func(path string) error { return os.Rename(path, path+".away") },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				home := harness.NewHome(t)
				home.Init()
				a, b := start(t, home), start(t, home)
				a.must(t, "begin")
				a.must(t, "create before")
				if err := damage(filepath.Join(home.Dir, name)); err != nil {
					t.Fatal(err)
				}
				b.must(t, "begin")
				for _, step := range []struct {
					p       *process
					command string
				}{{a, "sign"}, {b, "create b"}, {a, "create a"}, {b, "sign"}, {a, "sign"}} {
					settled(t, step.p, step.command)
				}
				a.must(t, "end")
				b.must(t, "end")
				c := start(t, home)
				c.must(t, "begin")
				for _, object := range []string{"before", "a", "b"} {
					if found := c.must(t, "find "+object).Found; found != 1 {
						t.Errorf("%q was stored, and %d are found", object, found)
					}
				}
			})
		}
	}
}

// TestDatabaseTakenAway: nobody is told that something was stored in a file that is gone, and
// the file that is put back is used.
func TestDatabaseTakenAway(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	home := harness.NewHome(t)
	home.Init()
	p := start(t, home)
	p.must(t, "begin")
	p.must(t, "create before")
	path := filepath.Join(home.Dir, "token.db")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	a, err := p.ask("create lost")
	if err != nil || a.Code != pkcs11.CKR_DEVICE_ERROR {
		t.Errorf("create: %v, %v", a.Code, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it was made anew")
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	p.must(t, "create after")
	for _, object := range []string{"before", "after"} {
		if found := p.must(t, "find "+object).Found; found != 1 {
			t.Errorf("%q: %d are found", object, found)
		}
	}
}
