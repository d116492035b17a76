// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// EncryptECB begins an encryption of whole blocks, each by itself.
func (k *AES) EncryptECB() Stream {
	block, _ := k.ciphers()
	return &blocks{mode: ecb{block, block.Encrypt}}
}

// DecryptECB undoes EncryptECB.
func (k *AES) DecryptECB() Stream {
	block, _ := k.ciphers()
	return &blocks{mode: ecb{block, block.Decrypt}}
}

// EncryptCBC begins an encryption of whole blocks with an IV of 16 bytes.
func (k *AES) EncryptCBC(iv []byte) (Stream, error) {
	mode, err := k.modeCBC(iv, cipher.NewCBCEncrypter)
	if err != nil {
		return nil, err
	}
	return &blocks{mode: mode}, nil
}

// DecryptCBC undoes EncryptCBC.
func (k *AES) DecryptCBC(iv []byte) (Stream, error) {
	mode, err := k.modeCBC(iv, cipher.NewCBCDecrypter)
	if err != nil {
		return nil, err
	}
	return &blocks{mode: mode}, nil
}

// EncryptCBCPad is EncryptCBC of any length, with the padding of PKCS #7.
func (k *AES) EncryptCBCPad(iv []byte) (Stream, error) {
	mode, err := k.modeCBC(iv, cipher.NewCBCEncrypter)
	if err != nil {
		return nil, err
	}
	return &padding{blocks{mode: mode}}, nil
}

// DecryptCBCPad undoes EncryptCBCPad. All that is wrong with a padding is ErrData, after the same time.
func (k *AES) DecryptCBCPad(iv []byte) (Stream, error) {
	mode, err := k.modeCBC(iv, cipher.NewCBCDecrypter)
	if err != nil {
		return nil, err
	}
	return &unpadding{blocks{mode: mode, behind: aes.BlockSize}}, nil
}

func (k *AES) modeCBC(iv []byte, mode func(cipher.Block, []byte) cipher.BlockMode) (cipher.BlockMode, error) {
	if len(iv) != aes.BlockSize {
		return nil, fmt.Errorf("IV of %d bytes: %w", len(iv), ErrParameter)
	}
	block, _ := k.ciphers()
	var m cipher.BlockMode
	secret.Do(func() { m = mode(block, iv) }) // it has a copy of the key
	return m, nil
}

// ecb is the mode that the standard library leaves out.
type ecb struct {
	cipher.Block
	crypt func(dst, src []byte)
}

// CryptBlocks makes it a cipher.BlockMode.
func (e ecb) CryptBlocks(dst, src []byte) {
	for ; len(src) > 0; dst, src = dst[aes.BlockSize:], src[aes.BlockSize:] {
		e.crypt(dst[:aes.BlockSize], src[:aes.BlockSize])
	}
}

// blocks is the Stream of what comes in whole blocks.
type blocks struct {
	mode   cipher.BlockMode
	rest   [aes.BlockSize]byte // what no block was made of yet
	n      int                 // how much of it there is
	behind int                 // as many bytes wait until more come, or the end
	ended  bool
}

func (b *blocks) WholeSize(n int) int { return n }

func (b *blocks) Whole(dst, message []byte) ([]byte, error) {
	if b.ended {
		return nil, ErrEnded
	}
	b.ended = true
	if len(message)%aes.BlockSize != 0 {
		return nil, ErrLength
	}
	return b.cryptBlocks(dst, separated(dst, message)), nil
}

// UpdateSize counts the blocks that are complete, less what waits.
func (b *blocks) UpdateSize(n int) int {
	ready := b.n + n
	if b.behind > 0 && ready > 0 {
		ready--
	}
	return ready / aes.BlockSize * aes.BlockSize
}

