// SPDX-License-Identifier: Apache-2.0

// Package descriptor opens files in a process that belongs to somebody else.
//
// The host may close any descriptor at any moment, on purpose or by a loop over all
// numbers, and open files of its own that get the same numbers. So a [File] knows
// which file it is and looks before each use; what has become somebody else's is
// neither used nor closed. No file is at the numbers 0 to 2, also while the host
// has these closed. os.File does none of that.
package descriptor

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrLost is the error of a file whose descriptor the host has closed. It comes
// wrapped; use errors.Is.
var ErrLost = errors.New("the program has closed descriptors of this library: C_Finalize and C_Initialize open them anew")

// high is the first number for files, past those that programs use with select and
// close in loops.
const high = 100

// identity is which file a descriptor is.
type identity struct{ device, inode uint64 }

func identityOf(fd int) (identity, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return identity{}, err
	}
	return identityIn(&stat), nil
}

func identityIn(stat *unix.Stat_t) identity { return identity{uint64(stat.Dev), stat.Ino} }

// File is an open file. Its methods may be called from any goroutine.
type File struct {
	name string
	is   identity

	mu sync.RWMutex // held for reading while fd is used
	fd int          // -1 once it is closed
}

// Open opens a file with the flags of os.OpenFile. It gets the permission, less the
// umask, when it is made.
func Open(name string, flags int, mode fs.FileMode) (*File, error) {
	plugs := plugStandard()
	fd, err := retry(func() (int, error) {
		return unix.Open(name, flags|unix.O_CLOEXEC, uint32(mode.Perm()))
	})
	plugs.close()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return New(name, fd)
}

// Dial connects to a unix socket of a kind, such as SOCK_DGRAM.
func Dial(name string, kind int) (*File, error) {
	plugs := plugStandard()
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	plugs.close()
	if err != nil {
		return nil, &fs.PathError{Op: "socket", Path: name, Err: err}
	}
	f, err := New(name, fd)
	if err != nil {
		return nil, err
	}
	if err := f.do("connect", func(fd int) error { return unix.Connect(fd, &unix.SockaddrUnix{Name: name}) }); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// New returns the file of a descriptor that was opened just now. It takes another
// number.
func New(name string, fd int) (*File, error) {
	fd, err := raise(fd)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	is, err := identityOf(fd)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &File{name: name, is: is, fd: fd}, nil
}

// raise moves a descriptor to a number from high up, or from 3 up where the limit
// of the process is lower.
func raise(fd int) (int, error) {
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, high)
	if err != nil && fd > unix.Stderr {
		return fd, nil
	}
	if err != nil {
		moved, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, unix.Stderr+1)
	}
	_ = unix.Close(fd)
	return moved, err
}

// plugs stand at the numbers from 0 to 2 that the host has closed, while a file is
// opened.
type plugs []*File

// plugStandard makes files that can neither be read nor written, as if they were
// not there.
func plugStandard() (p plugs) {
	for n := range unix.Stderr + 1 {
		if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err == nil {
			continue
		}
		fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		if is, err := identityOf(fd); err == nil {
			p = append(p, &File{name: "/", is: is, fd: fd})
		}
	}
	return p
}

func (p plugs) close() {
	for _, f := range p {
		f.Close()
	}
}

// Name returns the name that the file was opened by.
func (f *File) Name() string { return f.name }

// Close closes the descriptor, unless it is the host's by now. Closing it again, or a
// nil one, does nothing.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := f.fd
	f.fd = -1
	if fd < 0 || !f.intact(fd) {
		return nil
	}
	return f.failed("close", unix.Close(fd))
}

func (f *File) intact(fd int) bool {
	is, err := identityOf(fd)
	return err == nil && is == f.is
}

// take returns the descriptor if it is still that of the file; release is to be
// called after its use.
func (f *File) take() (fd int, err error) {
	f.mu.RLock()
	switch {
	case f.fd < 0:
		err = fs.ErrClosed
	case !f.intact(f.fd):
		err = ErrLost
	default:
		return f.fd, nil
	}
	f.mu.RUnlock()
	return -1, err
}

