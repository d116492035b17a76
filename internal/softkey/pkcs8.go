// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// algorithm is an AlgorithmIdentifier.
type algorithm struct {
	OID    asn1.ObjectIdentifier
	Params asn1.RawValue `asn1:"optional"`
}

// privateInfo is a PrivateKeyInfo (RFC 5208), or what is of use of the longer one of RFC 5958.
type privateInfo struct {
	Version   int
	Algorithm algorithm
	Key       []byte
}

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidKEM = [...]asn1.ObjectIdentifier{
		MLKEM768:  {2, 16, 840, 1, 101, 3, 4, 4, 2},
		MLKEM1024: {2, 16, 840, 1, 101, 3, 4, 4, 3},
	}
	oidDSA = [...]asn1.ObjectIdentifier{
		MLDSA44: {2, 16, 840, 1, 101, 3, 4, 3, 17},
		MLDSA65: {2, 16, 840, 1, 101, 3, 4, 3, 18},
		MLDSA87: {2, 16, 840, 1, 101, 3, 4, 3, 19},
	}
)

// ParsePrivate reads a PrivateKeyInfo that anybody may have made: what was unwrapped, or comes from a file.
// What cannot be read, or whose numbers do not fit, is ErrKey; what is of another kind of key ErrUnsupported.
func ParsePrivate(der []byte) (PrivateKey, error) {
	return secret.ComputeWith(parsePrivate, der, importRSA)
}

// ReopenPrivate reads what Marshal has made and nobody can have changed since. It does not look whether factors
// of RSA keys are prime, which takes longer than some signatures.
func ReopenPrivate(der []byte) (PrivateKey, error) {
	return secret.ComputeWith(parsePrivate, der, newRSA)
}

func parsePrivate(der []byte, rsaKey func(*rsa.PrivateKey) (*RSA, error)) (PrivateKey, error) {
	var info privateInfo
	if err := unmarshal(der, &info); err != nil {
		return nil, err
	}
	defer clear(info.Key)
	if info.Version != 0 && info.Version != 1 {
		return nil, fmt.Errorf("private key of version %d: %w", info.Version, ErrUnsupported)
	}
	oid := info.Algorithm.OID
	switch {
	case oid.Equal(oidRSA):
		key, err := x509.ParsePKCS1PrivateKey(info.Key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		return asPrivate(rsaKey(key))
	case oid.Equal(oidEC):
		return asPrivate(parseSEC1(info.Algorithm.Params.FullBytes, info.Key))
	case oid.Equal(curveRows[Ed25519].oid):
		return parseOctets(info.Key, NewEdwards)
	case oid.Equal(curveRows[X25519].oid):
		return parseOctets(info.Key, NewMontgomery)
	}
	return parseSeed(oid, info.Key)
}

// asPrivate leaves a nil pointer out of an interface.
func asPrivate[K PrivateKey](k K, err error) (PrivateKey, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}

// unmarshal reads DER that has nothing behind it.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes behind the key: %w", len(rest), ErrKey)
	}
	return nil
}

func parseOctets[K PrivateKey](der []byte, key func([]byte) (K, error)) (PrivateKey, error) {
	var b []byte
	if err := unmarshal(der, &b); err != nil {
		return nil, err
	}
	defer clear(b)
	return asPrivate(key(b))
}

// sec1 is an ECPrivateKey (RFC 5915).
type sec1 struct {
	Version int
	Key     []byte
	Params  asn1.RawValue  `asn1:"optional,explicit,tag:0"`
	Public  asn1.BitString `asn1:"optional,explicit,tag:1"`
}

func parseSEC1(params, der []byte) (*EC, error) {
	var x sec1
	if err := unmarshal(der, &x); err != nil {
		return nil, err
	}
	defer clear(x.Key)
	if x.Version != 1 {
		return nil, fmt.Errorf("EC key of version %d: %w", x.Version, ErrKey)
	}
	curve, err := ParseParams(params)
	if err != nil {
		return nil, err
	}
	k, err := NewEC(curve, x.Key)
	if err != nil {
		return nil, err
	}
	if len(x.Public.Bytes) > 0 {
		if public, err := curve.ParsePoint(x.Public.Bytes); err != nil || !bytes.Equal(public, k.public) {
			return nil, fmt.Errorf("public key in private key: %w", ErrKey)
		}
	}
	return k, nil
}

// seeded is a key of ML-KEM or ML-DSA.
type seeded interface {
	PrivateKey
	Matches(expanded []byte) error
}

// parseSeed reads keys of ML-KEM (RFC 9935) and ML-DSA (RFC 9881) in the two forms that have a seed.
func parseSeed(oid asn1.ObjectIdentifier, der []byte) (PrivateKey, error) {
	for set := range oidKEM {
		if oid.Equal(oidKEM[set]) {
			return openSeed(der, KEM(set), NewMLKEM)
		}
	}
	for set := range oidDSA {
		if oid.Equal(oidDSA[set]) {
			return openSeed(der, DSA(set), NewMLDSA)
		}
	}
	return nil, fmt.Errorf("private key of algorithm %v: %w", oid, ErrUnsupported)
}

// tagSeed is the first byte of a seed alone.
const tagSeed = 0x80

func openSeed[S any, K seeded](der []byte, set S, key func(S, []byte) (K, error)) (PrivateKey, error) {
	if len(der) > 0 && der[0] == tagSeed {
		var seed asn1.RawValue
		if err := unmarshal(der, &seed); err != nil {
			return nil, err
		}
		return asPrivate(key(set, seed.Bytes))
	}
	if len(der) > 0 && der[0] == asn1.TagOctetString {
		return nil, fmt.Errorf("private key without its seed: %w", ErrUnsupported)
	}
	var both struct{ Seed, Expanded []byte }
	if err := unmarshal(der, &both); err != nil {
		return nil, err
	}
	defer clear(both.Seed)
	defer clear(both.Expanded)
	k, err := key(set, both.Seed)
	if err != nil {
		return nil, err
	}
	return asPrivate(k, k.Matches(both.Expanded))
}

// TrimPrivate cuts zeros off that a wrapping has put behind a PrivateKeyInfo (CKM_AES_KEY_WRAP).
func TrimPrivate(der []byte) []byte {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil || len(bytes.Trim(rest, "\x00")) > 0 {
		return der
	}
	return der[:len(der)-len(rest)]
}
