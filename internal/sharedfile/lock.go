// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/turn"
)

// Lock is a lock on a file that excludes other processes, other goroutines and
// other copies of this package in the same process. A nil Lock excludes nobody.
type Lock struct {
	path    string
	file    *descriptor.File
	process Process
	forget  func() // of the ForkGuard
	closing sync.Once
	own     *lockName // by which it is found, for a lock that is no part of a File

	// asking has others hold back while somebody wants the lock alone; nil: they are
	// not told.
	asking func(holdBack time.Duration)

	turns *turns // nil: nobody is let go first

	apart    standstill // of those who want the lock alone
	together standstill // of those who share it

	queue sync.Mutex // of the goroutines that want the lock alone
	mu    sync.Mutex // held for a moment, for what follows: the kernel sees one owner
	users int        // how many share the lock, or alone

	guarded *descriptor.File // which is locked together with the lock's own file
	freed   func()           // of the ForkGuard
}

const alone = -1

// Watch says by what is seen that those who have the lock move: a number that is another
// one each time. Without it, that is seen when a call gets the lock. It is called before
// the lock is used by more than one goroutine.
func (l *Lock) Watch(moves func() uint64) {
	if l != nil {
		l.apart.moves, l.together.moves = moves, moves
	}
}

// OpenLock opens the lock file at path and makes it, with the permission and
// group of the options, when it is not there. The file is never written. One that loses its
// name, or whose directory does, is opened anew when the lock is taken next, and made anew
// where the file beside it, whose lock it is, is there.
func OpenLock(path, beside string, o Options) (*Lock, error) {
	dir, err := descriptor.OpenDirectory(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	l, err := openLock(dir, filepath.Base(path), o)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	l.own = &lockName{dir: dir, beside: beside, options: o}
	return l, nil
}

func openLock(dir *descriptor.Directory, name string, o Options) (*Lock, error) {
	file, err := openOrCreate(dir, name, o)
	if err != nil {
		return nil, err
	}
	return newLock(file, o.Process), nil
}

// openLockReadOnly returns nil when there is no lock file that can be opened.
func openLockReadOnly(dir *descriptor.Directory, name string, o Options) (*Lock, error) {
	file, err := dir.Open(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil { // such as that no descriptor is left
		return nil, err
	}
	return newLock(file, o.Process), nil
}

func newLock(file *descriptor.File, p Process) *Lock {
	return &Lock{path: file.Name(), file: file, process: p, forget: p.guardFork(file)}
}

// guardFork has forked children close a file; forget ends that.
func (p Process) guardFork(file *descriptor.File) (forget func()) {
	if p.ForkGuard == nil {
		return nothing
	}
	return p.ForkGuard(file.Descriptor())
}

func nothing() {}

// opened returns the file by which it locks.
func (l *Lock) opened() *descriptor.File {
	if l == nil {
		return nil
	}
	return l.file
}

// Exclusive takes the lock for one user. It returns ErrBusy after wait, at once when a call
// before it has waited in vain and nothing has moved since; ErrRemoved when the lock file
// is no longer there, and ErrLost.
func (l *Lock) Exclusive(wait time.Duration) (release func(), err error) {
	if l == nil {
		return nothing, nil
	}
	return l.exclusive(l.process.arrive(wait))
}

// Attempt is Exclusive for a caller that can do without the lock. That it has waited in vain says
// nothing of others.
func (l *Lock) Attempt(wait time.Duration) (release func(), err error) {
	if l == nil {
		return nothing, nil
	}
	return l.exclusive(l.process.arrive(wait).atMost(wait))
}

// Shared takes the lock for one of several users; otherwise it is as Exclusive.
func (l *Lock) Shared(wait time.Duration) (release func(), err error) {
	if l == nil {
		return nothing, nil
	}
	return l.shared(l.process.arrive(wait))
}

// Close closes the lock file. A Lock that is held has to be released before.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	l.unguard()
	l.closing.Do(l.forget)
	return errors.Join(l.file.Close(), l.own.close())
}

// exclusive has the goroutines take turns before the kernel is asked: among
// processes nobody is first.
func (l *Lock) exclusive(p patience) (release func(), err error) {
	if l == nil {
		return nothing, nil
	}
	p = l.apart.beginWait(p)
	if !turn.TakeWhile(&l.queue, l.process.Pause, p.timeLeft) {
		return nil, l.named(l.apart.endWait(p, ErrBusy))
	}
	l.turns.letOthers(p)
	if err := l.apart.endWait(p, l.pollAlone(p)); err != nil {
		l.queue.Unlock()
		return nil, l.named(err)
	}
	return l.releaseAlone, nil
}

// goOn is how long nobody is asked to hold back any more, after each time.
const goOn = 40 * time.Millisecond

// pollAlone asks others to hold back when it has to wait, each time for longer.
func (l *Lock) pollAlone(p patience) error {
	a := asker{lock: l, patience: p, waiter: l.turns.newWaiter(), hold: leastHoldBack}
	defer a.waiter.done()
	err := p.retryUntil(a.tryAlone)
	if !a.again.IsZero() {
		l.asking(0)
	}
	return err
}

// asker wants a lock alone, and asks others to hold back.
type asker struct {
	lock     *Lock
	patience patience
	waiter   waiter
	again    time.Time     // when it may ask again
	hold     time.Duration // how long others are to hold back then
}

func (a *asker) tryAlone() (done bool, err error) {
	done, err = a.lock.tryLock(unix.LOCK_EX)
	if !done && err == nil {
		a.waiter.ask()
	}
	if !done && err == nil && a.patience.timeLeft() > 0 && a.lock.asking != nil && time.Now().After(a.again) {
		a.lock.asking(a.hold)
		a.again, a.hold = time.Now().Add(a.hold+goOn), min(2*a.hold, mostHoldBack)
	}
	return done, err
}

// tryExclusive takes the lock if nobody has it.
func (l *Lock) tryExclusive() (release func(), ok bool) {
	if l == nil || !l.queue.TryLock() {
		return nil, false
	}
	if done, err := l.tryLock(unix.LOCK_EX); !done || err != nil {
		l.queue.Unlock()
		return nil, false
	}
	l.apart.endStandstill()
	return l.releaseAlone, true
}

func (l *Lock) shared(p patience) (release func(), err error) {
	if l == nil {
		return nothing, nil
	}
	p = l.together.beginWait(p)
	err = p.retryUntil(l.tryShared)
	if err := l.together.endWait(p, err); err != nil {
		return nil, l.named(err)
	}
	return l.release, nil
}

func (l *Lock) tryShared() (done bool, err error) { return l.tryLock(unix.LOCK_SH) }

// tryLock takes the lock if that can be had now, and reports whether it has.
func (l *Lock) tryLock(how int) (done bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.users == alone, l.users > 0 && how == unix.LOCK_EX:
		return false, nil
	case l.users == 0:
		if err := l.follow(); err != nil {
			return false, err
		}
		if done, err := l.lockFiles(how); !done {
			return false, err
		}
	}
	if err := l.checkName(); err != nil {
		l.unlockFor(l.users)
		return false, err
	}
	if how == unix.LOCK_EX {
		l.users = alone
	} else {
		l.users++
	}
	return true, nil
}

