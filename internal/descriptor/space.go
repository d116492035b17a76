// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// Allocate makes the file so long, if it is shorter, and has the disk hold room for
// what is added: zeros. EFBIG beyond the limit that the process has for files, whose
// signal would end the host.
func (f *File) Allocate(size int64) error {
	stat, err := f.Stat()
	if err != nil || stat.Size >= size {
		return err
	}
	if beyondLimit(size) {
		return f.failed("allocate", unix.EFBIG)
	}
	err = f.do("allocate", func(fd int) error { return unix.Fallocate(fd, 0, stat.Size, size-stat.Size) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return f.WriteZeros(stat.Size, size)
	}
	return err
}

func beyondLimit(size int64) bool {
	var limit unix.Rlimit
	return unix.Getrlimit(unix.RLIMIT_FSIZE, &limit) == nil && limit.Cur < uint64(size)
}

// zeros are written at a time.
const zeros = 1 << 16

// WriteZeros writes zeros from one offset to another.
func (f *File) WriteZeros(from, to int64) error {
	if from >= to {
		return nil
	}
	if beyondLimit(to) {
		return f.failed("write", unix.EFBIG)
	}
	b := make([]byte, min(zeros, to-from))
	for from < to {
		n, err := f.WriteAt(b[:min(int64(len(b)), to-from)], from)
		if err != nil && !errors.Is(err, io.ErrShortWrite) {
			return err
		}
		from += int64(n)
	}
	return nil
}

// ReadAt reads into b what is at an offset, which may be less than there is room for.
func (f *File) ReadAt(b []byte, offset int64) (n int, err error) {
	err = f.do("read", func(fd int) error {
		n, err = unix.Pread(fd, b, offset)
		return err
	})
	if err == nil && n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return max(n, 0), err
}

// Truncate cuts the file, or lets it grow without room on the disk.
func (f *File) Truncate(size int64) error {
	return f.do("truncate", func(fd int) error { return unix.Ftruncate(fd, size) })
}

// Free returns how many bytes of its disk anybody may still take.
func (f *File) Free() (free int64, err error) {
	err = f.do("statfs", func(fd int) error {
		var disk unix.Statfs_t
		if err := unix.Fstatfs(fd, &disk); err != nil {
			return err
		}
		free = int64(disk.Bavail) * int64(disk.Bsize)
		return nil
	})
	return free, err
}

// LockByte locks a byte for everybody who has not opened the file by this File, with
// F_RDLCK, F_WRLCK or F_UNLCK. EAGAIN when others have it.
func (f *File) LockByte(offset int64, how int16) error {
	lock := unix.Flock_t{Type: how, Start: offset, Len: 1}
	return f.do("lock", func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock) })
}

// ByteLocked reports whether others have a lock on a byte.
func (f *File) ByteLocked(offset int64) (locked bool, err error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: offset, Len: 1}
	err = f.do("lock", func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock) })
	return lock.Type != unix.F_UNLCK, err
}
