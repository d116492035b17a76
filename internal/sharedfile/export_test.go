// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"time"
)

// Synchronous reports whether commits wait for the disk: 2 if they do.
func (f *File) Synchronous() (level int, err error) {
	err = askNumbers(f.current.Load().writer.conn, "PRAGMA synchronous", &level)
	return level, err
}

// StayRelaxed leaves the file as a change that does not wait for the disk does when it
// cannot be made strict again.
func (f *File) StayRelaxed() error { return setSynchronous(f.current.Load().writer, normal) }

// JustLooked has calls believe that somebody has just looked at the files.
func (f *File) JustLooked() {
	o := f.current.Load()
	o.companions.looked.Store(int64(o.sinceOpened() + time.Hour))
}

// Glance is View for a caller who can do without.
func (f *File) Glance(fn func(*sql.Tx) error) (err error) {
	r, err := f.BeginGlance()
	if err != nil {
		if r != nil {
			panic("a transaction that has not begun is to be ended")
		}
		return err
	}
	defer r.End(&err)
	return fn(r.Tx)
}

// TurnHoldBack is for how long processes that have had their turn hold back.
const TurnHoldBack = turnHoldBack

// AskForTurn asks for a turn and does not come.
func (f *File) AskForTurn() { f.current.Load().gen.askForTurn() }

// TurnIsAsked reports whether a process asks for its turn.
func (f *File) TurnIsAsked() bool { return f.current.Load().gen.turnIsAsked() }
