// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/sharedfile"
)

// newSuffix is that of a file that is not finished.
const newSuffix = ".new"

// countsFile is the file of the counts. It has its size from the start and is written in
// place, so that logging in works on a full disk. Only the holder of the lock of the PINs
// writes it.
type countsFile struct {
	place    atomic.Pointer[descriptor.Directory] // where the file is
	process  sharedfile.Process
	readOnly bool
	file     atomic.Pointer[descriptor.File]
	old      counts // of version 0.1.0, for a store that cannot take them over
	first    func(left *counts) (counts, error)
}

// openCounts makes the file when it is not there, with the counts of version 0.1.0 if
// that has left some.
func (s *Store) openCounts(dir string, o sharedfile.Options) (err error) {
	if s.counts, err = newCountsFile(dir, o); err != nil {
		return err
	}
	s.counts.first = s.firstCounts
	err = s.counts.reopen()
	if errors.Is(err, fs.ErrNotExist) || err == nil && oldCountsExist(dir) {
		err = s.counts.make(dir, o, s.pinLock)
	}
	return err
}

// openCountsReadOnly is for a store that only looks.
func openCountsReadOnly(dir string, o sharedfile.Options) (c *countsFile, err error) {
	if c, err = newCountsFile(dir, o); err != nil {
		return nil, err
	}
	c.readOnly, o.ReadOnly = true, true
	if err = c.reopen(); errors.Is(err, fs.ErrNotExist) {
		var old *counts
		if old, err = oldCounts(dir, o); old != nil {
			c.old = *old
		}
	}
	return c, err
}

func newCountsFile(dir string, o sharedfile.Options) (*countsFile, error) {
	opened, err := descriptor.OpenDirectory(dir)
	if err != nil {
		return nil, err
	}
	c := &countsFile{process: o.Process}
	c.place.Store(opened)
	return c, nil
}

// reopen opens the file that is there. Where it may not be written, that is no failure
// until somebody has to.
func (c *countsFile) reopen() error {
	flags := os.O_RDWR
	if c.readOnly {
		flags = os.O_RDONLY
	}
	file, err := c.dir().Open(countsName, flags, 0)
	if !c.readOnly && errors.Is(err, fs.ErrPermission) {
		c.readOnly = true
		file, err = c.dir().Open(countsName, os.O_RDONLY, 0)
	}
	if err == nil && !c.file.CompareAndSwap(nil, file) {
		err = file.Close() // another goroutine was faster
	}
	return err
}

// make makes the file, under another name until it is whole and on the disk. Other
// processes may be at it.
func (c *countsFile) make(dir string, o sharedfile.Options, lock *sharedfile.Lock) error {
	release, err := lock.Exclusive(o.Wait)
	if err != nil {
		return err
	}
	defer release()
	if c.file.Load() == nil {
		err = c.reopen()
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = c.create(dir, o)
	}
	if err != nil {
		return err
	}
	return removeOldCounts(dir, o)
}

func (c *countsFile) create(dir string, o sharedfile.Options) error {
	old, err := oldCounts(dir, o)
	if err != nil {
		return err
	}
	now, err := c.first(old)
	if err != nil {
		return err
	}
	content := make([]byte, countsSize)
	for range 2 {
		copy(content[now.offset():], now.encode())
		now.sequence++
	}
	if err := writeNew(c.dir(), content, o); err != nil {
		return full(err)
	}
	if err := c.dir().Rename(countsName+newSuffix, countsName); err != nil {
		return err
	}
	if err := c.dir().Sync(); err != nil {
		return err
	}
	return c.reopen()
}

