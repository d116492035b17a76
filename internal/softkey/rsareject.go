// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"libzk_pkcs11/internal/secret"
)

// Whether a padding of PKCS #1 v1.5 is right must not be told to anybody: somebody who learns it can
// have messages decrypted (Bleichenbacher 1998, Marvin 2023). So a wrong one is no error here: what comes
// out is another message, which the key and the encrypted message alone decide (implicit rejection:
// draft-irtf-cfrg-rsa-guidance, as OpenSSL 3.2 does it, with the same results).

// DecryptPKCS1 undoes EncryptPKCS1. Where there is no such padding the result is at random, always the
// same for the same message, and of a length that is at random, too.
func (k *RSA) DecryptPKCS1() Stream { return newWhole(&pkcs1Private{k}, k.Size()) }

type pkcs1Private struct{ *RSA }

func (p *pkcs1Private) outputSize(int) int { return p.Size() - overheadPKCS1 }

func (p *pkcs1Private) applyTo(dst, message []byte) ([]byte, error) {
	if len(message) != p.Size() {
		return nil, ErrLength
	}
	return appended(dst, p.decrypt, message)
}

func (p *pkcs1Private) decrypt(message []byte) ([]byte, error) { return p.decryptTo(message, nil) }

// decryptTo is decrypt of a message that has one of some lengths, or any for none.
func (p *pkcs1Private) decryptTo(message []byte, lengths []int) ([]byte, error) {
	padded, err := p.raw.private(message)
	if err != nil {
		return nil, err // of a number that is too large, which everybody can see
	}
	out := secret.Make(len(padded))
	n := 0
	secret.Do(func() { n = p.reject(out, padded, message, lengths) })
	clear(padded)
	return out[len(out)-n:], nil
}

// UnwrapPKCS1 decrypts a key that may have one of some lengths. What comes out has one of them in any case, and is at random, always the
// same for the same message, where the padding is wrong or the key has another length.
func (k *RSA) UnwrapPKCS1(message []byte, lengths ...int) (key []byte, err error) {
	if len(message) != k.Size() || len(lengths) == 0 {
		return nil, ErrLength
	}
	for _, n := range lengths {
		if n < 1 || n > k.Size()-overheadPKCS1 {
			return nil, ErrLength
		}
	}
	return (&pkcs1Private{k}).decryptTo(message, lengths)
}

// LongestPKCS1 is the length of the longest message that PKCS #1 v1.5 has room for.
func (k *RSA) LongestPKCS1() int { return k.Size() - overheadPKCS1 }

// choose copies one of two, which have its length, to out.
func choose(first int, out, a, b []byte) {
	for i := range out {
		out[i] = byte(subtle.ConstantTimeSelect(first, int(a[i]), int(b[i])))
	}
}

// reject writes the message to the end of out, or the other one, and returns how long it is.
// Until then it takes the same time.
func (p *pkcs1Private) reject(out, padded, message []byte, lengths []int) int {
	size := len(padded)
	at, good := paddingEnd(padded)
	other := make([]byte, size)
	n := p.otherMessage(other, message)
	if len(lengths) > 0 {
		good &= isAmong(size-at, lengths)
		n = lengths[n%len(lengths)]
	}
	at = subtle.ConstantTimeSelect(good, at, size-n)
	choose(good, out, padded, other)
	clear(other)
	return size - at
}

// isAmong returns 1 if n is one of some lengths, and else 0.
func isAmong(n int, lengths []int) (is int) {
	for _, other := range lengths {
		is |= subtle.ConstantTimeEq(int32(n), int32(other))
	}
	return is
}

// paddingEnd returns where the message begins, and 1, or 0 where the padding is wrong.
func paddingEnd(padded []byte) (at, good int) {
	good = subtle.ConstantTimeByteEq(padded[0], 0) & subtle.ConstantTimeByteEq(padded[1], 2)
	searching := 1
	for i := 2; i < len(padded); i++ {
		zero := subtle.ConstantTimeByteEq(padded[i], 0)
		at = subtle.ConstantTimeSelect(searching&zero, i+1, at)
		searching &= 1 - zero
	}
	return at, good & (1 - searching) & subtle.ConstantTimeLessOrEq(overheadPKCS1, at)
}

// otherMessage fills out with what a wrong padding gives, of which the end counts, and
// returns how much of it.
func (p *pkcs1Private) otherMessage(out, message []byte) int {
	exponent := p.key.D.FillBytes(make([]byte, len(out)))
	hashed := sha256.Sum256(exponent)
	clear(exponent)
	key := secret.MAC(hashed[:], message)
	clear(hashed[:])
	defer clear(key[:])
	var lengths [256]byte
	stream(lengths[:], key[:], "length")
	stream(out, key[:], "message")
	return otherLength(lengths[:], len(out)-overheadPKCS1+1)
}

// otherLength takes the last of the candidates that are less than a bound.
func otherLength(candidates []byte, bound int) (n int) {
	mask := 1
	for mask <= bound {
		mask <<= 1
	}
	for ; len(candidates) > 0; candidates = candidates[2:] {
		candidate := int(binary.BigEndian.Uint16(candidates)) & (mask - 1)
		less := subtle.ConstantTimeLessOrEq(candidate+1, bound)
		n = subtle.ConstantTimeSelect(less, candidate, n)
	}
	return n
}

// stream fills out with codes over a counter, a label and the length in bits.
func stream(out, key []byte, label string) {
	input := append([]byte{0, 0}, label...)
	input = binary.BigEndian.AppendUint16(input, uint16(8*len(out)))
	for i := uint16(0); len(out) > 0; i++ {
		binary.BigEndian.PutUint16(input, i)
		block := secret.MAC(key, input)
		out = out[copy(out, block[:]):]
	}
}
