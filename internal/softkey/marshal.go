// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// Marshal returns the key as a PrivateKeyInfo with an RSAPrivateKey, which the caller overwrites.
func (k *RSA) Marshal() ([]byte, error) { return secret.Compute(marshalRSA, k) }

func marshalRSA(k *RSA) ([]byte, error) {
	return marshalPrivate(algorithm{oidRSA, asn1.NullRawValue}, x509.MarshalPKCS1PrivateKey(k.key))
}

// Marshal returns the key as a PrivateKeyInfo with an ECPrivateKey, which the caller overwrites.
func (k *EC) Marshal() ([]byte, error) {
	scalar := k.Value()
	defer clear(scalar)
	return secret.Compute(k.marshalScalar, scalar)
}

func (k *EC) marshalScalar(scalar []byte) ([]byte, error) {
	public := asn1.BitString{Bytes: k.public, BitLength: 8 * len(k.public)}
	inner, err := asn1.Marshal(sec1{Version: 1, Key: scalar, Public: public})
	if err != nil {
		return nil, err
	}
	return marshalPrivate(k.curve.algorithm(), inner)
}

// Marshal returns the key as a PrivateKeyInfo as of RFC 8410, which the caller overwrites.
func (k *Edwards) Marshal() ([]byte, error) { return marshalOctets(Ed25519, k.Value()) }

// Marshal returns the key as a PrivateKeyInfo as of RFC 8410, which the caller overwrites.
func (k *Montgomery) Marshal() ([]byte, error) { return marshalOctets(X25519, k.Value()) }

func marshalOctets(c Curve, value []byte) ([]byte, error) {
	defer clear(value)
	return secret.Compute(c.marshalValue, value)
}

func (c Curve) marshalValue(value []byte) ([]byte, error) {
	return marshalPrivate(c.algorithm(), octetString(value))
}

// Marshal returns the key as a PrivateKeyInfo with its seed (RFC 9935), which the caller overwrites.
func (k *MLKEM) Marshal() ([]byte, error) { return marshalSeed(oidKEM[k.set], k.Seed()) }

// Marshal returns the key as a PrivateKeyInfo with its seed (RFC 9881), which the caller overwrites.
func (k *MLDSA) Marshal() ([]byte, error) { return marshalSeed(oidDSA[k.set], k.Seed()) }

func marshalSeed(oid asn1.ObjectIdentifier, seed []byte) ([]byte, error) {
	defer clear(seed)
	return secret.ComputeWith(algorithm.marshalTagged, algorithm{OID: oid}, seed)
}

func (a algorithm) marshalTagged(seed []byte) ([]byte, error) {
	return marshalPrivate(a, append([]byte{tagSeed, byte(len(seed))}, seed...))
}

// marshalPrivate overwrites what it puts into the result.
func marshalPrivate(a algorithm, inner []byte) ([]byte, error) {
	defer clear(inner)
	der, err := asn1.Marshal(privateInfo{Algorithm: a, Key: inner})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return der, nil
}

// algorithm is that of keys on the curve.
func (c Curve) algorithm() algorithm {
	if c.weierstrass() != nil {
		return algorithm{OID: curveRows[c].oid}
	}
	return algorithm{oidEC, asn1.RawValue{FullBytes: c.Params()}}
}

// publicInfo is a SubjectPublicKeyInfo.
type publicInfo struct {
	Algorithm algorithm
	Key       asn1.BitString
}

func marshalPublic(a algorithm, key []byte) ([]byte, error) {
	der, err := asn1.Marshal(publicInfo{a, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return der, nil
}

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *RSAPublic) Marshal() ([]byte, error) {
	return marshalPublic(algorithm{oidRSA, asn1.NullRawValue}, x509.MarshalPKCS1PublicKey(k.key))
}

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *ECPublic) Marshal() ([]byte, error) { return marshalPublic(k.curve.algorithm(), k.point) }

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *EdwardsPublic) Marshal() ([]byte, error) { return marshalPublic(Ed25519.algorithm(), k.key) }

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *MontgomeryPublic) Marshal() ([]byte, error) {
	return marshalPublic(X25519.algorithm(), k.key)
}

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *MLKEMPublic) Marshal() ([]byte, error) {
	return marshalPublic(algorithm{OID: oidKEM[k.set]}, k.raw)
}

// Marshal returns the key as a SubjectPublicKeyInfo.
func (k *MLDSAPublic) Marshal() ([]byte, error) {
	return marshalPublic(algorithm{OID: oidDSA[k.set]}, k.raw)
}
