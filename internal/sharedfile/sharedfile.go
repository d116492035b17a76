// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/turn"
)

// DefaultWait is how long a call waits for other users of the file when
// Options.Wait is 0.
const DefaultWait = 5 * time.Second

// Options say how a file is made and used.
type Options struct {
	// Schema makes a file of the newest format. It is executed once.
	Schema string
	// Upgrades take an older file to the newest format, which is 1+len(Upgrades):
	// Upgrades[i] makes format i+2 of format i+1.
	Upgrades []string
	// Parts is how many parts of the file have a version of their own.
	Parts int
	// Mode is the permission of the file and its companions. Opening does not
	// change the permission of a file that exists.
	Mode fs.FileMode
	// Group is the group that owns them, or -1 for that of the process.
	Group int
	// Wait bounds how long a call waits for other users of the file, from its
	// arrival, however many calls there are. Calls that come after one that has
	// waited in vain do not wait until the file moves.
	Wait time.Duration
	// Existing has Open return ErrMissing where it would make the file, and touch nothing.
	Existing bool
	// ReadOnly has Open open the file for reading, also where it can be written.
	ReadOnly bool
	// Process is what the process offers in which the file is opened.
	Process Process
}

func (o Options) waitOrDefault() time.Duration {
	if o.Wait == 0 {
		return DefaultWait
	}
	return o.Wait
}

// format is the user_version of a file that this package leaves.
func (o Options) format() int { return 1 + len(o.Upgrades) }

// File is an open file. Its methods may be called from any goroutine, but those
// that take a function not from within a function that was given to one of them.
//
// Where the file or a companion is deleted, replaced or cut under it, the call that
// notices fails or begins anew with the files that are there now, as later calls do.
type File struct {
	path    string
	options Options

	current  atomic.Pointer[opened]
	renewing sync.Mutex // held while the file is opened anew
	opening  standstill // of those who do
	closed   atomic.Bool
	broken   atomic.Uint64 // how many versions were asked for that nobody could tell
}

// Open opens the file at path, and makes it when it is not there. The directory
// has to exist.
//
// A file that cannot be written, or lies in a directory that cannot, is opened
// for reading; when it does not exist, an empty one in memory stands in its
// place. Open returns ErrMissing, ErrBusy, ErrFull, ErrFormat, ErrCorrupt and ErrRefused.
func Open(path string, o Options) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.Parts > maxParts {
		return nil, fmt.Errorf("%d parts, more than %d", o.Parts, maxParts)
	}
	now, err := openAt(path, o, nil, o.Process.arrive(o.waitOrDefault()))
	if err != nil {
		return nil, describe(path, err)
	}
	f := &File{path: path, options: o}
	f.current.Store(now)
	return f, nil
}

// arrive begins a call.
func (f *File) arrive() patience { return f.options.Process.arrive(f.options.waitOrDefault()) }

// Path is the absolute path of the file.
func (f *File) Path() string { return f.path }

// ReadOnly reports whether Update is impossible.
func (f *File) ReadOnly() bool { return f.current.Load().readOnly }

// Update calls fn in a transaction, and commits it when fn returns nil; it is
// then on stable storage. Otherwise nothing has changed. All parts count as
// changed. Update returns fn's error, ErrReadOnly, ErrBusy, ErrFull, ErrCorrupt,
// ErrReplaced or ErrLost.
func (f *File) Update(fn func(*sql.Tx) error) error {
	_, err := f.Change(wholeChange(fn).execute)
	return err
}

// wholeChange is a change of all parts.
type wholeChange func(*sql.Tx) error

func (c wholeChange) execute(tx *sql.Tx) ([]int, error) { return []int{allParts}, c(tx) }

// Change is Update for a function that returns which parts it has changed; the
// others keep their versions.
func (f *File) Change(fn func(*sql.Tx) ([]int, error)) (Change, error) {
	p := f.arrive()
	o, err := f.borrow(p, 0)
	if err != nil {
		return Change{}, err
	}
	defer o.giveBack()
	c, err := o.change(p, fn)
	return c, o.explain(err)
}

