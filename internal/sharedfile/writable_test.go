// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
)

// writableDir returns a directory in which everybody may make files.
func writableDir(t *testing.T) string {
	t.Helper()
	dir := processtest.PublicDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// update has the process make a change, and returns the version after it.
func update(t *testing.T, p *processtest.Process, want string) (version uint64) {
	t.Helper()
	p.Tell("update")
	var readOnly bool
	line := p.Hear()
	_, err := fmt.Sscan(line, &readOnly, &version)
	if err != nil || readOnly || !strings.HasSuffix(line, want) {
		t.Errorf("got %q, want one that can be written and ends with %q", line, want)
	}
	return version
}

// TestForbiddenForAMoment: root puts a backup back, and for a moment a file is not one that may
// be read. A process that could write the file goes on when it is.
func TestForbiddenForAMoment(t *testing.T) {
	for _, suffix := range []string{"", ".gen", ".lock", ".write"} {
		t.Run(suffix, func(t *testing.T) {
			path := filepath.Join(writableDir(t), "f")
			p := processtest.Start(t, "update", path, processtest.Unprivileged(t))
			version := update(t, p, "<nil>")
			b, err := os.ReadFile(path + suffix)
			if err := errors.Join(err, os.WriteFile(path+".copy", b, 0), os.Rename(path+".copy", path+suffix)); err != nil {
				t.Fatal(err)
			}
			update(t, p, "permission denied")
			if err := os.Chmod(path+suffix, 0o666); err != nil {
				t.Fatal(err)
			}
			if now := update(t, p, "<nil>"); now <= version {
				t.Errorf("version is %d, was %d", now, version)
			}
		})
	}
}

// TestReadOnlyTurnsWritable: a process that found it forbidden when it was opened learns that it is not.
func TestReadOnlyTurnsWritable(t *testing.T) {
	path := filepath.Join(writableDir(t), "f")
	f := open(t, path)
	mustIncrement(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "look", path, processtest.Unprivileged(t))
	p.Tell("look")
	if got := p.Hear(); !strings.HasPrefix(got, "true ") || !strings.HasSuffix(got, " 1 <nil>") {
		t.Errorf("got %q, want one that cannot be written", got)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".gen", ".lock", ".write", ".room"} {
		if err := os.Chmod(path+suffix, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		p.Tell("look")
		if got := p.Hear(); strings.HasPrefix(got, "false ") && strings.HasSuffix(got, " 1 <nil>") {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("it is still %q", got)
		}
	}
}
