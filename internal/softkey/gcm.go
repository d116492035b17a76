// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// GCM is what an encryption by AES-GCM is made with.
type GCM struct {
	IV      []byte // 1 byte or more; 12 are fast
	AAD     []byte // what is authenticated besides, or nil
	TagBits int    // 128, 120, 112, 104, 96, 64 or 32
}

// sizes of GCM in bytes
const (
	usualIV    = 12
	fullTag    = 16
	longestIV  = 1 << 16
	longestAAD = 1 << 30
	longestGCM = 1<<31 - 1 // of what is held in memory; the mode ends at 2^36
)

// EncryptGCM begins an encryption by AES-GCM, whose result has the tag at its end. The caller
// sees to it that no IV is used twice with the key.
func (k *AES) EncryptGCM(g GCM) (Stream, error) {
	s := &sealing{}
	if err := s.gcm.prepare(k, &g); err != nil {
		return nil, err
	}
	s.whole = whole{gathered{most: longestGCM}, &s.gcm}
	return s, nil
}

// DecryptGCM undoes EncryptGCM. It gives nothing out before the tag was found right.
func (k *AES) DecryptGCM(g GCM) (Stream, error) {
	o := &opening{}
	if err := o.gcm.prepare(k, &g); err != nil {
		return nil, err
	}
	o.whole = whole{gathered{most: longestGCM}, (*openingGCM)(&o.gcm)}
	return o, nil
}

// sealing and opening are each one piece of memory: they are made for every message.
type (
	sealing struct {
		whole
		gcm gcm
	}
	opening struct {
		whole
		gcm gcm
	}
)

// gcm is one message with its parameters, which are copied. It is the transform of an encryption.
type gcm struct {
	aead    cipher.AEAD // with tags of 16 bytes
	iv, aad []byte
	tag     int
	room    [usualIV]byte
}

// prepare takes over the parameters.
func (g *gcm) prepare(k *AES, p *GCM) (err error) {
	if err := p.validate(); err != nil {
		return err
	}
	g.iv = append(g.room[:0], p.IV...)
	g.aad = bytes.Clone(p.AAD)
	g.tag = p.TagBits / 8
	g.aead, err = k.newAEAD(len(g.iv))
	return err
}

func (g *GCM) validate() error {
	if len(g.IV) < 1 || len(g.IV) > longestIV || len(g.AAD) > longestAAD {
		return fmt.Errorf("IV of %d bytes, other data of %d: %w", len(g.IV), len(g.AAD), ErrParameter)
	}
	switch g.TagBits {
	case 128, 120, 112, 104, 96, 64, 32: // NIST SP 800-38D, section 5.2.1.2
		return nil
	}
	return fmt.Errorf("tag of %d bits: %w", g.TagBits, ErrParameter)
}

// newAEAD returns the cipher for IVs of a length.
func (k *AES) newAEAD(size int) (cipher.AEAD, error) {
	block, aead := k.ciphers()
	if size == usualIV {
		return aead, nil
	}
	aead, err := cipher.NewGCMWithNonceSize(block, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameter, err)
	}
	return aead, nil
}

// sealMessage appends the encrypted message and the tag.
func (g *gcm) sealMessage(dst, message []byte) []byte {
	dst = g.aead.Seal(dst, g.iv, message, g.aad)
	return dst[:len(dst)-fullTag+g.tag]
}

// openMessage appends the message that was encrypted, if the tag is its tag.
func (g *gcm) openMessage(dst, sealed []byte) ([]byte, error) {
	if len(sealed) < g.tag {
		return nil, ErrLength
	}
	if g.tag < fullTag {
		return g.openCut(dst, sealed)
	}
	dst, err := g.aead.Open(dst, g.iv, sealed, g.aad)
	if err != nil {
		return nil, ErrData
	}
	return dst, nil
}

// openCut is open for a tag of which the library has no use: what was encrypted is
// encrypted once more.
func (g *gcm) openCut(dst, sealed []byte) ([]byte, error) {
	text, tag := sealed[:len(sealed)-g.tag], sealed[len(sealed)-g.tag:]
	plain := secret.Make(len(text))
	defer clear(plain)
	stream := g.aead.Seal(nil, g.iv, plain, nil) // zeros give the stream itself
	defer clear(stream)
	subtle.XORBytes(plain, text, stream)
	again := g.aead.Seal(nil, g.iv, plain, g.aad)
	if subtle.ConstantTimeCompare(again[len(text):len(text)+g.tag], tag) != 1 {
		return nil, ErrData
	}
	return append(dst, plain...), nil
}

func (g *gcm) outputSize(n int) int { return n + g.tag }

func (g *gcm) applyTo(dst, message []byte) ([]byte, error) {
	// The library needs room for a full tag, and takes other memory where there is none.
	if room := cap(dst) - len(dst); g.tag < fullTag && room < len(message)+fullTag {
		sealed := g.sealMessage(nil, message)
		return append(dst, sealed...), nil
	}
	return g.sealMessage(dst, message), nil
}

// openingGCM is the transform of a decryption.
type openingGCM gcm

func (o *openingGCM) outputSize(n int) int { return max(0, n-o.tag) }

func (o *openingGCM) applyTo(dst, message []byte) ([]byte, error) {
	return (*gcm)(o).openMessage(slices.Grow(dst, o.outputSize(len(message))), message)
}
