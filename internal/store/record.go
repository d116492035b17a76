// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/hmac"
	"encoding/binary"
	"math"
)

// NoSlot is the Slot of a record that does not decorate a key slot.
const NoSlot = math.MinInt32

// Record is what the store keeps of one object.
type Record struct {
	ID      int64  // 0 for a new one; Put sets it; never used again, not even after Initialize
	Slot    int    // the key slot that the record decorates, or NoSlot
	Private bool   // with a key slot: the record is of the private half of the pair
	Sealed  bool   // the attributes can only be read, and written, while the store is unlocked
	Public  []byte // with a key slot: the public key that it had when the record was made
	Hidden  bool   // the user has destroyed the object although its key lives on
	// Authentic tells of a record that was read that an unlocked store wrote it,
	// as far as the present store can check that: without login anybody may have.
	Authentic bool
	// Attributes are values by type. The store does not look into them. Nil
	// when they are sealed and the store is locked.
	Attributes map[uint64][]byte
}

// row is a record as the file holds it.
type row struct {
	Record
	attributes []byte // encoded, and sealed when Sealed
	code       []byte // HMAC-SHA256 over everything else; empty when written by a locked store
}

// newRow encodes, seals and authenticates the record. The keys may be nil unless
// the record needs them.
func newRow(r *Record, k *keys) *row {
	w := &row{Record: *r, attributes: encodeAttributes(r.Attributes), code: []byte{}}
	if w.Sealed {
		w.attributes = seal(k.seal, w.attributes, w.header())
	}
	if k != nil {
		w.code = k.code(w.encoded())
	}
	return w
}

// record decodes the row. The keys may be nil; what cannot be checked without
// them is then taken as it is. It returns false when the row is not as the store
// wrote it.
func (w *row) record(k *keys) (*Record, bool) {
	if !w.acceptable(k) {
		return nil, false
	}
	w.Authentic = len(w.code) > 0
	plain := w.attributes
	if w.Sealed {
		if k == nil {
			return &w.Record, true
		}
		var err error
		if plain, err = open(k.seal, plain, w.header()); err != nil {
			return nil, false
		}
	}
	var err error
	w.Attributes, err = decodeAttributes(plain)
	return &w.Record, err == nil
}

func (w *row) acceptable(k *keys) bool {
	if len(w.code) == 0 {
		return !w.needsKeys()
	}
	return k == nil || hmac.Equal(w.code, k.code(w.encoded()))
}

// needsKeys tells whether only an unlocked store may write the record: anybody
// may make a public object, but not claim a key.
func (r *Record) needsKeys() bool { return r.Sealed || r.Slot != NoSlot }

func (w *row) encoded() []byte { return append(w.header(), w.attributes...) }

// header encodes all but the attributes and the code, in a form that no two
// records share.
func (w *row) header() []byte {
	b := make([]byte, 0, 64+len(w.Public)+len(w.attributes))
	b = binary.BigEndian.AppendUint64(b, uint64(w.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(w.Slot))
	for _, flag := range [...]bool{w.Private, w.Sealed, w.Hidden} {
		b = append(b, bit(flag))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(w.Public)))
	return append(b, w.Public...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
