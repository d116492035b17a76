// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// Version returns the number of what is committed: it is greater once the file has
// changed, whichever process changed it. It is read from memory and never waits, also
// while somebody is in the middle of a change: what is not committed has been told
// to nobody.
//
// Callers read it before View: what View then shows is at least as new. Where the
// counter of changes cannot be opened, Version is constant. Once it is cut, Version is
// a number that it never was, and View and Update fail.
func (f *File) Version() uint64 { return f.look(allParts).version }

// PartVersion returns the version at which a part of the file has changed last; as
// Version, it never waits.
func (f *File) PartVersion(part int) uint64 { return f.look(part).part }

// lookAgain is how long Version believes that a writer lives.
const lookAgain = 10 * time.Millisecond

// look reads the counter. If nobody is in the file, it settles the change of a writer
// that died before.
func (f *File) look(part int) snapshot {
	r := f.gen.read(part)
	if !r.unsettled {
		return r
	}
	now, last := time.Now().UnixNano(), f.looked.Load()
	if time.Duration(now-last) < lookAgain || !f.looked.CompareAndSwap(last, now) {
		return r
	}
	f.repair(f.process.arrive(0))(false)
	return f.gen.read(part)
}
