// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/turn"
)

// borrow returns what is open, for one call, and opens it anew where the files are not those
// that it was opened for. It believes a look of that age. The call ends with giveBack.
func (f *File) borrow(p patience, age time.Duration) (*opened, error) {
	for renewed := false; !f.closed.Load(); renewed = true {
		o := f.current.Load()
		used, err := o.use(age)
		if used {
			return o, nil
		}
		if err != nil && !errors.Is(err, ErrReplaced) {
			return nil, describe(f.path, err)
		}
		if renewed && p.timeLeft() <= 0 { // they are replaced faster than they are opened
			return nil, describe(f.path, ErrBusy)
		}
		if err := f.renewFiles(o, p); err != nil {
			return nil, describe(f.path, err)
		}
	}
	return nil, fmt.Errorf("%s: %w", f.path, fs.ErrClosed)
}

// use begins to use the files, until giveBack, and reports whether it has. It has not when
// others exchange them, and when a look at them, which is as old as that at most, says that
// they are not the right ones.
func (o *opened) use(age time.Duration) (used bool, err error) {
	if !o.users.TryRLock() {
		return false, nil
	}
	if err := o.companions.lookWithin(o, age); err != nil {
		o.giveBack()
		return false, err
	}
	return true, nil
}

// renewFiles puts the files that are there now in the place of those that were. It makes no
// database: one that is gone is somebody's to put back.
func (f *File) renewFiles(old *opened, p patience) error {
	if !turn.TakeWhile(&f.renewing, f.options.Process.Pause, p.timeLeft) {
		return ErrBusy
	}
	defer f.renewing.Unlock()
	if f.current.Load() != old || f.closed.Load() { // others were faster
		return nil
	}
	if !turn.TakeWhile(&old.users, f.options.Process.Pause, p.timeLeft) {
		return ErrBusy
	}
	defer old.users.Unlock()
	reason := old.companions.inspect(old)
	if reason == nil {
		return nil
	}
	if err := old.retire(); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	next, err := f.openAnew(old, p)
	if err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	next.follow(old)
	f.current.Store(next)
	return nil
}

// openAnew waits for others as long as the call does, and only for a moment when a call before has
// waited in vain.
func (f *File) openAnew(old *opened, p patience) (*opened, error) {
	p = f.opening.beginWait(p)
	most := p
	if f.opening.isLasting() {
		most = p.atMost(shortWait)
	}
	next, err := openAt(f.path, f.options, old, most)
	return next, f.opening.endWait(p, err)
}

// follow has all versions be greater than those that the old files have had, and knows what was
// tried with them.
func (o *opened) follow(old *opened) {
	told := max(old.base+old.gen.lastVersion(), old.floor)
	if now := o.gen.version(); now <= told {
		o.base = (told - now + 3) &^ 1
	}
	o.floor = o.base + o.gen.version()
	if o.tried = old.malformed.Load(); o.tried == nil {
		o.tried = old.tried
	}
}

// closable returns an error where SQLite would spoil the database when it closes it.
func (o *opened) closable() error {
	if o.writer == nil {
		return nil
	}
	if len(o.companions.files) > 0 && sizeOf(o.database) < o.companions.files[0].least.Load() {
		return ErrCorrupt
	}
	return o.logWhole()
}

// retire closes files that are not what they were, for the holder of users. SQLite writes
// nothing more to them: it would, from memory that may be zeros, or from a log that is not
// whole. Where it cannot be kept from it, it has them open for good.
func (o *opened) retire() error {
	if o.retired {
		return nil
	}
	if o.process.GiveUp != nil {
		for _, file := range []*descriptor.File{o.database, o.log, o.index} {
			if file != nil {
				o.process.GiveUp(file.Identity())
			}
		}
	} else if err := o.closable(); err != nil {
		return err
	}
	o.retired = true
	_ = o.closeFiles() // what SQLite could not do any more is no error
	return o.closeRest()
}
