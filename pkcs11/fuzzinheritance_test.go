// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// pieces cuts bytes into pieces of an estate, each with its length before it.
func pieces(input []byte) map[Piece][]byte {
	m := map[Piece][]byte{}
	for len(input) >= 2 {
		n := min(int(binary.BigEndian.Uint16(input)), len(input)-2)
		m[Piece(len(m)+1)] = bytes.Clone(input[2 : 2+n])
		input = input[2+n:]
	}
	return m
}

// FuzzInheritance: a child can bear anything that it finds where its parent should have left something: it can
// begin anew.
func FuzzInheritance(f *testing.F) {
	p := newParent(f)
	_, err := p.CreateObject(p.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "x"))
	p.ok(err)
	p.private(0)
	var seed []byte
	for _, b := range p.left.pieces {
		seed = append(binary.BigEndian.AppendUint16(seed, uint16(len(b))), b...)
	}
	f.Add(seed)
	f.Add([]byte("\x00\x08\x00\x00\x00\x00\x00\x00\x00\x03"))
	f.Fuzz(func(t *testing.T, input []byte) {
		left := pieces(input)
		c := openIn(t, p.dir, Options{Estate: &memory{last: Piece(len(left)), pieces: left}})
		for h := range c.inherited {
			_, _ = c.GetSessionInfo(h) // of a parent that there never was
			_, _ = c.KeysInSlot(h, 0)
		}
		c.ok(c.CloseAllSessions(0))
		c.h = c.session(CKF_RW_SESSION)
		c.login(CKU_USER)
		_, err := c.KeysInSlot(c.h, 0)
		c.ok(err)
		c.ok(c.Logout(c.h))
		c.ok(c.CloseAllSessions(0))
	})
}
