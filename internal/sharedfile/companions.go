// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// Somebody who restores a backup, or cleans up, may delete, replace or cut files that processes
// have open. What is written then goes to files that nobody finds again, and memory that is
// mapped from a file that was cut faults. So each call looks first whether the names still
// lead to what is open, and whether that is as long as it was; a change looks again before
// it begins and after its commit, so that nobody is told of what was lost.

const mostCompanions = 6

// companions are the database and what lies beside it, as they were opened.
type companions struct {
	opened time.Time
	cuts   uint64 // Process.Cuts then
	names  []string
	files  []*companion

	broken atomic.Pointer[error] // why the files have to be opened anew
	looked atomic.Int64          // when somebody looked last
	turn   atomic.Int64          // when it was somebody's turn last to look for those who do not wait
	asked  atomic.Int64          // when somebody asked last whether the file can be written
}

type companion struct {
	device, inode uint64
	least         atomic.Int64     // bytes that it has at least
	grows         bool             // whatever it has once it keeps
	file          *descriptor.File // by which it is open; nil: by none
}

// beginNoting is called before the first file is opened: a cut that comes later is about what was
// opened, too.
func (c *companions) beginNoting(p Process) { c.opened, c.cuts = time.Now(), p.cutsNow() }

// noteFiles takes down which files are open.
func (c *companions) noteFiles(o *opened) error {
	for _, known := range []struct {
		suffix string
		file   *descriptor.File
	}{
		{"", o.database}, {logSuffix, o.log}, {indexSuffix, o.index}, {genSuffix, nil},
		{lockSuffix, o.lock.opened()}, {writeSuffix, o.writeLock.opened()},
	} {
		if err := c.noteFile(o, o.name+known.suffix, known.file); err != nil {
			return err
		}
	}
	return nil
}

// noteFile looks at a name after SQLite has opened what is there, and what it has opened had
// better be what this package has.
func (c *companions) noteFile(o *opened, name string, file *descriptor.File) error {
	stat, err := o.dir.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.readOnly:
		return nil
	case err != nil:
		return err
	case file != nil && !file.Is(&stat):
		return fmt.Errorf("%s has just been replaced: %w", o.dir.Path(name), ErrReplaced)
	}
	one := &companion{device: uint64(stat.Dev), inode: stat.Ino, file: file}
	switch name {
	case o.name + indexSuffix:
		one.grows = true
		one.least.Store(stat.Size)
	case o.name + genSuffix:
		one.least.Store(min(stat.Size, descriptor.WordsSize))
	case o.name:
		one.least.Store(min(stat.Size, o.committed()))
	}
	c.names, c.files = append(c.names, name), append(c.files, one)
	return nil
}

// committed is how long the database is at least when nothing more is committed.
func (o *opened) committed() int64 {
	var pages int
	if o.writer == nil || askNumbers(o.writer.conn, "PRAGMA page_count", &pages) != nil {
		return 0
	}
	return int64(pages) * int64(o.pageSize)
}

// inspect returns ErrReplaced, for good, once a name leads elsewhere or a file was cut. Other
// errors say that nobody could look.
func (c *companions) inspect(o *opened) error {
	if err := c.broken.Load(); err != nil {
		return *err
	}
	now := int64(o.sinceOpened())
	err := c.compare(o)
	if err == nil {
		c.looked.Store(now)
	}
	if errors.Is(err, ErrReplaced) {
		c.broken.CompareAndSwap(nil, &err)
	}
	return err
}

