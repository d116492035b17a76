// SPDX-License-Identifier: Apache-2.0

package descriptor_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// sigpipe is the set of SIGPIPE alone.
func sigpipe() *unix.Sigset_t {
	var set unix.Sigset_t
	set.Val[0] = 1 << (unix.SIGPIPE - 1)
	return &set
}

// blocked runs f in a thread whose SIGPIPE stays pending, and reports whether one is.
func blocked(t *testing.T, f func()) (pending bool) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, sigpipe(), &before); err != nil {
		t.Fatal(err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	fd, err := unix.Signalfd(-1, sigpipe(), unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	f()
	var info [128]byte
	n, _ := unix.Read(fd, info[:])
	return n > 0
}

// nobody are the ends for writing of what nobody reads.
func nobody(t *testing.T) map[string]int {
	t.Helper()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(pipe[0])
	unix.Close(pair[0])
	t.Cleanup(func() { unix.Close(pipe[1]); unix.Close(pair[1]) })
	return map[string]int{"pipe": pipe[1], "socket": pair[1]}
}

func TestNoSIGPIPE(t *testing.T) {
	for name, fd := range nobody(t) {
		pending := blocked(t, func() {
			if _, err := descriptor.Write(fd, []byte("x")); !errors.Is(err, unix.EPIPE) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if pending {
			t.Errorf("%s: SIGPIPE is left", name)
		}
	}
}

// TestHostsSIGPIPE checks that one that was there before stays.
func TestHostsSIGPIPE(t *testing.T) {
	fd := nobody(t)["pipe"]
	pending := blocked(t, func() {
		if _, err := unix.Write(fd, []byte("x")); !errors.Is(err, unix.EPIPE) {
			t.Error(err)
		}
		if _, err := descriptor.Write(fd, []byte("x")); !errors.Is(err, unix.EPIPE) {
			t.Error(err)
		}
	})
	if !pending {
		t.Error("the host's SIGPIPE is gone")
	}
}

// TestWithoutDescriptors writes when none is left to see the pending signals by.
func TestWithoutDescriptors(t *testing.T) {
	var read [2]int
	if err := unix.Pipe2(read[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(read[0])
	defer unix.Close(read[1])
	unread := nobody(t)["pipe"]
	var left error
	var n int
	pending := blocked(t, func() {
		withoutDescriptors(t, func() {
			n, _ = descriptor.Write(read[1], []byte("seen"))
			_, left = descriptor.Write(unread, []byte("x"))
		})
	})
	if n != len("seen") || !errors.Is(left, unix.EPIPE) || pending {
		t.Errorf("wrote %d bytes, then %v, SIGPIPE is left: %v", n, left, pending)
	}
}

func withoutDescriptors(t *testing.T, f func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	f()
}

func TestWriteToFullPipe(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	n, err := descriptor.Write(pipe[1], make([]byte, 1<<20))
	if !errors.Is(err, unix.EAGAIN) || n == 0 {
		t.Errorf("wrote %d bytes: %v", n, err)
	}
}

func TestDial(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if _, err := descriptor.Dial(name, unix.SOCK_DGRAM); !errors.Is(err, unix.ENOENT) {
		t.Errorf("nobody listens: %v", err)
	}
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(listener, &unix.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	socket, err := descriptor.Dial(name, unix.SOCK_DGRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if _, err := socket.Write([]byte("line")); err != nil {
		t.Error(err)
	}
	b := make([]byte, 16)
	if n, err := unix.Read(listener, b); err != nil || string(b[:n]) != "line" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	unix.Close(listener)
	if _, err := socket.Write([]byte("line")); err == nil {
		t.Error("nobody listens any more")
	}
}
