// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/rsa"
	"fmt"
)

// overheadPKCS1 is how much shorter than the modulus what PKCS #1 v1.5 pads has to be.
const overheadPKCS1 = 11

// SignPKCS1 begins a signature by PKCS #1 v1.5 of a message that is hashed. The hash 0 stands for
// none: the message, a DigestInfo or anything else, is signed as it is (CKM_RSA_PKCS).
func (k *RSA) SignPKCS1(h crypto.Hash) (Signer, error) {
	if err := checkHashOrNone(h); err != nil {
		return nil, err
	}
	return newSigning(h, k.Size()-overheadPKCS1, k.Size(), pkcs1{h, k, nil}.signMessage), nil
}

// VerifyPKCS1 begins the verification of SignPKCS1.
func (k *RSAPublic) VerifyPKCS1(h crypto.Hash) (Verifier, error) {
	if err := checkHashOrNone(h); err != nil {
		return nil, err
	}
	return newVerifying(h, k.Size()-overheadPKCS1, k.Size(), pkcs1{h, nil, k}.verify), nil
}

func checkHashOrNone(h crypto.Hash) error {
	if h == 0 {
		return nil
	}
	return checkHash(h)
}

// pkcs1 is a hash and one of the two keys.
type pkcs1 struct {
	hash    crypto.Hash
	private *RSA
	public  *RSAPublic
}

func (p pkcs1) signMessage(message []byte) ([]byte, error) {
	signature, err := rsa.SignPKCS1v15(nil, p.private.key, p.hash, message)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLength, err)
	}
	return signature, nil
}

func (p pkcs1) verify(message, signature []byte) error {
	if rsa.VerifyPKCS1v15(p.public.key, p.hash, message, signature) != nil {
		return ErrSignature
	}
	return nil
}

// RecoverPKCS1 returns what a signature by SignPKCS1(0) was made of (C_VerifyRecover).
func (k *RSAPublic) RecoverPKCS1(signature []byte) ([]byte, error) {
	padded, err := k.RecoverRaw(signature)
	if err != nil {
		return nil, err
	}
	if padded[0] != 0 || padded[1] != 1 {
		return nil, ErrSignature
	}
	i := 2
	for i < len(padded) && padded[i] == 0xff {
		i++
	}
	if i < overheadPKCS1-1 || i == len(padded) || padded[i] != 0 {
		return nil, ErrSignature
	}
	return padded[i+1:], nil
}