// Release is Change for what gives room back. Where the disk is full it takes the
// room that is kept for it, and calls fn again.
func (f *File) Release(fn func(*sql.Tx) ([]int, error)) (Change, error) {
	p := f.arrive()
	o, err := f.borrow(p, 0)
	if err != nil {
		return Change{}, err
	}
	defer o.giveBack()
	c, err := o.release(p, fn)
	return c, o.explain(err)
}

// Relaxed is Release that does not wait for the disk: everybody sees the change, and no
// kill undoes it, but a loss of power may, together with all that has come after it. It is
// on stable storage when a later change is.
func (f *File) Relaxed(fn func(*sql.Tx) ([]int, error)) (Change, error) {
	return f.relaxed(f.arrive(), fn)
}

// Soon is Relaxed for what can be left to somebody else, or to later: it returns ErrBusy when
// others use the file for longer than wait.
func (f *File) Soon(wait time.Duration, fn func(*sql.Tx) ([]int, error)) (Change, error) {
	return f.relaxed(f.arrive().atMost(wait), fn)
}

func (f *File) relaxed(p patience, fn func(*sql.Tx) ([]int, error)) (Change, error) {
	o, err := f.borrow(p, 0)
	if err != nil {
		return Change{}, err
	}
	defer o.giveBack()
	c, err := o.relaxed(p, fn)
	return c, o.explain(err)
}

// Erase is Release followed by Purge: what it has deleted is in neither file afterwards,
// unless others stay in the file. It waits for the disk once less than the two of them.
func (f *File) Erase(fn func(*sql.Tx) ([]int, error)) (Change, error) {
	p := f.arrive()
	o, err := f.borrow(p, 0)
	if err != nil {
		return Change{}, err
	}
	defer o.giveBack()
	c, err := o.erase(p, fn)
	return c, o.explain(err)
}

// Purge empties the log: what an Update has deleted is in neither file afterwards.
// While others stay in the file it returns ErrBusy, and the next writer purges.
// ErrReadOnly.
func (f *File) Purge() error {
	p := f.arrive()
	o, err := f.borrow(p, 0)
	if err != nil {
		return err
	}
	defer o.giveBack()
	return o.explain(o.purgeLog(p))
}

// Sync has what others see on stable storage, Relaxed changes too.
func (f *File) Sync() error {
	o, err := f.borrow(f.arrive(), 0)
	if err != nil {
		return err
	}
	defer o.giveBack()
	if o.readOnly {
		return fmt.Errorf("%s: %w", f.path, ErrReadOnly)
	}
	return o.explain(describe(f.path, withoutName(o.log.Sync())))
}

// View calls fn in a transaction that sees one state of the file and cannot change
// it. It does not wait for writers. It returns fn's error, ErrBusy, ErrCorrupt,
// ErrReplaced or ErrLost.
func (f *File) View(fn func(*sql.Tx) error) (err error) {
	r, err := f.BeginView()
	if err != nil {
		return err
	}
	defer r.End(&err)
	return fn(r.Tx)
}

// Version returns the number of what is committed: it is greater once the file has
// changed, whichever process changed it. It is read from memory and never waits, also
// while somebody is in the middle of a change: what is not committed has been told
// to nobody.
//
// Callers read it before View: what View then shows is at least as new. Where the
// counter of changes cannot be opened, Version is constant. Once a file is replaced or
// cut, Version is another number each time until a call has opened the new one: what was
// read is older than that, whenever it was read.
func (f *File) Version() uint64 { return f.distinct(f.current.Load().readCounter(allParts).version) }

// PartVersion returns the version at which a part of the file has changed last; as
// Version, it never waits.
func (f *File) PartVersion(part int) uint64 {
	return f.distinct(f.current.Load().readCounter(part).part)
}

// distinct puts an odd number that was not told before in the place of never.
func (f *File) distinct(version uint64) uint64 {
	if version != never {
		return version
	}
	return never + 2*f.broken.Add(1)
}

// Close closes the file. Other calls fail after it, Version excepted. Closing it
// again, or a nil one, does nothing.
func (f *File) Close() error {
	if f == nil || f.closed.Swap(true) {
		return nil
	}
	turn.Take(&f.renewing, f.options.Process.Pause)
	defer f.renewing.Unlock()
	return describe(f.path, f.current.Load().close())
}
