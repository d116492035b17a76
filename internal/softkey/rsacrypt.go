// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// OAEP is what an encryption by RSAES-OAEP is made with.
type OAEP struct {
	Hash  crypto.Hash // of the label
	MGF   crypto.Hash // of the masks
	Label []byte      // or nil
}

// EncryptOAEP begins an encryption by OAEP of a message that the key has room for.
func (k *RSAPublic) EncryptOAEP(p OAEP) (Stream, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	most := k.Size() - 2 - 2*p.Hash.Size()
	return newWhole(&oaepPublic{p, k}, most), nil
}

// DecryptOAEP undoes EncryptOAEP. All that can be wrong is ErrData.
func (k *RSA) DecryptOAEP(p OAEP) (Stream, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return newWhole(&oaepPrivate{p, k}, k.Size()), nil
}

// validate copies the label, too.
func (p *OAEP) validate() error {
	p.Label = slices.Clone(p.Label)
	if err := checkHash(p.Hash); err != nil {
		return err
	}
	return checkHash(p.MGF)
}

type oaepPublic struct {
	OAEP
	key *RSAPublic
}

func (p *oaepPublic) outputSize(int) int { return p.key.Size() }

func (p *oaepPublic) applyTo(dst, message []byte) ([]byte, error) {
	options := &rsa.OAEPOptions{Hash: p.Hash, MGFHash: p.MGF, Label: p.Label}
	b, err := rsa.EncryptOAEPWithOptions(rand.Reader, p.key.key, message, options)
	switch {
	case errors.Is(err, rsa.ErrMessageTooLong):
		return nil, ErrLength
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return append(dst, b...), nil
}

type oaepPrivate struct {
	OAEP
	key *RSA
}

func (p *oaepPrivate) outputSize(int) int { return p.key.Size() - 2 - 2*p.Hash.Size() }

func (p *oaepPrivate) applyTo(dst, message []byte) ([]byte, error) {
	if len(message) != p.key.Size() {
		return nil, ErrLength
	}
	return appended(dst, p.decrypt, message)
}

func (p *oaepPrivate) decrypt(message []byte) (out []byte, err error) {
	options := &rsa.OAEPOptions{Hash: p.Hash, MGFHash: p.MGF, Label: p.Label}
	secret.Do(func() { out, err = p.key.key.Decrypt(nil, message, options) })
	if err != nil {
		return nil, ErrData
	}
	return out, nil
}

// EncryptPKCS1 begins an encryption by PKCS #1 v1.5 of a message that the key has room for.
func (k *RSAPublic) EncryptPKCS1() Stream { return newWhole(&pkcs1Public{k}, k.Size()-overheadPKCS1) }

type pkcs1Public struct{ *RSAPublic }

func (p *pkcs1Public) outputSize(int) int { return p.Size() }

func (p *pkcs1Public) applyTo(dst, message []byte) ([]byte, error) {
	padded := make([]byte, p.Size())
	defer clear(padded)
	padded[1] = 2
	padding := padded[2 : len(padded)-len(message)-1]
	copy(padded[len(padded)-len(message):], message)
	rand.Read(padding)
	for i := range padding {
		for padding[i] == 0 {
			rand.Read(padding[i : i+1])
		}
	}
	return appended(dst, p.public, padded)
}
