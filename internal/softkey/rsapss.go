// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/rand"
	"fmt"
)

// PSS is what a signature by RSASSA-PSS is made with. The library of the standard has one hash for both
// and no salt of no bytes, so that the padding is made here (RFC 8017, section 9.1).
type PSS struct {
	Hash crypto.Hash // of the message
	MGF  crypto.Hash // of the mask
	Salt int         // its length in bytes
}

// SignPSS begins a signature of a message that is hashed.
func (k *RSA) SignPSS(p PSS) (Signer, error) {
	if err := p.validate(k.Size()); err != nil {
		return nil, err
	}
	return newSigning(p.Hash, -1, k.Size(), pss{p, k, nil}.signDigest), nil
}

// SignDigestPSS begins a signature of a hash (CKM_RSA_PKCS_PSS).
func (k *RSA) SignDigestPSS(p PSS) (Signer, error) {
	if err := p.validate(k.Size()); err != nil {
		return nil, err
	}
	return newSigning(0, p.Hash.Size(), k.Size(), pss{p, k, nil}.signDigest), nil
}

// VerifyPSS begins the verification of SignPSS.
func (k *RSAPublic) VerifyPSS(p PSS) (Verifier, error) {
	if err := p.validate(k.Size()); err != nil {
		return nil, err
	}
	return newVerifying(p.Hash, -1, k.Size(), pss{p, nil, k}.verify), nil
}

// VerifyDigestPSS begins the verification of SignDigestPSS.
func (k *RSAPublic) VerifyDigestPSS(p PSS) (Verifier, error) {
	if err := p.validate(k.Size()); err != nil {
		return nil, err
	}
	return newVerifying(0, p.Hash.Size(), k.Size(), pss{p, nil, k}.verify), nil
}

// validate returns ErrParameter for a salt that a modulus has no room for.
func (p *PSS) validate(size int) error {
	if err := checkHash(p.Hash); err != nil {
		return err
	}
	if err := checkHash(p.MGF); err != nil {
		return err
	}
	if p.Salt < 0 || p.Salt > size-2-p.Hash.Size() {
		return fmt.Errorf("salt of %d bytes: %w", p.Salt, ErrParameter)
	}
	return nil
}

// pss is a PSS with one of the two keys.
type pss struct {
	PSS
	private *RSA
	public  *RSAPublic
}

func (p pss) signDigest(digest []byte) ([]byte, error) {
	if len(digest) != p.Hash.Size() {
		return nil, ErrLength
	}
	salt := make([]byte, p.Salt)
	rand.Read(salt)
	return p.private.raw.private(p.encoded(digest, salt, p.private.Size()))
}

// highBit is not set in what is padded, which is less than the modulus so: that has whole bytes.
const highBit = 0x80

// encoded is EMSA-PSS-ENCODE.
func (p *PSS) encoded(digest, salt []byte, size int) []byte {
	h := digestOf(p.Hash, digest, salt)
	padded := make([]byte, size)
	block := padded[:size-len(h)-1]
	block[len(block)-len(salt)-1] = 1
	copy(block[len(block)-len(salt):], salt)
	maskMGF1(block, p.MGF, h)
	block[0] &^= highBit
	copy(padded[len(block):], h)
	padded[size-1] = 0xbc
	return padded
}

// digestOf hashes eight zeros, a digest and a salt.
func digestOf(h crypto.Hash, hashed, salt []byte) []byte {
	return digest(h, make([]byte, 8), hashed, salt)
}

func (p pss) verify(digest, signature []byte) error {
	if len(digest) != p.Hash.Size() {
		return ErrLength
	}
	padded, err := p.public.public(signature)
	if err != nil || !p.matches(padded, digest) {
		return ErrSignature
	}
	return nil
}

// matches reports whether padded fits the digest, by EMSA-PSS-VERIFY. It changes padded.
func (p *PSS) matches(padded, digest []byte) bool {
	size, hashed := len(padded), p.Hash.Size()
	block, h := padded[:size-hashed-1], padded[size-hashed-1:size-1]
	if padded[size-1] != 0xbc || block[0]&highBit != 0 {
		return false
	}
	maskMGF1(block, p.MGF, h)
	block[0] &^= highBit
	zeros := block[:len(block)-p.Salt-1]
	for _, b := range zeros {
		if b != 0 {
			return false
		}
	}
	if block[len(zeros)] != 1 {
		return false
	}
	return equalTime(digestOf(p.Hash, digest, block[len(zeros)+1:]), h)
}