// lockFiles locks the lock's own file and what it guards, and reports whether it has both.
func (l *Lock) lockFiles(how int) (done bool, err error) {
	if done, err := tryFlock(l.file, how); !done {
		return false, err
	}
	if l.guarded == nil {
		return true, nil
	}
	done, err = tryFlock(l.guarded, how)
	if !done {
		_ = l.file.Flock(unix.LOCK_UN)
	}
	return done, err
}

// tryFlock locks a file if that can be done now, and reports whether it has.
func tryFlock(file *descriptor.File, how int) (done bool, err error) {
	err = file.Flock(how | unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, withoutName(err)
}

// guardFile has the lock be one of another file, too, from now on: the one that it is for.
// Somebody may delete a lock's file, and a process that makes it anew is alone by that name and
// says nothing to those who have the old one; here they meet. It reports whether that is done: it
// is not while somebody who has the file keeps this lock's holder from it.
func (l *Lock) guardFile(file *descriptor.File) (done bool, err error) {
	if l == nil {
		return true, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.users == alone:
		done, err = tryFlock(file, unix.LOCK_EX)
	case l.users > 0:
		done, err = tryFlock(file, unix.LOCK_SH)
	default:
		done = true
	}
	if !done {
		return false, err
	}
	l.guarded, l.freed = file, l.process.guardFork(file)
	return true, nil
}

// unguard is called before the guarded file is closed.
func (l *Lock) unguard() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.guarded == nil {
		return
	}
	l.freed()
	_ = l.guarded.Flock(unix.LOCK_UN)
	l.guarded, l.freed = nil, nil
}

// releaseAlone ends exclusive.
func (l *Lock) releaseAlone() {
	l.release()
	l.queue.Unlock()
}

// release gives up what one user has.
func (l *Lock) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users = max(l.users-1, 0)
	l.unlockFor(l.users)
}

// unlockFor unlocks when there are no users. It asks for that: closing would not do
// while a forked child holds a duplicate of the descriptor.
func (l *Lock) unlockFor(users int) {
	if users == 0 {
		if l.guarded != nil {
			_ = l.guarded.Flock(unix.LOCK_UN)
		}
		_ = l.file.Flock(unix.LOCK_UN)
	}
}

// checkName returns ErrRemoved when the file has lost its name, so that newcomers lock
// another one.
func (l *Lock) checkName() error {
	stat, err := l.file.Stat()
	if err == nil && stat.Nlink == 0 || err == nil && l.own != nil && l.own.leadsElsewhere(l.file) {
		return ErrRemoved
	}
	return withoutName(err)
}

// named adds the file to an error.
func (l *Lock) named(err error) error { return named(l.path, err) }
