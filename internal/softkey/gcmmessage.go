// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// Generator is how the part of an IV that is not fixed is made. The numbers are those of
// CKG_NO_GENERATE and its like.
type Generator int

// The generators of PKCS#11.
const (
	GenerateNone       Generator = iota // the caller gives the whole IV
	Generate                            // as this package likes: at random
	GenerateCounter                     // 0, 1, 2, ... for the messages of one operation
	GenerateRandom                      // at random
	GenerateCounterXOR                  // as counted, added to what the caller gives
)

// leastRandom is how many bits of an IV have to be random: with fewer, two messages soon have the same.
const leastRandom = 64

// MessageIV is the IV of one message, with what is fixed of it.
type MessageIV struct {
	IV        []byte // is completed in place
	FixedBits int    // the highest bits, which the caller gives
	Generator Generator
}

// Messages is an operation of many messages by AES-GCM, each with an IV of its own
// (C_MessageEncryptInit, C_MessageDecryptInit). It belongs to one session.
type Messages struct {
	key     *AES
	counted uint64 // messages that a counter was used for
	first   []byte // what GenerateCounterXOR is to be given each time
}

// Messages begins an operation of many messages.
func (k *AES) Messages() *Messages { return &Messages{key: k} }

// Encrypt encrypts one message and appends the result to dst, and returns the tag by itself.
// The IV is completed in place first.
func (m *Messages) Encrypt(dst []byte, iv MessageIV, g GCM, message []byte) (out, tag []byte, err error) {
	s, err := m.BeginEncrypt(iv, g)
	if err != nil {
		return nil, nil, err
	}
	if len(message) > longestGCM {
		return nil, nil, ErrLength
	}
	return s.finish(dst, separated(dst, message))
}

// Decrypt decrypts one message, with the tag that came with it.
func (m *Messages) Decrypt(dst []byte, g GCM, message, tag []byte) ([]byte, error) {
	s, err := m.BeginDecrypt(g)
	if err != nil {
		return nil, err
	}
	if err := s.addPart(message); err != nil {
		return nil, err
	}
	return s.Final(dst, tag)
}

// Sealed is a message under way that Messages encrypts: what C_EncryptMessageBegin begins.
type Sealed struct {
	gathered
	gcm gcm
}

// BeginEncrypt begins a message in parts. The IV is completed in place. GCM.IV is not looked at.
func (m *Messages) BeginEncrypt(iv MessageIV, g GCM) (*Sealed, error) {
	g.IV = iv.IV
	s := &Sealed{gathered: gathered{most: longestGCM}}
	if err := s.gcm.prepare(m.key, &g); err != nil {
		return nil, err
	}
	if err := m.complete(iv); err != nil {
		return nil, err
	}
	copy(s.gcm.iv, iv.IV)
	return s, nil
}

// Update takes one more part. All of the result comes from Final.
func (s *Sealed) Update(part []byte) error { return s.addPart(part) }

// FinalSize is how many bytes Final gives when last more come with it.
func (s *Sealed) FinalSize(last int) int { return len(s.message) + last }

// Final appends the encrypted message, and returns the tag.
func (s *Sealed) Final(dst []byte) (out, tag []byte, err error) {
	if s.ended {
		return nil, nil, ErrEnded
	}
	return s.finish(dst, s.message)
}

func (s *Sealed) finish(dst, message []byte) (out, tag []byte, err error) {
	sealed := s.gcm.sealMessage(nil, message)
	s.endMessage()
	return append(dst, sealed[:len(sealed)-s.gcm.tag]...), sealed[len(sealed)-s.gcm.tag:], nil
}

// TagSize is the length of the tag that Final returns.
func (s *Sealed) TagSize() int { return s.gcm.tag }

// Erase overwrites what came in of a message that is given up.
func (s *Sealed) Erase() { s.endMessage() }

