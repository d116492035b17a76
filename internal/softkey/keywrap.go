// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// semiblock is what AES key wrapping works on.
const semiblock = 8

// longestWrapped is how long what is wrapped may be: longer than any key.
const longestWrapped = 1 << 20

// Wrap begins a wrapping by CKM_AES_KEY_WRAP (RFC 3394) of two semiblocks of 8 bytes or more. The
// initial value is of 8 bytes, or empty for that of the RFC.
func (k *AES) Wrap(initial []byte) (Stream, error) {
	return k.wrapping(keyWrap{}, initial, semiblock, bytes.Repeat([]byte{0xa6}, semiblock))
}

// Unwrap undoes Wrap. What was changed is ErrData.
func (k *AES) Unwrap(initial []byte) (Stream, error) {
	return k.wrapping(keyUnwrap{}, initial, semiblock, bytes.Repeat([]byte{0xa6}, semiblock))
}

// WrapPadded begins a wrapping by CKM_AES_KEY_WRAP_KWP (RFC 5649) of one byte or more. The
// initial value is of 4 bytes, or empty for that of the RFC.
func (k *AES) WrapPadded(initial []byte) (Stream, error) {
	return k.wrapping(paddedWrap{}, initial, semiblock/2, []byte{0xa6, 0x59, 0x59, 0xa6})
}

// UnwrapPadded undoes WrapPadded. What was changed is ErrData.
func (k *AES) UnwrapPadded(initial []byte) (Stream, error) {
	return k.wrapping(paddedUnwrap{}, initial, semiblock/2, []byte{0xa6, 0x59, 0x59, 0xa6})
}

// WrapPKCS7 is Wrap of any length, with the padding of PKCS #7 to a semiblock
// (CKM_AES_KEY_WRAP_PKCS7).
func (k *AES) WrapPKCS7(initial []byte) (Stream, error) {
	return k.wrapping(pkcs7Wrap{}, initial, semiblock, bytes.Repeat([]byte{0xa6}, semiblock))
}

// UnwrapPKCS7 undoes WrapPKCS7. What was changed is ErrData.
func (k *AES) UnwrapPKCS7(initial []byte) (Stream, error) {
	return k.wrapping(pkcs7Unwrap{}, initial, semiblock, bytes.Repeat([]byte{0xa6}, semiblock))
}

// wrapper is one of the six, which are told apart by their type alone.
type wrapper interface {
	outputSize(n int) int
	applyTo(block cipher.Block, initial, message []byte) ([]byte, error)
}

func (k *AES) wrapping(w wrapper, initial []byte, size int, usual []byte) (Stream, error) {
	switch len(initial) {
	case 0:
		initial = usual
	case size:
		initial = bytes.Clone(initial)
	default:
		return nil, fmt.Errorf("initial value of %d bytes: %w", len(initial), ErrParameter)
	}
	block, _ := k.ciphers()
	return newWhole(&wrapped{w, block, initial}, longestWrapped), nil
}

// wrapped is a wrapper with its key.
type wrapped struct {
	wrapper
	block   cipher.Block
	initial []byte
}

func (w *wrapped) applyTo(dst, message []byte) ([]byte, error) {
	b, err := w.wrapper.applyTo(w.block, w.initial, message)
	defer clear(b)
	if err != nil {
		return nil, err
	}
	return append(dst, b...), nil
}

type (
	keyWrap      struct{}
	keyUnwrap    struct{}
	paddedWrap   struct{}
	paddedUnwrap struct{}
	pkcs7Wrap    struct{}
	pkcs7Unwrap  struct{}
)

func (keyWrap) outputSize(n int) int      { return n + semiblock }
func (keyUnwrap) outputSize(n int) int    { return max(0, n-semiblock) }
func (paddedWrap) outputSize(n int) int   { return (n+semiblock-1)/semiblock*semiblock + semiblock }
func (paddedUnwrap) outputSize(n int) int { return max(0, n-semiblock) }
func (pkcs7Wrap) outputSize(n int) int    { return n/semiblock*semiblock + 2*semiblock }
func (pkcs7Unwrap) outputSize(n int) int  { return max(0, n-semiblock) }

func (keyWrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	if len(message) < 2*semiblock || len(message)%semiblock != 0 {
		return nil, ErrLength
	}
	b := append(bytes.Clone(initial), message...)
	wrapRounds(block, b)
	return b, nil
}

