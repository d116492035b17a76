// SPDX-License-Identifier: Apache-2.0

package softkey

import "fmt"

// RSAAES is what CKM_RSA_AES_KEY_WRAP is done with: a new key of AES, which OAEP encrypts, wraps the key by CKM_AES_KEY_WRAP_KWP.
type RSAAES struct {
	OAEP
	Size int // of the key of AES in bytes; unwrapping takes it as it comes
}

func (p *RSAAES) validate() error {
	if p.Size != 16 && p.Size != 24 && p.Size != 32 {
		return fmt.Errorf("key of AES of %d bytes: %w", p.Size, ErrParameter)
	}
	return p.OAEP.validate()
}

// WrapRSAAES begins a wrapping by a key of AES that goes along.
func (k *RSAPublic) WrapRSAAES(p RSAAES) (Stream, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return newWhole(&rsaAESPublic{p, k}, longestWrapped), nil
}

// UnwrapRSAAES undoes WrapRSAAES. All that can be wrong but the length is ErrData.
func (k *RSA) UnwrapRSAAES(p RSAAES) (Stream, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return newWhole(&rsaAESPrivate{p, k}, longestWrapped), nil
}

type rsaAESPublic struct {
	RSAAES
	key *RSAPublic
}

func (p *rsaAESPublic) outputSize(n int) int { return p.key.Size() + paddedWrap{}.outputSize(n) }

func (p *rsaAESPublic) applyTo(dst, message []byte) ([]byte, error) {
	k, err := GenerateAES(p.Size)
	if err != nil {
		return nil, err
	}
	value := k.Value()
	defer clear(value)
	if dst, err = (&oaepPublic{p.OAEP, p.key}).applyTo(dst, value); err != nil {
		return nil, err
	}
	wrap, err := k.WrapPadded(nil)
	if err != nil {
		return nil, err
	}
	return wrap.Whole(dst, message)
}

type rsaAESPrivate struct {
	RSAAES
	key *RSA
}

func (p *rsaAESPrivate) outputSize(n int) int {
	return paddedUnwrap{}.outputSize(max(0, n-p.key.Size()))
}

func (p *rsaAESPrivate) applyTo(dst, message []byte) ([]byte, error) {
	if len(message) < p.key.Size()+2*semiblock {
		return nil, ErrLength
	}
	value, err := (&oaepPrivate{p.OAEP, p.key}).decrypt(message[:p.key.Size()])
	if err != nil {
		return nil, err
	}
	defer clear(value)
	k, err := NewAES(value)
	if err != nil {
		return nil, ErrData
	}
	unwrap, err := k.UnwrapPadded(nil)
	if err != nil {
		return nil, err
	}
	return unwrap.Whole(dst, message[p.key.Size():])
}
