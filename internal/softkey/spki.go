// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// ParsePublic reads a SubjectPublicKeyInfo. What cannot be read, or is no key, is ErrKey; what is of another
// kind of key ErrUnsupported.
func ParsePublic(der []byte) (PublicKey, error) {
	var info publicInfo
	if err := unmarshal(der, &info); err != nil {
		return nil, err
	}
	if info.Key.BitLength%8 != 0 {
		return nil, fmt.Errorf("public key of %d bits: %w", info.Key.BitLength, ErrKey)
	}
	oid, key := info.Algorithm.OID, info.Key.Bytes
	switch {
	case oid.Equal(oidRSA):
		return parsePublicRSA(key)
	case oid.Equal(oidEC):
		return parsePublicEC(info.Algorithm.Params.FullBytes, key)
	case oid.Equal(curveRows[Ed25519].oid):
		return asPublic(NewEdwardsPublic(key))
	case oid.Equal(curveRows[X25519].oid):
		return asPublic(NewMontgomeryPublic(key))
	}
	return parsePublicSet(oid, key)
}

func asPublic[K PublicKey](k K, err error) (PublicKey, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}

func parsePublicRSA(der []byte) (PublicKey, error) {
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return asPublic(NewRSAPublic(RSANumbers{N: key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes()}))
}

func parsePublicEC(params, key []byte) (PublicKey, error) {
	curve, err := ParseParams(params)
	if err != nil {
		return nil, err
	}
	return asPublic(NewECPublic(curve, key))
}

func parsePublicSet(oid asn1.ObjectIdentifier, key []byte) (PublicKey, error) {
	for set := range oidKEM {
		if oid.Equal(oidKEM[set]) {
			return asPublic(NewMLKEMPublic(KEM(set), key))
		}
	}
	for set := range oidDSA {
		if oid.Equal(oidDSA[set]) {
			return asPublic(NewMLDSAPublic(DSA(set), key))
		}
	}
	return nil, fmt.Errorf("public key of algorithm %v: %w", oid, ErrUnsupported)
}
