// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"

	"libzk_pkcs11/pkcs11"
)

// named is the CKA_LABEL and CKA_ID of what belongs together.
type named struct {
	label string
	id    []byte
}

func (n named) attributes(class uint, more ...pkcs11.Attribute) []pkcs11.Attribute {
	return append([]pkcs11.Attribute{
		attribute(pkcs11.CKA_CLASS, ulong(class)), attribute(pkcs11.CKA_LABEL, []byte(n.label)), attribute(pkcs11.CKA_ID, n.id),
	}, more...)
}

// keyPair returns the two halves of a private key.
func keyPair(key any, label string) ([]Object, error) {
	private, public, err := halves(key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(publicOf(key))
	if err != nil {
		return nil, err
	}
	n := named{label, keyID(der)}
	return []Object{
		{Label: label, Template: n.attributes(pkcs11.CKO_PRIVATE_KEY, private...)},
		{Label: label, Template: n.attributes(pkcs11.CKO_PUBLIC_KEY, public...)},
	}, nil
}

func publicOf(key any) any {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return &k.PublicKey
	case *ecdsa.PrivateKey:
		return &k.PublicKey
	case ed25519.PrivateKey:
		return k.Public()
	case *ecdh.PrivateKey:
		return k.PublicKey()
	}
	return nil
}

// keyID is what keys and certificates that belong together are found by: the SHA-1 of the public key, as
// RFC 5280 has it for key identifiers.
func keyID(der []byte) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil
	}
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:]
}

// halves are the attributes of a private key and its public key that make them what they are.
func halves(key any) (private, public []pkcs11.Attribute, err error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return halvesRSA(k)
	case *ecdsa.PrivateKey:
		return halvesEC(k)
	case ed25519.PrivateKey:
		return halves25519(pkcs11.CKK_EC_EDWARDS, asn1.ObjectIdentifier{1, 3, 101, 112}, k.Seed(), k.Public().(ed25519.PublicKey))
	case *ecdh.PrivateKey:
		return halves25519(pkcs11.CKK_EC_MONTGOMERY, asn1.ObjectIdentifier{1, 3, 101, 110}, k.Bytes(), k.PublicKey().Bytes())
	}
	return nil, nil, fmt.Errorf("the key is none of RSA, EC, Ed25519 and X25519 but %T", key)
}

func halvesRSA(k *rsa.PrivateKey) (private, public []pkcs11.Attribute, err error) {
	if len(k.Primes) != 2 {
		return nil, nil, fmt.Errorf("an RSA key of %d primes", len(k.Primes))
	}
	k.Precompute()
	public = []pkcs11.Attribute{
		attribute(pkcs11.CKA_KEY_TYPE, ulong(pkcs11.CKK_RSA)), attribute(pkcs11.CKA_MODULUS, k.N.Bytes()),
		attribute(pkcs11.CKA_PUBLIC_EXPONENT, big.NewInt(int64(k.E)).Bytes()),
	}
	private = append(append(private, public...),
		attribute(pkcs11.CKA_PRIVATE_EXPONENT, k.D.Bytes()),
		attribute(pkcs11.CKA_PRIME_1, k.Primes[0].Bytes()), attribute(pkcs11.CKA_PRIME_2, k.Primes[1].Bytes()),
		attribute(pkcs11.CKA_EXPONENT_1, k.Precomputed.Dp.Bytes()), attribute(pkcs11.CKA_EXPONENT_2, k.Precomputed.Dq.Bytes()),
		attribute(pkcs11.CKA_COEFFICIENT, k.Precomputed.Qinv.Bytes()))
	return private, public, nil
}

// curveName is a curve of crypto/elliptic, by its bits.
func curveName(bits int) asn1.ObjectIdentifier {
	return map[int]asn1.ObjectIdentifier{
		224: {1, 3, 132, 0, 33}, 256: {1, 2, 840, 10045, 3, 1, 7}, 384: {1, 3, 132, 0, 34}, 521: {1, 3, 132, 0, 35},
	}[bits]
}

func halvesEC(k *ecdsa.PrivateKey) (private, public []pkcs11.Attribute, err error) {
	params, err := asn1.Marshal(curveName(k.Curve.Params().BitSize))
	if err != nil {
		return nil, nil, err
	}
	number, err := k.Bytes()
	if err != nil {
		return nil, nil, err
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		return nil, nil, err
	}
	private, public = halvesOnCurve(pkcs11.CKK_EC, params, number, point)
	return private, public, nil
}

func halves25519(kind uint, curve asn1.ObjectIdentifier, number, point []byte) (private, public []pkcs11.Attribute, err error) {
	params, err := asn1.Marshal(curve)
	private, public = halvesOnCurve(kind, params, number, point)
	return private, public, err
}

func halvesOnCurve(kind uint, params, number, point []byte) (private, public []pkcs11.Attribute) {
	octets, _ := asn1.Marshal(point) // bytes are always an OCTET STRING
	public = []pkcs11.Attribute{attribute(pkcs11.CKA_KEY_TYPE, ulong(kind)), attribute(pkcs11.CKA_EC_PARAMS, params)}
	private = append(append(private, public...), attribute(pkcs11.CKA_VALUE, number))
	return private, append(public, attribute(pkcs11.CKA_EC_POINT, octets))
}

// certificate returns the object of an X.509 certificate.
func certificate(der []byte, label string) (Object, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Object{}, fmt.Errorf("a certificate %w: %w", ErrDamaged, err)
	}
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return Object{}, err
	}
	n := named{label, keyID(c.RawSubjectPublicKeyInfo)}
	return Object{Label: label, Template: n.attributes(pkcs11.CKO_CERTIFICATE,
		attribute(pkcs11.CKA_CERTIFICATE_TYPE, ulong(pkcs11.CKC_X_509)), attribute(pkcs11.CKA_VALUE, c.Raw),
		attribute(pkcs11.CKA_SUBJECT, c.RawSubject), attribute(pkcs11.CKA_ISSUER, c.RawIssuer), attribute(pkcs11.CKA_SERIAL_NUMBER, serial),
	)}, nil
}

// certificateLabel is the label of one of several certificates: the first is the key's.
func certificateLabel(i int, c *x509.Certificate, label string) string {
	if i > 0 && c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return label
}
