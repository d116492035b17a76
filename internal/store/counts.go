// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// counts are the wrong PINs in a row, by User.
type counts struct {
	sequence uint64   // of writes to the file
	token    identity // whose counts they are
	of       [2]count
	seen     seen
}

// identity is a random number that a token has from its making on.
type identity [16]byte

// seen is how far the token had come at the last login: where it has not come as far now,
// somebody has put back an older copy.
type seen struct {
	revision uint64 // of the records
	changes  uint64 // of the device
}

// count belongs to the PIN that has the salt. A new PIN, which is written to the token's
// file alone, has none and so no failures.
type count struct {
	salt     [saltSize]byte
	failures uint32
	trying   bool // an attempt is under way, which counts unless it is taken back
}

// failures returns the number of failures of a PIN, without an attempt under way.
func (c *counts) failures(u User, p *pinRow) int {
	if !bytes.Equal(c.of[u].salt[:], p.salt) {
		return 0
	}
	return int(c.of[u].failures)
}

// settle counts attempts whose processes have died.
func (c *counts) settle() {
	for u := range c.of {
		if n := &c.of[u]; n.trying {
			n.trying = false
			n.failures++
		}
	}
}

// trying reports whether there is an attempt that nobody has finished.
func (c *counts) trying() bool { return c.of[SO].trying || c.of[NormalUser].trying }

// The file has two copies of the counts, which are written in turn: an attempt that is
// torn leaves the other one. Each has a block of its own. Big-endian, a copy is
//
//	magic, sequence, token, twice (salt, failures, 1 while trying), seen, SHA-256 of all that
//
// and the one with the higher sequence counts.
const (
	countsMagic = "zk PINs\x01"
	countSize   = saltSize + 4 + 4
	copySize    = len(countsMagic) + 8 + len(identity{}) + 2*countSize + 2*8 + sha256.Size
	copyBlock   = 4096
	countsSize  = 2 * copyBlock
)

// encode returns a copy.
func (c *counts) encode() []byte {
	b := make([]byte, 0, copySize)
	b = append(b, countsMagic...)
	b = binary.BigEndian.AppendUint64(b, c.sequence)
	b = append(b, c.token[:]...)
	for _, n := range c.of {
		b = append(b, n.salt[:]...)
		b = binary.BigEndian.AppendUint32(b, n.failures)
		b = append(b, 0, 0, 0, 0)
		if n.trying {
			b[len(b)-1] = 1
		}
	}
	b = binary.BigEndian.AppendUint64(b, c.seen.revision)
	b = binary.BigEndian.AppendUint64(b, c.seen.changes)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// offset is where the copy stands in the file.
func (c *counts) offset() int64 { return int64(c.sequence % 2 * copyBlock) }

// decodeCounts takes the newer copy of a file. It reports whether there is one.
func decodeCounts(file []byte) (newest counts, ok bool) {
	for _, offset := range [...]int64{0, copyBlock} {
		c, whole := decodeCopy(file[offset:][:copySize])
		if whole && c.offset() == offset && (!ok || c.sequence > newest.sequence) {
			newest, ok = c, true
		}
	}
	return newest, ok
}

func decodeCopy(b []byte) (c counts, ok bool) {
	content, sum := b[:copySize-sha256.Size], b[copySize-sha256.Size:]
	if is := sha256.Sum256(content); !bytes.Equal(is[:], sum) || string(b[:len(countsMagic)]) != countsMagic {
		return c, false
	}
	b = content[len(countsMagic):]
	c.sequence, b = binary.BigEndian.Uint64(b), b[8:]
	b = b[copy(c.token[:], b):]
	for u := range c.of {
		n := &c.of[u]
		copy(n.salt[:], b)
		n.failures, n.trying = binary.BigEndian.Uint32(b[saltSize:]), b[countSize-1] != 0
		b = b[countSize:]
	}
	c.seen.revision, c.seen.changes = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	return c, true
}
