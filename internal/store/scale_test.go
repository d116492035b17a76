// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"testing"

	"libzk_pkcs11/internal/store"
)

// sizes are the numbers of records among which a call is timed.
var sizes = []int{100, 1_000, 10_000, 100_000}

// The types of the terms of numbered records.
const (
	classType = iota
	labelType
	idType
)

func class(name string) store.Term { return store.Term{Type: classType, Value: []byte(name)} }

func labelOf(i int) store.Term {
	return store.Term{Type: labelType, Value: fmt.Appendf(nil, "label %d", i)}
}

func idOf(i int) store.Term { return store.Term{Type: idType, Value: fmt.Appendf(nil, "id %d", i/10)} }

// numbered is a record as a certificate or a secret of a server would be.
func numbered(i int) store.Record {
	r := store.Record{
		Slot: store.NoSlot, Sealed: i%2 == 1,
		Terms:  []store.Term{class("data"), labelOf(i), idOf(i), {Type: 3, Value: []byte{1}}, {Type: 4, Value: []byte{0}}},
		Values: map[uint64][]byte{100: make([]byte, 200)},
	}
	r.Attributes = map[uint64][]byte{}
	for _, t := range r.Terms {
		r.Attributes[t.Type] = t.Value
	}
	return r
}

// fill puts numbered records from one number to another, and returns the ID of the first.
func fill(t testing.TB, s *store.Store, from, to int) (first int64) {
	t.Helper()
	_, err := s.Update(func(tx *store.Tx) error {
		for i := from; i < to; i++ {
			r := numbered(i)
			if err := tx.Put(&r); err != nil {
				return err
			}
			if i == from {
				first = r.ID
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// BenchmarkAmong times calls on tokens of several sizes.
func BenchmarkAmong(b *testing.B) {
	for _, size := range sizes {
		s, dir, _ := initialized(b)
		unlock(b, s)
		first := fill(b, s, 0, size)
		b.Run(fmt.Sprintf("%d/find", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if n := len(find(b, s, idOf(i%size), labelOf(i%size))); n != 1 {
					b.Fatalf("%d records", n)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/find-class-and-label", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if n := len(find(b, s, class("data"), labelOf(i%size))); n != 1 {
					b.Fatalf("%d records", n)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/find-none", size), func(b *testing.B) {
			for b.Loop() {
				if n := len(find(b, s, class("none"), labelOf(0))); n != 0 {
					b.Fatalf("%d records", n)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/record", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, _, err := s.Record(first + int64(i%size)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/values", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := s.Values(first + int64(i%size)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/put", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				put(b, s, numbered(size+i))
			}
		})
		b.Run(fmt.Sprintf("%d/changes-after-put", size), func(b *testing.B) {
			revision := changes(b, s, 0).Revision
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				put(b, s, numbered(i))
				b.StartTimer()
				c := changes(b, s, revision)
				if len(c.Changed) != 1 {
					b.Fatalf("%+v", c)
				}
				revision = c.Revision
			}
		})
		b.Run(fmt.Sprintf("%d/open-login-find", size), func(b *testing.B) {
			for b.Loop() {
				s, err := store.Open(dir, options())
				if err != nil {
					b.Fatal(err)
				}
				unlock(b, s)
				changes(b, s, 0)
				find(b, s, labelOf(0))
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
		})
	}
}
