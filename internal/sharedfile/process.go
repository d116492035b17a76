// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// ForkGuard is told of each descriptor that is used to lock a file, before the
// first lock; it returns what is to be called before the descriptor is closed. In
// a host that forks it sees to it that children close their copies: the kernel
// gives a lock of a killed process free when the last copy is closed.
type ForkGuard func(fd int) (forget func())

// Process is what the files need of the process that has them open, when that is
// somebody else's. The zero value is right for a program of our own.
type Process struct {
	ForkGuard ForkGuard // nil: the process does not fork

	// Pause waits between two attempts to get a lock; nil means time.Sleep.
	Pause func(time.Duration)

	// Intact reports whether SQLite's descriptors are all its own. The host may have
	// closed some, and their numbers may be those of its own files. Nil: it does not.
	Intact func() bool

	// GiveUp has SQLite do nothing more to a file that it has open, but close it. Nil: it
	// cannot be kept from it.
	GiveUp func(device, inode uint64)

	// Cuts counts how often SQLite has met memory whose file was cut, and was given zeros
	// instead of a signal. It was given up with all files that it had open. Nil: never.
	Cuts func() uint64
}

func (p Process) cutsNow() uint64 {
	if p.Cuts == nil {
		return 0
	}
	return p.Cuts()
}

func (p Process) pauseOrSleep() func(time.Duration) {
	if p.Pause == nil {
		return time.Sleep
	}
	return p.Pause
}

// checkIntact returns ErrLost when SQLite must not be asked any more.
func (p Process) checkIntact() error {
	if p.Intact != nil && !p.Intact() {
		return ErrLost
	}
	return nil
}
