// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
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
	// Values are attributes that are kept apart, so that reading a record unseals and
	// reads none of them. They are nil in a record that was read; Put keeps those that
	// are there when they are nil and Apart is true.
	Values map[uint64][]byte
	Apart  bool   // the record has Values
	Terms  []Term // by which Find finds the record; written, never read back
}

// Term is an attribute by which a record is found. It must not be secret: who may
// read the files can guess it of a record that is not sealed.
type Term struct {
	Type  uint64
	Value []byte
}

// row is a record as the file holds it.
type row struct {
	Record
	attributes []byte // encoded, and sealed when Sealed
	code       []byte // HMAC-SHA256 over all but what follows it; empty when written by a locked store
	digest     []byte // of apart, see schema
	apart      []byte // encoded values, and sealed when Sealed
}

// newRow encodes, seals and authenticates the record. The keys may be nil unless
// the record needs them.
func newRow(r *Record, k *keys) *row {
	w := &row{Record: *r, attributes: encodeAttributes(r.Attributes), code: []byte{}}
	if w.Sealed {
		w.attributes = seal(k.seal, w.attributes, w.header())
	}
	w.digest, w.apart = []byte{}, []byte{}
	if len(r.Values) > 0 {
		w.apart = encodeAttributes(r.Values)
		if w.Sealed {
			w.apart = seal(k.seal, w.apart, w.valuesHeader())
		}
		digest := sha256.Sum256(w.apart)
		w.digest = digest[:]
	}
	if k != nil {
		w.code = k.code(w.encoded())
	}
	return w
}

func (w *row) valuesHeader() []byte { return append(w.header(), "values"...) }

// values decodes the values that are kept apart.
func (w *row) values(k *keys) (map[uint64][]byte, error) {
	if len(w.digest) == 0 {
		return nil, nil
	}
	digest := sha256.Sum256(w.apart)
	if !bytes.Equal(digest[:], w.digest) {
		return nil, ErrNoRecord
	}
	plain := w.apart
	if w.Sealed {
		if k == nil {
			return nil, ErrLocked
		}
		var err error
		if plain, err = open(k.seal, plain, w.valuesHeader()); err != nil {
			return nil, ErrNoRecord
		}
	}
	values, err := decodeAttributes(plain)
	if err != nil {
		return nil, ErrNoRecord
	}
	return values, nil
}

// record decodes the row. The keys may be nil; what cannot be checked without
// them is then taken as it is. It returns false when the row is not as the store
// wrote it.
func (w *row) record(k *keys) (*Record, bool) {
	if !w.acceptable(k) {
		return nil, false
	}
	w.Authentic, w.Apart = len(w.code) > 0, len(w.digest) > 0
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

func (w *row) encoded() []byte { return append(append(w.header(), w.attributes...), w.digest...) }

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
