// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/turn"
)

// The pauses between two attempts to get a lock grow from the first to the last.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 2 * time.Millisecond
)

// Lock is a lock on a file that excludes other processes, other goroutines and
// other copies of this package in the same process. A nil Lock excludes nobody.
type Lock struct {
	mu      sync.Mutex // the goroutines of this Lock: the kernel sees one owner
	file    *descriptor.File
	pause   func(time.Duration)
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
	return newLock(file, o.Process), nil
}

// openLockReadOnly returns nil when there is no lock file that can be opened.
func openLockReadOnly(path string, o Options) *Lock {
	file, err := descriptor.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	return newLock(file, o.Process)
}

func newLock(file *descriptor.File, p Process) *Lock {
	l := &Lock{file: file, pause: p.pause(), forget: func() {}}
	if p.ForkGuard != nil {
		l.forget = p.ForkGuard(file.Descriptor())
	}
	return l
}

// Exclusive takes the lock for one user. It returns ErrBusy after wait, ErrRemoved
// when the lock file is no longer there, and ErrLost.
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
	turn.Take(&l.mu, l.pause)
	if err := l.poll(how, time.Now().Add(wait)); err != nil {
		l.mu.Unlock()
		return nil, err
	}
	if err := l.check(); err != nil {
		l.release()
		return nil, err
	}
	return l.release, nil
}

// poll asks again and again, because a call that waits in the kernel could not
// be called off.
func (l *Lock) poll(how int, deadline time.Time) error {
	for pause := firstPause; ; pause = min(pause*2, lastPause) {
		err := l.file.Flock(how | unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return plain(err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", l.file.Name(), ErrBusy)
		}
		l.pause(pause)
	}
}

// tryExclusive takes the lock if nobody has it.
func (l *Lock) tryExclusive() (release func(), ok bool) {
	if l == nil || !l.mu.TryLock() {
		return nil, false
	}
	if err := l.file.Flock(unix.LOCK_EX | unix.LOCK_NB); err != nil {
		l.mu.Unlock()
		return nil, false
	}
	return l.release, true
}

// release unlocks in so many words: closing would not do while a forked child
// holds a duplicate of the descriptor.
func (l *Lock) release() {
	_ = l.file.Flock(unix.LOCK_UN)
	l.mu.Unlock()
}

// check returns ErrRemoved when the file has lost its name, so that newcomers lock
// another one.
func (l *Lock) check() error {
	stat, err := l.file.Stat()
	if err == nil && stat.Nlink == 0 {
		err = fmt.Errorf("%s: %w", l.file.Name(), ErrRemoved)
	}
	return plain(err)
}