func (c *companions) compare(o *opened) error {
	if o.process.cutsNow() != c.cuts {
		return fmt.Errorf("%s: %w", o.path+indexSuffix, errCutIndex)
	}
	if err := o.gen.intact(); err != nil {
		return fmt.Errorf("%s: %w", o.path+genSuffix, err)
	}
	if c.turnsWritable(o) {
		return fmt.Errorf("%s can be written now: %w", o.path, ErrReplaced)
	}
	if o.dir.Succeeded(o.name) {
		return fmt.Errorf("%s is in another directory than before: %w", o.path, ErrReplaced)
	}
	var least [mostCompanions]int64 // before the look, for files grow
	for i, file := range c.files {
		least[i] = file.least.Load()
	}
	err := o.dir.Look(c.names, func(i int, stat *unix.Stat_t, err error) error {
		if reason := c.files[i].compare(stat, err, least[i]); reason != nil {
			return fmt.Errorf("%s %w", o.dir.Path(c.names[i]), reason)
		}
		return nil
	})
	return withoutName(err)
}

// askAgain is after what time a file that could only be read is asked whether it still can.
const askAgain = time.Second

// turnsWritable reports whether a file that could only be read when it was opened can now be
// written: perhaps somebody was just putting it back.
func (c *companions) turnsWritable(o *opened) bool {
	if !o.readOnly || o.options.ReadOnly {
		return false
	}
	now, last := int64(o.sinceOpened()), c.asked.Load()
	if time.Duration(now-last) < askAgain || !c.asked.CompareAndSwap(last, now) {
		return false
	}
	return o.dir.Exists(o.name) && writable(o.path)
}

// compare says how a companion has changed.
func (c *companion) compare(stat *unix.Stat_t, err error, least int64) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("has been deleted: %w", ErrReplaced)
	case errors.Is(err, unix.EACCES):
		return c.nameless()
	case err != nil:
		return err
	case uint64(stat.Dev) != c.device || stat.Ino != c.inode:
		return fmt.Errorf("is another file than before: %w", ErrReplaced)
	case stat.Size < least:
		return fmt.Errorf("has been cut to %d bytes: %w", stat.Size, ErrReplaced)
	}
	if c.grows && stat.Size > least {
		c.least.Store(stat.Size)
	}
	return nil
}

// nameless is for a process that may not look into the directory any more.
func (c *companion) nameless() error {
	if c.file == nil {
		return nil
	}
	stat, err := c.file.Stat()
	if err == nil && stat.Nlink == 0 {
		return fmt.Errorf("has been deleted: %w", ErrReplaced)
	}
	return err
}

// explain says what it means that SQLite does not read what it should.
func (o *opened) explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrLost) && o.process.cutsNow() != o.companions.cuts {
		return o.companions.inspect(o)
	}
	var failure sqlite3.Error
	if errors.As(err, &failure) {
		return o.explainFailure(failure, err)
	}
	return err
}

// explainFailure returns what an error of SQLite comes of.
func (o *opened) explainFailure(failure sqlite3.Error, err error) error {
	if kindOf(failure.Code) == ErrCorrupt && o.isStale() {
		o.suspect(err)
	}
	if o.log == nil || failure.Code != sqlite3.ErrIoErr {
		return err
	}
	if _, headless := readHeader(o.log); headless != nil {
		return describe(o.path, headless)
	}
	return err
}

// noteGrowth notes how long the database is now, for the holder of the write lock.
func (c *companions) noteGrowth(size int64) {
	if len(c.files) > 0 && c.files[0].least.Load() < size {
		c.files[0].least.Store(size)
	}
}

// believe is for how long a reader takes the files for those that were opened, once somebody
// has looked. A change looks when it arrives, and after its commit.
const believe = time.Millisecond

// lookWithin is inspect, unless somebody has looked not so long ago.
func (c *companions) lookWithin(o *opened, age time.Duration) error {
	if err := c.broken.Load(); err != nil {
		return *err
	}
	if o.sinceOpened()-time.Duration(c.looked.Load()) < age && o.process.cutsNow() == c.cuts {
		return o.gen.intact()
	}
	return c.inspect(o)
}

// glance is for a caller that reads the version all the time. One thread at a time looks.
func (c *companions) glance(o *opened) {
	now, last := int64(o.sinceOpened()), c.turn.Load()
	if time.Duration(now-max(last, c.looked.Load())) >= lookAgain && c.turn.CompareAndSwap(last, now) {
		_ = c.inspect(o)
	}
}
