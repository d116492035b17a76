// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Handles of sessions and session objects are counted. Those of token objects are hashes
// of what they name, so that a forked child finds them again that has got no table of them
// (docs/adr/0022). One bit tells the two kinds apart; the highest bit is left to programs
// that take handles for signed numbers.
const namesTokenObject = uint(1) << (bits.UintSize - 2)

// newHandle returns a number that was no handle before.
func (p *Provider) newHandle() uint {
	for {
		if h := uint(p.handles.Add(1)) &^ (namesTokenObject | namesTokenObject<<1); h != 0 {
			return h
		}
	}
}

// eras tell the handles that a token's objects have now from those that they had before: a
// token that has come back has others, and private objects have others after a logout.
// They are numbers that were no handles.
type eras struct{ public, private uint }

// handled gives a token object the handle that it has, or one that it was never given.
func (t *token) handled(o *object) *object {
	if o.handle == 0 {
		known := false
		if o.handle, known = t.objects.handles[o.id]; !known {
			o.handle = t.name(o)
		}
	}
	if o.owner == nil {
		o.order = t.objects.named[o.handle]
	}
	return o
}

// name returns the first handle for an object that has named none yet. Only of the very
// few that are not the first try a child has to be told.
func (t *token) name(o *object) uint {
	c := &t.objects
	era := t.eras.public
	if o.private() {
		era = t.eras.private
	}
	for n := uint(0); ; n++ {
		h := hashedHandle(t.slot.id, era, o, n)
		if _, taken := c.named[h]; taken {
			continue
		}
		c.named[h] = t.slot.provider.newHandle()
		if n > 0 {
			t.leaveName(o.id, h)
		}
		return h
	}
}

// hashedHandle is the n-th handle by which a token object can be named.
func hashedHandle(slot, era uint, o *object, n uint) uint {
	b := make([]byte, 0, 128)
	for _, x := range [...]uint64{uint64(slot), uint64(era), uint64(n)} {
		b = binary.BigEndian.AppendUint64(b, x)
	}
	unique, has := o.attrs[CKA_UNIQUE_ID]
	if !has { // of an earlier version
		unique = binary.BigEndian.AppendUint64(nil, uint64(o.id.record))
	}
	sum := sha256.Sum256(append(b, unique...))
	return uint(binary.BigEndian.Uint64(sum[:]))&(namesTokenObject-1) | namesTokenObject
}
