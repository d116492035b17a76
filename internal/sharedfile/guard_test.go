// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestLockDeletedInChange: a process that makes a lock anew is not alone by that. Nothing that was
// acknowledged is lost, and the change goes on.
func TestLockDeletedInChange(t *testing.T) {
	for name, deleted := range map[string][]string{
		"lock": {".lock"}, "both locks": {".lock", ".write"}, "all but the data": {".lock", ".write", ".gen", "-shm"},
	} {
		for who, notice := range map[string]func(*sharedfile.File, string) error{
			"who has it open": func(f *sharedfile.File, _ string) error { _, err := count(f); return err },
			"who opens it": func(_ *sharedfile.File, path string) error {
				o := options()
				o.Wait = 200 * time.Millisecond
				f, err := sharedfile.Open(path, o)
				f.Close()
				return err
			},
		} {
			t.Run(name+", "+who, func(t *testing.T) {
				path := newPath(t)
				f := openWaiting(t, path, 200*time.Millisecond)
				if err := f.Purge(); err != nil { // the log holds nothing
					t.Fatal(err)
				}
				const changes = 5
				for range changes {
					mustIncrement(t, f)
				}
				p := processtest.Start(t, "stay in update", path)
				p.Hear()
				for _, suffix := range deleted {
					if err := os.Remove(path + suffix); err != nil {
						t.Fatal(err)
					}
				}
				if err := notice(f, path); err != nil && !errors.Is(err, sharedfile.ErrBusy) {
					t.Errorf("beside the change: %v", err)
				}
				p.Tell("go on")
				_ = p.End() // it is told that others may not find it
				if n := mustCount(t, f); n < changes {
					t.Errorf("counter is %d, %d changes were acknowledged", n, changes)
				}
				mustIncrement(t, f)
				f.Close()
				if n := mustCount(t, open(t, path)); n <= changes {
					t.Errorf("counter is %d for one that opens it, %d changes were acknowledged", n, changes+1)
				}
			})
		}
	}
}
