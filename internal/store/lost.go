// SPDX-License-Identifier: Apache-2.0

package store

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

// firstCounts are those of a token that has no file of them: those that version 0.1.0 has
// left, nil when it has left none, or else none.
func (s *Store) firstCounts(left *counts) (counts, error) {
	rows, err := s.tokenRows()
	switch {
	case err != nil:
		return counts{}, err
	case left != nil:
		left.token = rows.id
		return *left, nil
	case !rows.Initialized:
		return counts{token: rows.id}, nil
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

// Witness is what the store needs of a device that counts changes; see scm.Witness.
type Witness interface {
	Changes() (changes, seen uint64, err error)
	Counted() uint64
	Saw(seen uint64)
	Note(seen uint64) error
}

// look is compare as far as that is possible: a device that others use for too long, or that
// fails, must not make a wrong PIN of a right one.
func (s *Store) look(c *counts) {
	before := c.seen
	if err := s.compare(c); err != nil {
		c.seen = before
		s.warn("whether %s and the SCM are older copies cannot be told now, and the next login looks again: %v", s.file.Path(), err)
	}
}

// compare notes in the counts how far the token has come, and warns if it had come farther
// when the counts, the records or the device were written. The caller holds the lock of
// the PINs. What is compared is read after what it is compared with, which is no newer
// then.
func (s *Store) compare(c *counts) error {
	before := c.seen
	known, now, err := s.progress()
	if err != nil {
		return err
	}
	c.seen.revision = now.revision
	if c.seen.revision > before.revision {
		// What is noted must not be lost with the power, as relaxed changes may be.
		if err := s.file.Sync(); err != nil {
			return err
		}
	}
	if was := max(before.revision, known.revision); c.seen.revision < was {
		s.warn("%s is an older copy: it has had %d changes, and had %d before; what came between is lost, and removed objects may be back",
			s.file.Path(), c.seen.revision, was)
	}
	return s.compareDevice(c, max(before.changes, known.changes), known.revision)
}

func (s *Store) compareDevice(c *counts, was, revision uint64) (err error) {
	if s.witness == nil {
		return nil
	}
	if c.seen.changes, _, err = s.witness.Changes(); err != nil {
		return err
	}
	if c.seen.changes < was {
		s.warn("the memory of the SCM (flash.db) is an older copy: it has had %d changes, and had %d before; keys made since are lost, and removed keys may be back",
			c.seen.changes, was)
		note := &statement{"UPDATE token SET device = ?", []any{c.seen.changes}}
		_, _ = s.file.Change(note.execute) // told once, unless this fails
	}
	s.witness.Saw(c.seen.revision)
	if c.seen.revision < revision {
		_ = s.witness.Note(c.seen.revision)
	}
	return nil
}

// progress reads how many changes the records have had, and what records and device have noted
// of each other. What is compared is read after what it is compared with.
func (s *Store) progress() (known, now seen, err error) {
	if s.witness != nil {
		if _, known.revision, err = s.witness.Changes(); err != nil {
			return known, now, err
		}
	}
	err = s.readRow("SELECT revision, device FROM token", nil, &now.revision, &known.changes)
	return known, now, err
}

// counted is the number of changes of the device, as far as this process knows.
func (s *Store) counted() uint64 {
	if s.witness == nil {
		return 0
	}
	return s.witness.Counted()
}

func (s *Store) warn(format string, args ...any) {
	if s.tell != nil {
		s.tell(format, args...)
	}
}