func (b *blocks) Update(dst, part []byte) ([]byte, error) {
	if b.ended {
		return nil, ErrEnded
	}
	size := b.UpdateSize(len(part))
	if size == 0 {
		b.n += copy(b.rest[b.n:], part)
		return dst, nil
	}
	if b.n > 0 {
		part = elsewhere(dst, part)
		taken := copy(b.rest[b.n:], part)
		dst, part, size = b.cryptBlocks(dst, b.rest[:]), part[taken:], size-aes.BlockSize
	}
	part = separated(dst, part)
	left := part[size:]
	var rest [aes.BlockSize]byte
	b.n = copy(rest[:], left) // before it is overwritten
	dst = b.cryptBlocks(dst, part[:size])
	b.rest = rest
	return dst, nil
}

func (b *blocks) FinalSize() int { return 0 }

func (b *blocks) Final(dst []byte) ([]byte, error) {
	switch {
	case b.ended:
		return nil, ErrEnded
	case b.n > 0:
		b.endMessage()
		return nil, ErrLength
	}
	b.endMessage()
	return dst, nil
}

// endMessage overwrites what is left of the message.
func (b *blocks) endMessage() {
	clear(b.rest[:])
	b.n, b.ended = 0, true
}

// cryptBlocks appends what the mode makes of whole blocks.
func (b *blocks) cryptBlocks(dst, in []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(in))[:n+len(in)]
	b.mode.CryptBlocks(dst[n:], in)
	return dst
}

// padding is blocks with a padding at the end.
type padding struct{ blocks }

func (p *padding) WholeSize(n int) int { return n/aes.BlockSize*aes.BlockSize + aes.BlockSize }

func (p *padding) Whole(dst, message []byte) ([]byte, error) {
	dst = slices.Grow(dst, p.WholeSize(len(message)))
	dst, err := p.Update(dst, message)
	if err != nil {
		return nil, err
	}
	return p.Final(dst)
}

func (p *padding) FinalSize() int { return aes.BlockSize }

func (p *padding) Final(dst []byte) ([]byte, error) {
	if p.ended {
		return nil, ErrEnded
	}
	for i := p.n; i < aes.BlockSize; i++ {
		p.rest[i] = byte(aes.BlockSize - p.n)
	}
	dst = p.cryptBlocks(dst, p.rest[:])
	p.endMessage()
	return dst, nil
}

// unpadding is blocks of which the last one has a padding.
type unpadding struct{ blocks }

func (u *unpadding) Whole(dst, message []byte) ([]byte, error) {
	if u.ended {
		return nil, ErrEnded
	}
	if len(message) == 0 || len(message)%aes.BlockSize != 0 {
		u.endMessage()
		return nil, ErrLength
	}
	dst = slices.Grow(dst, len(message))
	dst, err := u.Update(dst, message)
	if err != nil {
		return nil, err
	}
	return u.Final(dst)
}

func (u *unpadding) FinalSize() int { return aes.BlockSize }

func (u *unpadding) Final(dst []byte) ([]byte, error) {
	if u.ended {
		return nil, ErrEnded
	}
	defer u.endMessage()
	if u.n != aes.BlockSize {
		return nil, ErrLength
	}
	u.mode.CryptBlocks(u.rest[:], u.rest[:])
	n, good := unpadded(u.rest[:])
	if good != 1 {
		return nil, ErrData
	}
	return append(dst, u.rest[:n]...), nil
}

// unpadded returns the length of what stands before the padding of PKCS #7 in a block, and 1,
// or 0 where there is no such padding. Its time depends on the length of the block alone.
func unpadded(block []byte) (n, good int) {
	last := int(block[len(block)-1])
	good = subtle.ConstantTimeLessOrEq(1, last) & subtle.ConstantTimeLessOrEq(last, len(block))
	for i, b := range block {
		inside := subtle.ConstantTimeLessOrEq(len(block)-i, last)
		good &= (1 - inside) | subtle.ConstantTimeByteEq(b, byte(last))
	}
	return len(block) - last, good
}