func (keyUnwrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	if len(message) < 3*semiblock || len(message)%semiblock != 0 {
		return nil, ErrLength
	}
	b := bytes.Clone(message)
	unwrapRounds(block, b)
	if subtle.ConstantTimeCompare(b[:semiblock], initial) != 1 {
		clear(b)
		return nil, ErrData
	}
	return b[semiblock:], nil
}

func (paddedWrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	if len(message) == 0 {
		return nil, ErrLength
	}
	b := make([]byte, paddedWrap{}.outputSize(len(message)))
	copy(b, initial)
	binary.BigEndian.PutUint32(b[semiblock/2:], uint32(len(message)))
	copy(b[semiblock:], message)
	if len(b) == aes.BlockSize {
		block.Encrypt(b, b)
		return b, nil
	}
	wrapRounds(block, b)
	return b, nil
}

// applyTo looks at all that can be wrong before it says that something is.
func (paddedUnwrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	if len(message) < 2*semiblock || len(message)%semiblock != 0 {
		return nil, ErrLength
	}
	b := bytes.Clone(message)
	if len(b) == aes.BlockSize {
		block.Decrypt(b, b)
	} else {
		unwrapRounds(block, b)
	}
	n, good := paddedLength(b, initial)
	if good != 1 {
		clear(b)
		return nil, ErrData
	}
	return b[semiblock : semiblock+n], nil
}

// paddedLength returns the length that stands in an unwrapped block, and 1 if that, the initial value and
// the zeros of the padding are right.
func paddedLength(b, initial []byte) (n, good int) {
	told := uint64(binary.BigEndian.Uint32(b[semiblock/2:]))
	room := uint64(len(b) - semiblock)
	good = subtle.ConstantTimeCompare(b[:semiblock/2], initial)
	good &= int((told-room-1)>>63) & int((room-semiblock-told)>>63) // room-8 < told <= room
	n = len(b) - semiblock
	for i := len(b) - semiblock + 1; i < len(b); i++ {
		inside := int((uint64(i-semiblock) - told) >> 63) // before told
		good &= inside | subtle.ConstantTimeByteEq(b[i], 0)
	}
	return subtle.ConstantTimeSelect(good, int(told), n), good
}

func (pkcs7Wrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	size := semiblock - len(message)%semiblock
	padded := append(bytes.Clone(message), bytes.Repeat([]byte{byte(size)}, size)...)
	defer clear(padded)
	if len(padded) == semiblock {
		return nil, ErrLength // RFC 3394 wraps two semiblocks and more
	}
	return keyWrap{}.applyTo(block, initial, padded)
}

func (pkcs7Unwrap) applyTo(block cipher.Block, initial, message []byte) ([]byte, error) {
	b, err := keyUnwrap{}.applyTo(block, initial, message)
	if err != nil {
		return nil, err
	}
	n, good := unpadded(b[len(b)-semiblock:])
	if good != 1 {
		clear(b)
		return nil, ErrData
	}
	return b[:len(b)-semiblock+n], nil
}

// wrapRounds is the function W of NIST SP 800-38F, in place.
func wrapRounds(block cipher.Block, b []byte) {
	var x [aes.BlockSize]byte
	copy(x[:], b[:semiblock])
	t := uint64(0)
	for range 6 {
		for i := semiblock; i < len(b); i += semiblock {
			t++
			copy(x[semiblock:], b[i:])
			block.Encrypt(x[:], x[:])
			copy(b[i:], x[semiblock:])
			addCounter(x[:semiblock], t)
		}
	}
	copy(b, x[:semiblock])
}

// unwrapRounds undoes wrapRounds.
func unwrapRounds(block cipher.Block, b []byte) {
	var x [aes.BlockSize]byte
	copy(x[:], b[:semiblock])
	t := uint64(6 * (len(b)/semiblock - 1))
	for range 6 {
		for i := len(b) - semiblock; i > 0; i -= semiblock {
			addCounter(x[:semiblock], t)
			t--
			copy(x[semiblock:], b[i:i+semiblock])
			block.Decrypt(x[:], x[:])
			copy(b[i:], x[semiblock:])
		}
	}
	copy(b, x[:semiblock])
}

func addCounter(b []byte, t uint64) { binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(b)^t) }