// writeNew takes nothing over that was left of an earlier attempt.
func writeNew(dir *descriptor.Directory, content []byte, o sharedfile.Options) error {
	if err := dir.Remove(countsName + newSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := dir.Open(countsName+newSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, o.Mode)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := giveAway(file, o); err != nil {
		return err
	}
	if _, err := file.WriteAt(content, 0); err != nil {
		return err
	}
	return file.Sync()
}

// giveAway gives a new file the group and the mode of the options.
func giveAway(file *descriptor.File, o sharedfile.Options) error {
	if o.Group >= 0 {
		if err := file.Chgrp(o.Group); err != nil {
			return err
		}
	}
	return file.Chmod(o.Mode)
}

// full tells errors of a full disk as the database does.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// readAttempts is how often a reader who holds no lock looks: he may find one copy that
// is being written and, a moment later, the other.
const readAttempts = 10

// read returns the counts that were written last.
func (c *countsFile) read() (counts, error) {
	file, err := c.opened()
	if err != nil || file == nil {
		return c.old, err
	}
	content := make([]byte, copyBlock+copySize)
	for range readAttempts {
		n, err := file.ReadAt(content, 0)
		if n < len(content) && (err == nil || err == io.EOF) {
			return counts{}, c.damaged()
		}
		if err != nil {
			return counts{}, err
		}
		if newest, ok := decodeCounts(content); ok {
			return newest, nil
		}
	}
	return counts{}, c.damaged()
}

// damaged tells the way out.
func (c *countsFile) damaged() error {
	return fmt.Errorf("%s: %w: put back a copy, or close all programs that use the token and remove the file: each PIN has one try left then", c.path(), ErrCorrupt)
}

func (c *countsFile) dir() *descriptor.Directory { return c.place.Load() }

func (c *countsFile) path() string { return c.dir().Path(countsName) }

// opened returns the file, nil where nobody has taken the counts of version 0.1.0 over
// yet. Where another file has taken the name, or another directory that of its directory, that
// is the one.
func (c *countsFile) opened() (*descriptor.File, error) {
	if err := c.follow(); err != nil {
		return nil, err
	}
	if file := c.file.Load(); file != nil {
		leads, err := c.dir().Leads(countsName, file)
		if err != nil || leads {
			return file, err
		}
		if !c.dir().Exists(countsName) {
			return nil, fmt.Errorf("%s: %w", c.path(), sharedfile.ErrRemoved)
		}
		if c.file.CompareAndSwap(file, nil) {
			_ = file.Close()
		}
	}
	if err := c.reopen(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return c.file.Load(), nil
}

// follow goes to the directory that has taken the name of the one that is open.
func (c *countsFile) follow() error {
	old := c.dir()
	if !old.Succeeded(countsName) {
		return nil
	}
	dir, err := descriptor.OpenDirectory(old.Name())
	if err != nil {
		return err
	}
	if !c.place.CompareAndSwap(old, dir) { // another goroutine was faster
		return dir.Close()
	}
	return old.Close()
}

// moves returns a number that is another one after each attempt.
func (c *countsFile) moves() uint64 {
	now, _ := c.read() // what cannot be read has not moved
	return uint64(now.sequence)
}

// check returns why an attempt cannot be counted. What is written to a file that has lost
// its name counts for nobody else.
func (c *countsFile) check() error {
	if c.readOnly {
		return fmt.Errorf("%w: %s cannot be written by this user", ErrUncounted, c.path())
	}
	file, err := c.opened()
	if err != nil {
		return err
	}
	if file == nil {
		return fmt.Errorf("%s: %w", c.path(), sharedfile.ErrRemoved)
	}
	stat, err := file.Stat()
	switch {
	case err != nil:
		return err
	case stat.Size < countsSize:
		return c.damaged()
	}
	return nil
}

// write puts the next counts on stable storage. The caller holds the lock of the PINs.
func (c *countsFile) write(next *counts) error {
	file, err := c.opened()
	if err != nil {
		return err
	}
	if file == nil {
		return fmt.Errorf("%s: %w", c.path(), sharedfile.ErrRemoved)
	}
	next.sequence++
	if _, err := file.WriteAt(next.encode(), next.offset()); err != nil {
		return full(err)
	}
	return full(file.Datasync())
}

// view returns the counts for a caller who makes no attempt. He waits for nobody: an attempt
// that is under way does not count yet, and one whose process has died does.
func (c *countsFile) view() (counts, error) {
	now, err := c.read()
	if err != nil || !now.trying() {
		return now, err
	}
	lock, free := c.tryLock()
	if !free {
		return now, nil
	}
	defer lock.release()
	now, err = c.read()
	now.settle()
	return now, err
}

// tryLock locks out attempts, and reports whether none is under way. It takes the lock by a file of its
// own, for those who use another lock wait for each other.
func (c *countsFile) tryLock() (l *ownLock, ok bool) {
	file, err := c.dir().Open(pinLockName, os.O_RDONLY, 0)
	if err != nil {
		return nil, errors.Is(err, fs.ErrNotExist)
	}
	l = &ownLock{file: file}
	if c.process.ForkGuard != nil {
		l.forget = c.process.ForkGuard(file.Descriptor())
	}
	if err := file.Flock(unix.LOCK_SH | unix.LOCK_NB); err != nil {
		l.release()
		return nil, false
	}
	return l, true
}

// ownLock is a lock by a file of its own; nil is that of a file that is not there.
type ownLock struct {
	file   *descriptor.File
	forget func() // of the ForkGuard, nil without
}

func (l *ownLock) release() {
	if l == nil {
		return
	}
	_ = l.file.Flock(unix.LOCK_UN)
	if l.forget != nil {
		l.forget()
	}
	l.file.Close()
}

// Close closes the file. Closing it again, or a nil one, does nothing.
func (c *countsFile) Close() error {
	if c == nil {
		return nil
	}
	return errors.Join(c.file.Swap(nil).Close(), c.place.Load().Close())
}
