// SPDX-License-Identifier: Apache-2.0

package descriptor_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

const flags = os.O_RDWR | os.O_CREATE

func open(t *testing.T, name string) *descriptor.File {
	t.Helper()
	f, err := descriptor.Open(filepath.Join(t.TempDir(), name), flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// takeOver makes the descriptor of f that of a file of the host, and returns its path.
func takeOver(t *testing.T, f *descriptor.File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host")
	if err := os.WriteFile(path, []byte("host"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	number := f.Descriptor()
	if err := unix.Dup3(fd, number, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(number) })
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNumber(t *testing.T) {
	f := open(t, "f")
	if fd := f.Descriptor(); fd < 100 {
		t.Errorf("descriptor %d", fd)
	}
	set, err := unix.FcntlInt(uintptr(f.Descriptor()), unix.F_GETFD, 0)
	if err != nil || set&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v: programs that are started get it", set, err)
	}
}

// TestLost uses a file whose descriptor is the host's.
func TestLost(t *testing.T) {
	for name, use := range map[string]func(*descriptor.File) error{
		"Write":   func(f *descriptor.File) error { _, err := f.Write([]byte("x")); return err },
		"WriteAt": func(f *descriptor.File) error { _, err := f.WriteAt([]byte("x"), 0); return err },
		"Read":    func(f *descriptor.File) error { _, err := f.Read(make([]byte, 1)); return err },
		"Flock":   func(f *descriptor.File) error { return f.Flock(unix.LOCK_EX | unix.LOCK_NB) },
		"Chmod":   func(f *descriptor.File) error { return f.Chmod(0o666) },
		"Chgrp":   func(f *descriptor.File) error { return f.Chgrp(os.Getgid()) },
		"Sync":    func(f *descriptor.File) error { return f.Sync() },
		"Stat":    func(f *descriptor.File) error { _, err := f.Stat(); return err },
		"Map":     func(f *descriptor.File) error { _, err := f.Map(4, unix.PROT_READ); return err },
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, "f")
			path := takeOver(t, f)
			if err := use(f); !errors.Is(err, descriptor.ErrLost) {
				t.Errorf("got %v", err)
			}
			number := f.Descriptor()
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0); err != nil {
				t.Errorf("the host's descriptor was closed: %v", err)
			}
			text, err := os.ReadFile(path)
			if info, _ := os.Stat(path); err != nil || string(text) != "host" || info.Mode() != 0o600 {
				t.Errorf("the host's file holds %q, %v, %v", text, err, info.Mode())
			}
		})
	}
}

func TestClosedByTheHost(t *testing.T) {
	f := open(t, "f")
	if err := unix.Close(f.Descriptor()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, descriptor.ErrLost) {
		t.Errorf("Write: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestClosed(t *testing.T) {
	f := open(t, "f")
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	if err := (*descriptor.File)(nil).Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := descriptor.Open(missing, os.O_RDONLY, 0)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(missing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := descriptor.Open(missing, flags|os.O_EXCL, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

func TestWriteAndReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"a longer text", "short", ""} {
		if err := descriptor.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, err := descriptor.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestChgrp checks that nothing is asked for that is so already: as nobody's group
// the attempt would fail.
func TestChgrp(t *testing.T) {
	f := open(t, "f")
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Chgrp(int(stat.Gid)); err != nil {
		t.Error(err)
	}
}
