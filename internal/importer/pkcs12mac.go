// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/hmac"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// macData is the code over all of a file.
type macData struct {
	Code       digestInfo
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type digestInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

// oidPBMAC1 is the code of RFC 9579.
var oidPBMAC1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}

type pbmac1Parameters struct{ KDF, Code pkix.AlgorithmIdentifier }

// leastKey is the length in bytes under which a key of PBMAC1 is too short (RFC 9579, section 5).
const leastKey = 20

// check reports whether the code is that of the content and the password. An empty password has two forms.
func (m macData) check(content []byte, p *password) error {
	if len(m.Code.Algorithm.Algorithm) == 0 {
		return nil
	}
	if p.text == nil { // files with an empty password need none
		p.text, p.wide = []byte{}, wideText(nil)
		if err := m.check(content, p); !errors.Is(err, ErrPassword) {
			return err
		}
		return ErrNeeded
	}
	if m.Code.Algorithm.Algorithm.Equal(oidPBMAC1) {
		return m.checkPBMAC1(content, p)
	}
	err := m.checkWide(content, p)
	if errors.Is(err, ErrPassword) && len(p.text) == 0 && p.wide != nil {
		p.wide = nil
		err = m.checkWide(content, p)
	}
	return err
}

// checkWide checks the code of PKCS #12 itself.
func (m macData) checkWide(content []byte, p *password) error {
	h := digestOf(m.Code.Algorithm.Algorithm.String())
	if h == nil {
		return fmt.Errorf("it has a code by %v, which is not known", m.Code.Algorithm.Algorithm)
	}
	if err := p.spend(m.Iterations); err != nil {
		return err
	}
	key := p.deriveWide(pkcs12Derivation{h, forCode, m.Salt, m.Iterations, h().Size()})
	defer clear(key)
	return m.compare(h, key, content)
}

// checkPBMAC1 checks the code of RFC 9579.
func (m macData) checkPBMAC1(content []byte, p *password) error {
	var two pbmac1Parameters
	var k pbkdf2Parameters
	if err := unmarshal(m.Code.Algorithm.Parameters.FullBytes, &two); err != nil {
		return err
	}
	if !two.KDF.Algorithm.Equal(oidPBKDF2) {
		return fmt.Errorf("the key of its code comes from the password by %v, which is not known", two.KDF.Algorithm)
	}
	if err := unmarshal(two.KDF.Parameters.FullBytes, &k); err != nil {
		return err
	}
	h := prfOf(two.Code.Algorithm.String())
	if h == nil || len(two.Code.Algorithm) == 0 {
		return fmt.Errorf("it has a code by %v, which is not known", two.Code.Algorithm)
	}
	if k.Length < leastKey || k.Length > sha512.BlockSize {
		return fmt.Errorf("%w: the key of its code has %d bytes", ErrDamaged, k.Length)
	}
	key, err := p.pbkdf2(k, k.Length)
	if err != nil {
		return err
	}
	defer clear(key)
	return m.compare(h, key, content)
}

func (m macData) compare(h func() hash.Hash, key, content []byte) error {
	code := hmac.New(h, key)
	code.Write(content)
	if !hmac.Equal(code.Sum(nil), m.Code.Digest) {
		return ErrPassword
	}
	return nil
}
