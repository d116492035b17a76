// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// PublicKey is a SubjectPublicKeyInfo, taken apart no further than every algorithm allows. So it
// also stands for keys that crypto/x509 does not know, as those on secp256k1.
type PublicKey struct {
	DER       []byte // the whole
	algorithm asn1.ObjectIdentifier
	curve     asn1.ObjectIdentifier // of keys for ECDSA and ECDH
	key       []byte
}

// ParsePublicKey takes a SubjectPublicKeyInfo apart.
func ParsePublicKey(der []byte) (*PublicKey, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errors.New("this is no public key (SubjectPublicKeyInfo)")
	}
	p := &PublicKey{DER: der, algorithm: info.Algorithm.Algorithm, key: info.Key.Bytes}
	if p.algorithm.Equal(algorithmEC) {
		if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &p.curve); err != nil {
			return nil, errors.New("a public key on a curve without a name")
		}
	}
	return p, nil
}

var (
	algorithmEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	algorithmRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// named is an algorithm or a curve, and how it is called.
type named struct {
	oid  asn1.ObjectIdentifier
	name string
	jwk  string // in a JSON Web Key; "" where there is no such name
}

func curveNames() []named {
	return []named{
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, "P-256", "P-256"},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 10}, "secp256k1", "secp256k1"},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 33}, "P-224", ""},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, "P-384", "P-384"},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, "P-521", "P-521"},
	}
}

func algorithmNames() []named {
	return []named{
		{asn1.ObjectIdentifier{1, 3, 101, 110}, "X25519", "X25519"},
		{asn1.ObjectIdentifier{1, 3, 101, 112}, "Ed25519", "Ed25519"},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}, "ML-DSA-44", ""},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}, "ML-DSA-65", ""},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 19}, "ML-DSA-87", ""},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 4, 2}, "ML-KEM-768", ""},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 4, 3}, "ML-KEM-1024", ""},
	}
}

// nameOf finds an algorithm or a curve, which is called by its number where it has no name.
func nameOf(list []named, oid asn1.ObjectIdentifier) named {
	for _, n := range list {
		if n.oid.Equal(oid) {
			return n
		}
	}
	return named{oid: oid, name: oid.String()}
}

// Name is the curve of a key, or its algorithm and size.
func (p *PublicKey) Name() string {
	switch {
	case p.algorithm.Equal(algorithmEC):
		return nameOf(curveNames(), p.curve).name
	case p.algorithm.Equal(algorithmRSA):
		if n, _, err := p.rsa(); err == nil {
			return fmt.Sprintf("RSA-%d", n.BitLen())
		}
		return "RSA"
	}
	return nameOf(algorithmNames(), p.algorithm).name
}

// rsa returns the numbers of a key for RSA.
func (p *PublicKey) rsa() (modulus *big.Int, exponent int, err error) {
	var numbers struct {
		N *big.Int
		E int
	}
	_, err = asn1.Unmarshal(p.key, &numbers)
	return numbers.N, numbers.E, err
}