func (f *File) release() { f.mu.RUnlock() }

func (f *File) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// do calls a function with the descriptor, again when a signal has interrupted it.
func (f *File) do(op string, call func(fd int) error) error {
	fd, err := f.take()
	if err != nil {
		return f.failed(op, err)
	}
	defer f.release()
	for {
		if err = call(fd); !errors.Is(err, unix.EINTR) {
			return f.failed(op, err)
		}
	}
}

// Descriptor returns the number for calls that look at it and do not keep it.
func (f *File) Descriptor() int { return f.fd }

// Flock is flock(2).
func (f *File) Flock(how int) error {
	return f.do("lock", func(fd int) error { return unix.Flock(fd, how) })
}

// Stat is fstat(2).
func (f *File) Stat() (stat unix.Stat_t, err error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.fd < 0 {
		return stat, f.failed("stat", fs.ErrClosed)
	}
	if err := unix.Fstat(f.fd, &stat); err != nil || identityIn(&stat) != f.is {
		return stat, f.failed("stat", ErrLost)
	}
	return stat, nil
}

// Named reports whether the file's name leads to it: it may have been renamed or deleted,
// and the host may have another root directory by now.
func (f *File) Named() bool {
	var stat unix.Stat_t
	return unix.Stat(f.name, &stat) == nil && identityIn(&stat) == f.is
}

// Chmod is fchmod(2), for permissions and fs.ModeSetgid.
func (f *File) Chmod(mode fs.FileMode) error {
	bits := uint32(mode.Perm())
	if mode&fs.ModeSetgid != 0 {
		bits |= unix.S_ISGID
	}
	return f.do("chmod", func(fd int) error { return unix.Fchmod(fd, bits) })
}

// Chgrp gives the file to a group, unless that has it already: filters that a host
// sets may kill it for the attempt.
func (f *File) Chgrp(group int) error {
	stat, err := f.Stat()
	if err != nil || int(stat.Gid) == group {
		return err
	}
	return f.do("chown", func(fd int) error { return unix.Fchown(fd, -1, group) })
}

// Map maps the beginning of the file, shared with everybody.
func (f *File) Map(size, protection int) (mapped []byte, err error) {
	err = f.do("map", func(fd int) error {
		mapped, err = unix.Mmap(fd, 0, size, protection, unix.MAP_SHARED)
		return err
	})
	return mapped, err
}

// Sync is fsync(2).
func (f *File) Sync() error { return f.do("sync", unix.Fsync) }

// Datasync is fdatasync(2).
func (f *File) Datasync() error { return f.do("sync", unix.Fdatasync) }

// WriteAt writes b at an offset. EFBIG is as in [File.Allocate].
func (f *File) WriteAt(b []byte, offset int64) (n int, err error) {
	if beyondLimit(offset + int64(len(b))) {
		return 0, f.failed("write", unix.EFBIG)
	}
	err = f.do("write", func(fd int) error {
		n, err = unix.Pwrite(fd, b, offset)
		return err
	})
	if err == nil && n < len(b) {
		err = f.failed("write", io.ErrShortWrite)
	}
	return max(n, 0), err
}

// Write writes b at the end of what was written, by [Write].
func (f *File) Write(b []byte) (n int, err error) {
	fd, err := f.take()
	if err != nil {
		return 0, f.failed("write", err)
	}
	defer f.release()
	n, err = Write(fd, b)
	return n, f.failed("write", err)
}

// Read reads into b what comes next.
func (f *File) Read(b []byte) (n int, err error) {
	err = f.do("read", func(fd int) error {
		n, err = unix.Read(fd, b)
		return err
	})
	if err == nil && n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return max(n, 0), err
}

// ReadFile is os.ReadFile.
func ReadFile(name string) ([]byte, error) {
	f, err := Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// WriteFile is os.WriteFile.
func WriteFile(name string, b []byte, mode fs.FileMode) error {
	f, err := Open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
