// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The pauses between two attempts to get a lock grow from the first to the last.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 2 * time.Millisecond
)

// ForkGuard is told of each descriptor that is used to lock a file, before the
// first lock; it returns what is to be called before the descriptor is closed. In
// a host that forks it sees to it that children close their copies: the kernel
// gives a lock of a killed process free when the last copy is closed.
type ForkGuard func(fd int) (forget func())

// Lock is a lock on a file that excludes other processes, other goroutines and
// other copies of this package in the same process. A nil Lock excludes nobody.
type Lock struct {
	mu      sync.Mutex // the goroutines of this Lock: the kernel sees one owner
	file    *os.File
	forget  func() // of the ForkGuard
	closing sync.Once
}

// OpenLock opens the lock file at path and makes it, with the permission and
// group of the options, when it is not there. The file is never written.
func OpenLock(path string, o Options) (*Lock, error) {
	file, err := openOrCreate(path, o.Mode, o.Group)
	if err != nil {
		return nil, err
	}
	return newLock(file, o.ForkGuard), nil
}

// openLockReadOnly returns nil when there is no lock file that can be opened.
func openLockReadOnly(path string, o Options) *Lock {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	return newLock(file, o.ForkGuard)
}

func newLock(file *os.File, guard ForkGuard) *Lock {
	l := &Lock{file: file, forget: func() {}}
	if guard != nil {
		l.forget = guard(int(file.Fd()))
	}
	return l
}

// Exclusive takes the lock for one user. It returns ErrBusy after wait, and
// ErrRemoved when the lock file is no longer there.
func (l *Lock) Exclusive(wait time.Duration) (release func(), err error) {
	return l.acquire(unix.LOCK_EX, wait)
}

// Shared takes the lock for one of several users; otherwise it is as Exclusive.
// The users of one Lock still take turns.
func (l *Lock) Shared(wait time.Duration) (release func(), err error) {
	return l.acquire(unix.LOCK_SH, wait)
}

// Close closes the lock file. A Lock that is held has to be released before.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	l.closing.Do(l.forget)
	return l.file.Close()
}

func (l *Lock) acquire(how int, wait time.Duration) (release func(), err error) {
	if l == nil {
		return func() {}, nil
	}
	l.mu.Lock()
	if err := l.poll(how, time.Now().Add(wait)); err != nil {
		l.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", l.file.Name(), err)
	}
	if l.removed() {
		l.release()
		return nil, fmt.Errorf("%s: %w", l.file.Name(), ErrRemoved)
	}
	return l.release, nil
}

// poll asks again and again, because a call that waits in the kernel could not
// be called off.
func (l *Lock) poll(how int, deadline time.Time) error {
	for pause := firstPause; ; pause = min(pause*2, lastPause) {
		err := l.flock(how | unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(deadline) {
			return ErrBusy
		}
		time.Sleep(pause)
	}
}

// tryExclusive takes the lock if nobody has it.
func (l *Lock) tryExclusive() (release func(), ok bool) {
	if l == nil || !l.mu.TryLock() {
		return nil, false
	}
	if err := l.flock(unix.LOCK_EX | unix.LOCK_NB); err != nil {
		l.mu.Unlock()
		return nil, false
	}
	return l.release, true
}

// release unlocks in so many words: closing would not do while a forked child
// holds a duplicate of the descriptor.
func (l *Lock) release() {
	_ = l.flock(unix.LOCK_UN)
	l.mu.Unlock()
}

func (l *Lock) flock(how int) error {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	err = conn.Control(func(fd uintptr) { locked = flock(int(fd), how) })
	if err != nil {
		return err
	}
	return locked
}

func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// removed tells whether the file has lost its name, so that newcomers lock
// another one.
func (l *Lock) removed() bool {
	info, err := l.file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}
