// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"sync"
)

// damage is the list of records that could not be trusted.
type damage struct {
	mu  sync.Mutex
	ids []int64
}

// Records returns all records in ascending order of ID. While the store is
// unlocked, those that are not as the store wrote them are left out; see
// Damaged.
func (s *Store) Records() ([]Record, error) {
	var records []Record
	var damaged []int64
	err := s.view(func(now *snapshot) error {
		return now.each(all, func(w *row) error {
			if r, ok := w.record(now.keys); ok {
				records = append(records, *r)
			} else {
				damaged = append(damaged, w.ID)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	s.damaged.mu.Lock()
	defer s.damaged.mu.Unlock()
	s.damaged.ids = damaged
	return records, nil
}

// Damaged returns the IDs of the records that the last call of Records left out.
func (s *Store) Damaged() []int64 {
	s.damaged.mu.Lock()
	defer s.damaged.mu.Unlock()
	return slices.Clone(s.damaged.ids)
}
