// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"libzk_pkcs11/internal/secret"
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
	// when they are sealed and the store is locked, or has not got the token's root.
	Attributes map[uint64][]byte
	// Values are attributes that are kept apart and sealed by themselves, so that a caller who
	// reads a record sees none of them; see Store.Values. Nil in a record that was read,
	// but for Tx.Current. Put keeps those that there are when it finds nil, and Apart true.
	Values map[uint64][]byte
	Apart  bool   // the record has Values
	Terms  []Term // by which Find finds the record; written, never read back
}

// row is a record as the file holds it.
type row struct {
	Record
	attributes []byte // encoded, and sealed when Sealed
	code       []byte // HMAC-SHA256 over everything else; empty when written by a locked store
	digest     []byte // of the Values, or empty; nil in a row of format 1
}

// newRow encodes, seals and authenticates the record, whose Values have the digest. The
// keys may be nil unless the record needs them.
func newRow(r *Record, digest []byte, k *keys) *row {
	w := &row{Record: *r, code: []byte{}, digest: digest}
	if w.Sealed {
		w.attributes = sealAttributes(k.seal, r.Attributes, w.header())
	} else {
		w.attributes = encodeAttributes(r.Attributes)
	}
	if k != nil {
		w.code = w.rightCode(k)
	}
	return w
}

// record decodes the row. The keys may be nil; what cannot be checked without
// them is then taken as it is. It reports whether the row is as the store wrote
// it.
func (w *row) record(k *keys) (*Record, bool) {
	if !w.acceptable(k) {
		return nil, false
	}
	w.Authentic, w.Apart = len(w.code) > 0, len(w.digest) > 0
	if w.Sealed && !k.canOpen() {
		return &w.Record, true
	}
	var err error
	if w.Sealed {
		w.Attributes, err = openAttributes(k.seal, w.attributes, w.header())
	} else {
		w.Attributes, err = decodeAttributes(w.attributes)
	}
	return &w.Record, err == nil
}

func (w *row) acceptable(k *keys) bool {
	if len(w.code) == 0 {
		return !w.needsKeys()
	}
	return k == nil || hmac.Equal(w.code, w.rightCode(k))
}

// needsKeys reports whether only an unlocked store may write the record: anybody
// may make a public object, but not claim a key.
func (r *Record) needsKeys() bool { return r.Sealed || r.Slot != NoSlot }

// rightCode returns the code that authenticates the row. Each format has a key of its
// own, so that no row of one is taken for one of the other.
func (w *row) rightCode(k *keys) []byte {
	if w.digest == nil {
		return code(k.format1, append(w.header(), w.attributes...))
	}
	b := append(w.header(), byte(len(w.digest)))
	b = append(b, w.digest...)
	return code(k.authenticate, append(b, w.attributes...))
}

// header encodes what a record is of, in a form that no two records share.
func (w *row) header() []byte {
	b := make([]byte, 0, 128+len(w.Public)+len(w.attributes))
	b = binary.BigEndian.AppendUint64(b, uint64(w.ID))
	b = binary.BigEndian.AppendUint64(b, uint64(w.Slot))
	for _, set := range [...]bool{w.Private, w.Sealed, w.Hidden} {
		b = append(b, 0)
		if set {
			b[len(b)-1] = 1
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(w.Public)))
	return append(b, w.Public...)
}

// encodeValues returns how the file holds the Values, and the digest of that.
func (w *row) encodeValues(k *keys) (apart, digest []byte) {
	if len(w.Values) == 0 {
		return []byte{}, []byte{}
	}
	if w.Sealed {
		apart = sealAttributes(k.seal, w.Values, w.valuesHeader())
	} else {
		apart = encodeAttributes(w.Values)
	}
	return apart, digestOf(apart)
}

// valuesHeader is what sealed values go with. It keeps them from being taken for those
// of another record, or for attributes.
func (w *row) valuesHeader() []byte { return append(w.header(), "values"...) }

func digestOf(apart []byte) []byte {
	digest := sha256.Sum256(apart)
	return digest[:]
}

// values is the reverse of encodeValues. The row has been found acceptable.
func (w *row) values(apart []byte, k *keys) (values map[uint64][]byte, err error) {
	switch {
	case len(w.digest) == 0:
		return nil, nil
	case !bytes.Equal(digestOf(apart), w.digest):
		return nil, ErrNoRecord
	case w.Sealed && !k.canOpen():
		return nil, k.missing()
	}
	if w.Sealed {
		values, err = openAttributes(k.seal, apart, w.valuesHeader())
	} else {
		values, err = decodeAttributes(apart)
	}
	if err != nil {
		return nil, ErrNoRecord
	}
	return values, nil
}

// sealAttributes leaves no copy of what it encodes.
func sealAttributes(key *secret.Buffer, attributes map[uint64][]byte, with []byte) []byte {
	plain := encodeAttributes(attributes)
	defer clear(plain)
	return seal(key, plain, with)
}

// openAttributes makes one piece of memory, of which all values are parts.
func openAttributes(key *secret.Buffer, sealed, with []byte) (map[uint64][]byte, error) {
	plain, err := open(key, sealed, with)
	if err != nil {
		return nil, err
	}
	return decodeAttributes(plain)
}
