// SPDX-License-Identifier: Apache-2.0

package store

// Older reports whether the records or the device are an older copy than is known, of which
// the next login with a right PIN warns. It writes nothing. What is compared is read after
// what it is compared with, as by compare.
func (s *Store) Older() (bool, error) {
	before, now, err := s.farthest()
	if err != nil {
		return false, err
	}
	if s.witness == nil {
		return now.revision < before.revision, nil
	}
	now.changes, _, err = s.witness.Changes()
	return now.revision < before.revision || now.changes < before.changes, err
}

// farthest returns how far the token and the device had come, and how far the records have.
func (s *Store) farthest() (before, now seen, err error) {
	c, err := s.counts.read()
	if err != nil {
		return before, now, err
	}
	rows, err := s.tokenRows()
	if err != nil {
		return before, now, err
	}
	before = s.own(c, rows).seen
	var known seen
	if s.witness != nil {
		if _, known.revision, err = s.witness.Changes(); err != nil {
			return before, now, err
		}
	}
	err = s.progress(&now.revision, &known.changes)
	before.revision = max(before.revision, known.revision)
	before.changes = max(before.changes, known.changes)
	return before, now, err
}
