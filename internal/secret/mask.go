// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Mask keeps secrets in ordinary memory that are of no use there: they are masked by a
// key in a Buffer. A forked child and a core dump have the memory and not the key, and
// when the key is destroyed, all that it masks is gone at once. The memory itself may be
// copied and collected as Go likes.
type Mask struct {
	mu  sync.RWMutex
	key *Buffer // nil once destroyed
}

// Masked is a secret behind a Mask.
type Masked struct {
	nonce [16]byte
	text  []byte
}

// NewMask returns a mask with a random key.
func NewMask() *Mask {
	m := &Mask{key: New(sha256.Size)}
	rand.Read(m.key.Bytes())
	return m
}

// Hide masks a secret, which stays where it is. What is hidden by a destroyed mask cannot
// be shown.
func (m *Mask) Hide(b []byte) *Masked {
	x := &Masked{text: make([]byte, len(b))}
	rand.Read(x.nonce[:])
	m.apply(x, x.text, b)
	return x
}

// Size is the length of the secret.
func (x *Masked) Size() int { return len(x.text) }

// Show writes the secret to out, which has its length. It reports whether it
// did: a mask that is destroyed shows nothing. A caller who has out on the stack calls it
// within Do.
func (m *Mask) Show(out []byte, x *Masked) bool { return m.apply(x, out, x.text) }

// apply masks what is not masked, and the reverse. It reports whether it did.
func (m *Mask) apply(x *Masked, out, in []byte) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.key == nil {
		return false
	}
	within(func() { x.mask(out, in, m.key.Bytes()) })
	return true
}

// mask adds a stream that SHA-256 makes of the key, the nonce and a counter, in one block
// of the hash each.
func (x *Masked) mask(out, in, key []byte) {
	var input [sha256.Size + len(x.nonce) + 4]byte
	copy(input[:], key)
	copy(input[sha256.Size:], x.nonce[:])
	for i := uint32(0); len(in) > 0; i++ {
		binary.BigEndian.PutUint32(input[len(input)-4:], i)
		stream := sha256.Sum256(input[:])
		n := min(len(in), len(stream))
		for j := range n {
			out[j] = in[j] ^ stream[j]
		}
		in, out = in[n:], out[n:]
	}
}

// Destroy overwrites the key. Destroying a mask again, or a nil one, does nothing.
func (m *Mask) Destroy() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.key.Destroy()
	m.key = nil
}
