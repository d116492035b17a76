// SPDX-License-Identifier: Apache-2.0

package store

import "database/sql"

// An initialised token has counts of wrong PINs. Where the file is missing, or is that of
// another token, nobody knows how many there were: one try is left then, which a right PIN
// makes good. A file that is damaged keeps everybody out until an administrator removes it.

// own returns counts that are those of the token.
func (s *Store) own(c counts, rows *tokenRows) counts {
	if c.token == rows.id || s.ReadOnly() {
		return c
	}
	lost := s.lost(rows)
	lost.sequence = c.sequence
	return lost
}

// lost are the counts when nobody knows them.
func (s *Store) lost(rows *tokenRows) counts {
	c := counts{token: rows.id}
	for u, p := range rows.pins {
		if p.set() {
			c.of[u].failures = uint32(s.maxFailures[u] - 1)
			copy(c.of[u].salt[:], p.salt)
		}
	}
	return c
}

// first are the counts of a token that has no file of them: those of version 0.1.0, if
// that has left some, or none.
func (s *Store) first(left counts, there bool) (counts, error) {
	rows, err := s.tokenRows()
	if err != nil {
		return counts{}, err
	}
	left.token = rows.id
	if there || !rows.Initialized {
		return left, nil
	}
	s.warn("%s is missing: nobody knows how many wrong PINs there were, and one try is left for each PIN; a right one makes that good", s.counts.path)
	return s.lost(rows), nil
}

// now returns the counts that an attempt begins with.
func (s *Store) now() (counts, error) {
	c, err := s.counts.read()
	if err != nil {
		return c, err
	}
	rows, err := s.tokenRows()
	if err != nil {
		return c, err
	}
	mine := s.own(c, rows)
	if mine.token != c.token {
		s.warn("%s is that of another token: nobody knows how many wrong PINs there were, and one try is left for each PIN; a right one makes that good", s.counts.path)
	}
	return mine, nil
}

// compare notes in the counts how far the token has come, and warns if it had come farther
// at the last login. The caller holds the lock of the PINs: what was noted is no older.
func (s *Store) compare(c *counts) error {
	before := c.seen
	err := s.file.View(func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT revision FROM token").Scan(&c.seen.revision)
	})
	if err != nil {
		return err
	}
	if c.seen.revision < before.revision {
		s.warn("%s is an older copy: it has had %d changes, and had %d at the last login; what came between is lost, and removed objects may be back",
			s.file.Path(), c.seen.revision, before.revision)
	}
	if s.device == nil {
		return nil
	}
	if c.seen.changes, err = s.device(); err != nil {
		return err
	}
	if c.seen.changes < before.changes {
		s.warn("the memory of the SCM (flash.db) is an older copy: it has had %d changes, and had %d at the last login; keys made since are lost, and removed keys may be back",
			c.seen.changes, before.changes)
	}
	return nil
}

func (s *Store) warn(format string, args ...any) {
	if s.tell != nil {
		s.tell(format, args...)
	}
}