// Opened is a message under way that Messages decrypts: what C_DecryptMessageBegin begins.
type Opened struct {
	gathered
	gcm gcm
}

// BeginDecrypt begins a message in parts.
func (m *Messages) BeginDecrypt(g GCM) (*Opened, error) {
	o := &Opened{gathered: gathered{most: longestGCM}}
	if err := o.gcm.prepare(m.key, &g); err != nil {
		return nil, err
	}
	return o, nil
}

// Update takes one more part. Nothing is given out before the tag was found right.
func (o *Opened) Update(part []byte) error { return o.addPart(part) }

// FinalSize is how many bytes Final gives when last more come with it.
func (o *Opened) FinalSize(last int) int { return len(o.message) + last }

// Final appends the message, if the tag is its tag.
func (o *Opened) Final(dst, tag []byte) ([]byte, error) {
	if o.ended {
		return nil, ErrEnded
	}
	defer o.endMessage()
	if len(tag) != o.gcm.tag {
		return nil, fmt.Errorf("tag of %d bytes: %w", len(tag), ErrParameter)
	}
	o.message = secret.Append(o.message, tag...)
	return o.gcm.openMessage(dst, o.message)
}

// Erase overwrites what came in of a message that is given up.
func (o *Opened) Erase() { o.endMessage() }

// complete makes what is not fixed of an IV.
func (m *Messages) complete(iv MessageIV) error {
	size := 8 * len(iv.IV)
	if iv.FixedBits < 0 || iv.FixedBits > size {
		return fmt.Errorf("%d of %d bits fixed: %w", iv.FixedBits, size, ErrParameter)
	}
	switch iv.Generator {
	case GenerateNone:
		return nil
	case Generate, GenerateRandom:
		return randomIV(iv.IV, iv.FixedBits)
	case GenerateCounter:
		return m.countIV(iv.IV, nil, iv.FixedBits)
	case GenerateCounterXOR:
		return m.xorIV(iv)
	}
	return fmt.Errorf("generator %d: %w", iv.Generator, ErrParameter)
}

func randomIV(iv []byte, fixed int) error {
	if 8*len(iv)-fixed < leastRandom {
		return fmt.Errorf("%d of %d bits fixed: %w", fixed, 8*len(iv), ErrParameter)
	}
	random := make([]byte, len(iv))
	rand.Read(random)
	replace(iv, random, fixed)
	return nil
}

// xorIV adds the count to what the caller gives, which has to be the same for all messages.
func (m *Messages) xorIV(iv MessageIV) error {
	if m.first == nil {
		m.first = append([]byte{}, iv.IV...)
	}
	same := append([]byte{}, iv.IV...)
	if len(same) != len(m.first) {
		return fmt.Errorf("IV of %d bytes after one of %d: %w", len(same), len(m.first), ErrParameter)
	}
	replace(same, m.first, iv.FixedBits) // the caller may give the last one made
	return m.countIV(iv.IV, same, iv.FixedBits)
}

// countIV puts the count of messages into what is not fixed, added to base if there is one.
func (m *Messages) countIV(iv, base []byte, fixed int) error {
	free := 8*len(iv) - fixed
	if free < 64 && m.counted>>free != 0 || m.counted == 1<<64-1 {
		return ErrExhausted
	}
	count := make([]byte, max(8, len(iv)))
	binary.BigEndian.PutUint64(count[len(count)-8:], m.counted)
	count = count[len(count)-len(iv):]
	if base != nil {
		subtle.XORBytes(count, count, base)
	}
	replace(iv, count, fixed)
	m.counted++
	return nil
}

// replace writes all bits of from but the highest ones into iv.
func replace(iv, from []byte, fixed int) {
	whole, bits := fixed/8, fixed%8
	if whole == len(iv) {
		return
	}
	mask := byte(0xff) >> bits
	iv[whole] = iv[whole]&^mask | from[whole]&mask
	copy(iv[whole+1:], from[whole+1:])
}
