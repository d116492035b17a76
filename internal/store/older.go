// SPDX-License-Identifier: Apache-2.0

package store

// Older reports whether the records or the device are an older copy than is known, of which
// the next login with a right PIN warns. It writes nothing. What is compared is read after
// what it is compared with, as by compare.
func (s *Store) Older() (bool, error) {
	c, err := s.counts.read()
	if err != nil {
		return false, err
	}
	rows, err := s.tokenRows()
	if err != nil {
		return false, err
	}
	noted := s.own(c, rows).seen
	known, now, err := s.progress()
	if err != nil {
		return false, err
	}
	if s.witness != nil {
		if now.changes, _, err = s.witness.Changes(); err != nil {
			return false, err
		}
		if now.changes < max(noted.changes, known.changes) {
			return true, nil
		}
	}
	return now.revision < max(noted.revision, known.revision), nil
}
