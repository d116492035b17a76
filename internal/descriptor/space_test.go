// SPDX-License-Identifier: Apache-2.0

package descriptor_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

func TestAllocate(t *testing.T) {
	f := open(t, "f")
	if _, err := f.WriteAt([]byte("stays"), 0); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{100_000, 10} { // the second is no reason to cut it
		if err := f.Allocate(size); err != nil {
			t.Fatal(err)
		}
		stat, err := f.Stat()
		if err != nil || stat.Size != 100_000 || stat.Blocks*512 < stat.Size {
			t.Errorf("%d bytes, %d blocks, %v", stat.Size, stat.Blocks, err)
		}
	}
	b := make([]byte, 10)
	if n, err := f.ReadAt(b, 0); err != nil || n != 10 || string(b[:5]) != "stays" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := f.Truncate(3); err != nil {
		t.Error(err)
	}
	if n, err := f.ReadAt(b, 0); err != nil || n != 3 {
		t.Errorf("%q, %v", b[:n], err)
	}
	if n, err := f.ReadAt(b, 3); !errors.Is(err, io.EOF) || n != 0 {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

func TestWriteZeros(t *testing.T) {
	f := open(t, "f")
	const size = 200_000 // more than are written at a time
	if _, err := f.WriteAt(bytes.Repeat([]byte{7}, size), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteZeros(1, size-1); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil || b[0] != 7 || b[size-1] != 7 || !bytes.Equal(b[1:size-1], make([]byte, size-2)) {
		t.Errorf("%d bytes, %v: not zeros from the second to the last but one", len(b), err)
	}
}

// TestBeyondTheLimit: a write there would bring a signal that ends the host.
func TestBeyondTheLimit(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	f := open(t, "f")
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1000, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	allocated, written := f.Allocate(1001), f.WriteZeros(0, 1001)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{allocated, written} {
		if !errors.Is(err, unix.EFBIG) {
			t.Errorf("%v, want EFBIG", err)
		}
	}
}

func TestMapWords(t *testing.T) {
	f := open(t, "f")
	if err := f.Allocate(descriptor.WordsSize); err != nil {
		t.Fatal(err)
	}
	var words [2]*descriptor.Words
	for i := range words {
		mapped, err := f.MapWords(unix.PROT_READ | unix.PROT_WRITE)
		if err != nil {
			t.Fatal(err)
		}
		defer mapped.Unmap()
		defer mapped.Detach()
		words[i] = mapped.Words()
	}
	last := len(words[0]) - 1
	words[0][last].Store(7)
	if v := words[1][last].Load(); v != 7 {
		t.Errorf("the other mapping holds %d", v)
	}
}

func TestNamed(t *testing.T) {
	f := open(t, "f")
	if !f.Named() {
		t.Error("its name does not lead to it")
	}
	if err := os.Rename(f.Name(), f.Name()+".moved"); err != nil {
		t.Fatal(err)
	}
	if f.Named() {
		t.Error("its name leads to it, and there is no file")
	}
	if err := os.WriteFile(f.Name(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f.Named() {
		t.Error("its name leads to it, and the file is another")
	}
}

func TestFree(t *testing.T) {
	if free, err := open(t, "f").Free(); err != nil || free <= 0 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
}

// TestLockByte: the lock is of the open file, and not of the process.
func TestLockByte(t *testing.T) {
	f := open(t, "f")
	g, err := descriptor.Open(f.Name(), flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := f.LockByte(7, unix.F_RDLCK); err != nil {
		t.Fatal(err)
	}
	if err := g.LockByte(7, unix.F_RDLCK); err != nil {
		t.Errorf("two files that share it: %v", err)
	}
	if err := g.LockByte(7, unix.F_WRLCK); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("one alone beside another: %v, want EAGAIN", err)
	}
	if err := f.LockByte(7, unix.F_UNLCK); err != nil {
		t.Fatal(err)
	}
	if err := g.LockByte(7, unix.F_WRLCK); err != nil {
		t.Errorf("one alone: %v", err)
	}
}
