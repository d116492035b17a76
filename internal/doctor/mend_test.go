// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// makeState makes a directory with a token of nobody's group.
func makeState(t *testing.T, path string) {
	t.Helper()
	for _, err := range []error{os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "token.db"), nil, 0o600), os.WriteFile(filepath.Join(path, "flash.db"), nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ownersIn are the owners, groups and modes of a directory and the files of a token in it.
func ownersIn(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(newEntry("", info), stateFiles(path))
}

// exchange has two names change places again and again until stop is closed, as a member may do who owns one of them.
func exchange(t *testing.T, a, b string, stop, stopped chan struct{}) {
	defer close(stopped)
	for {
		select {
		case <-stop:
			return
		default:
			if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
				t.Error(err)
				return
			}
		}
	}
}

// TestMendOfExchanged: a member has a link to the directory of a victim take the place of a state directory while root mends it. Each
// time is one of the two, and the victim's stays what it is.
func TestMendOfExchanged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("groups of files take root")
	}
	dir := t.TempDir()
	state, victims, link := filepath.Join(dir, "second"), filepath.Join(dir, "victims"), filepath.Join(dir, "link")
	makeState(t, state)
	makeState(t, victims)
	if err := os.Symlink(victims, link); err != nil {
		t.Fatal(err)
	}
	before, unmended := ownersIn(t, victims), ownersIn(t, state)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go exchange(t, state, link, stop, stopped)
	o := ownership{state, change{-1, 5995, 0o770 | fs.ModeSetgid}, change{-1, 5995, 0o660}}
	mended := 0
	for range 5000 {
		if o.mend() == nil {
			mended++
		}
		_ = closing{state, []entry{{path: filepath.Join(state, "token.db"), mode: 0o666}}}.mend()
	}
	close(stop)
	<-stopped
	if after := ownersIn(t, victims); after != before {
		t.Errorf("before: %s, after: %s", before, after)
	}
	if err := os.Remove(link); err != nil { // the link is what has this name, or the directory, which is not empty
		state = link
	}
	if mended == 0 || ownersIn(t, state) == unmended {
		t.Errorf("mended %d times, %s", mended, ownersIn(t, state))
	}
}
