// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// impatient opens a file whose users wait for nothing that lasts.
func impatient(t *testing.T, path string) *sharedfile.File {
	t.Helper()
	return openWaiting(t, path, 100*time.Millisecond)
}

// TestStoppedWriter: readers do not wait for it, and its change is whole when it goes on.
func TestStoppedWriter(t *testing.T) {
	path := newPath(t)
	f := impatient(t, path)
	p := processtest.Start(t, "stay in update", path)
	p.Hear()
	p.Stop()
	version, part := f.Version(), f.PartVersion(0)
	for range 50 {
		if n := mustCount(t, f); n != 0 {
			t.Errorf("counter is %d, want 0", n)
		}
		if v := f.Version(); v != version || f.PartVersion(0) != part {
			t.Errorf("versions %d and %d, were %d and %d", v, f.PartVersion(0), version, part)
		}
	}
	if err := f.Update(increment); !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("Update: %v, want ErrBusy", err)
	}
	p.Continue()
	p.Tell("go on")
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	if v := f.Version(); v <= version || f.PartVersion(0) != v {
		t.Errorf("versions %d and %d after the change, was %d", v, f.PartVersion(0), version)
	}
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

// TestStoppedReader: writers do not wait for it, and it goes on with what it saw.
func TestStoppedReader(t *testing.T) {
	path := newPath(t)
	f := impatient(t, path)
	p := processtest.Start(t, "stay in view", path)
	p.Hear()
	p.Stop()
	for range 50 {
		mustIncrement(t, f)
	}
	if n := mustCount(t, f); n != 50 {
		t.Errorf("counter is %d, want 50", n)
	}
	p.Continue()
	if err := p.End(); err != nil {
		t.Error(err)
	}
}

// deadBesideReader leaves a writer that died in the middle of a change, and a reader that
// is in the file.
func deadBesideReader(t *testing.T, path string) (reader *processtest.Process) {
	t.Helper()
	writer := processtest.Start(t, "update when told", path)
	writer.Hear()
	reader = processtest.Start(t, "stay in view", path)
	reader.Hear()
	writer.Tell("go on")
	writer.Hear()
	writer.Kill()
	return reader
}

// TestDeadWriterBesideAReader: the repair does without being alone.
func TestDeadWriterBesideAReader(t *testing.T) {
	settle := map[string]func(*testing.T, *sharedfile.File){
		"by View":   func(t *testing.T, f *sharedfile.File) { mustCount(t, f) },
		"by Update": func(t *testing.T, f *sharedfile.File) { mustIncrement(t, f) },
	}
	for name, call := range settle {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			f := impatient(t, path)
			before := f.Version()
			reader := deadBesideReader(t, path)
			reader.Stop()
			call(t, f)
			if v := f.Version(); v == before || f.PartVersion(1) <= before {
				t.Errorf("versions are %d and %d, were %d", v, f.PartVersion(1), before)
			}
			reader.Continue()
			if err := reader.End(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVersionWaitsForTheRepair: it does not take place beside a reader.
func TestVersionWaitsForTheRepair(t *testing.T) {
	f, path := openNew(t)
	before := f.Version()
	reader := deadBesideReader(t, path)
	for range 5 {
		if v := f.Version(); v != before {
			t.Errorf("Version is %d, was %d", v, before)
		}
		time.Sleep(11 * time.Millisecond) // after which it looks again
	}
	if err := reader.End(); err != nil {
		t.Error(err)
	}
	f.Version()
	time.Sleep(11 * time.Millisecond)
	if v := f.Version(); v == before {
		t.Error("the writer's death has not been noticed")
	}
}

// TestCloseBesideAStoppedReader: the file stays open.
func TestCloseBesideAStoppedReader(t *testing.T) {
	path := newPath(t)
	f := impatient(t, path)
	mustIncrement(t, f)
	p := processtest.Start(t, "stay in view", path)
	p.Hear()
	p.Stop()
	if err := f.Close(); !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("Close: %v, want ErrBusy", err)
	}
	p.Continue()
	if err := p.End(); err != nil {
		t.Error(err)
	}
	if n := mustCount(t, open(t, path)); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

// TestOpenBesideStopped: a process that begins while another one is stopped does not wait
// for it.
func TestOpenBesideStopped(t *testing.T) {
	for _, role := range []string{"stay in update", "stay in view"} {
		t.Run(role, func(t *testing.T) {
			path := newPath(t)
			p := processtest.Start(t, role, path)
			p.Hear()
			p.Stop()
			f := impatient(t, path)
			if n := mustCount(t, f); n != 0 {
				t.Errorf("counter is %d, want 0", n)
			}
			if role == "stay in view" {
				mustIncrement(t, f)
			}
			p.Continue()
			p.Tell("go on")
			if err := p.End(); err != nil {
				t.Fatal(err)
			}
			if n := mustCount(t, f); n != 1 {
				t.Errorf("counter is %d, want 1", n)
			}
		})
	}
}
