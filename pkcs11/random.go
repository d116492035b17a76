// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha3"
	"sync"
)

// SeedRandom mixes seed into the random numbers of the token that this process gets
// (section 5.19.1).
func (p *Provider) SeedRandom(h uint, seed []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	s.token.seed.addSeed(seed)
	return nil
}

// maxRandom is how many random bytes are drawn at once.
const maxRandom = 64 << 10

// GenerateRandom fills a buffer with random bytes of the device (section
// 5.19.2). They are drawn into memory of its own: the kernel, or C, may be what fills it,
// and the host ends if they meet an address of the caller's that leads nowhere.
func (p *Provider) GenerateRandom(h uint, out []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	b := make([]byte, min(len(out), maxRandom))
	defer clear(b)
	for {
		n := min(len(out), len(b))
		if err := s.token.device.Random(b[:n]); err != nil {
			return err
		}
		s.token.seed.maskBytes(b[:n])
		if out = out[copy(out, b[:n]):]; len(out) == 0 {
			return nil
		}
	}
}

// seed is what callers have added to the random numbers of a token. The generator of an
// SCM takes no seed; so its bytes are masked by a stream that comes of the seed. To
// know that stream is to know no more of the bytes than without it.
type seed struct {
	mu    sync.Mutex
	state []byte // key and counter of AES, nil until the first seed
}

// addSeed hashes before it takes the lock, and mask works after it has given it back: more
// and out can be gigabytes, and other sessions do not wait for them.
func (s *seed) addSeed(more []byte) {
	hash := sha3.SumSHAKE256(more, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stirIn(hash)
}

// stirIn replaces the state by one that comes of it and of more.
func (s *seed) stirIn(more []byte) {
	h := sha3.NewSHAKE256()
	h.Write(s.state)
	h.Write(more)
	s.state = make([]byte, 32+aes.BlockSize)
	h.Read(s.state)
}

// maskBytes masks random bytes, if there is a seed.
func (s *seed) maskBytes(out []byte) {
	if stream := s.stream(); stream != nil {
		stream.XORKeyStream(out, out)
	}
}

// stream returns a stream that is used once, nil without a seed.
func (s *seed) stream() cipher.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return nil
	}
	block, err := aes.NewCipher(s.state[:32])
	if err != nil {
		panic(err) // of the length of the key only
	}
	stream := cipher.NewCTR(block, s.state[32:])
	s.stirIn(nil)
	return stream
}
