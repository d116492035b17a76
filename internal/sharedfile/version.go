// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// lookAgain is how long Version believes that a writer lives, and that the files are those
// that were opened.
const lookAgain = 10 * time.Millisecond

// readCounter tells versions as a File does.
func (o *opened) readCounter(part int) snapshot {
	o.companions.glance(o)
	if o.companions.broken.Load() != nil {
		return snapshot{version: never, part: never}
	}
	s := o.settled(part)
	if s.version == never {
		return s
	}
	s.version += o.base
	s.part = max(s.part+o.base, o.floor)
	return s
}

// settled reads the counter. If nobody is in the file, it settles the change of a writer
// that died before.
func (o *opened) settled(part int) snapshot {
	r := o.gen.readPart(part)
	if !r.unsettled {
		return r
	}
	now, last := int64(o.sinceOpened()), o.looked.Load()
	if last != 0 && time.Duration(now-last) < lookAgain || !o.looked.CompareAndSwap(last, now) {
		return r
	}
	if o.users.TryRLock() {
		defer o.giveBack()
		if o.companions.inspect(o) == nil {
			o.repair(o.process.arrive(0)).leave()
		}
	}
	return o.gen.readPart(part)
}
