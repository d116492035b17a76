// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/softkey"
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

// privateKey returns the two halves of a private key in PKCS #8, or says why a key is not brought over.
func privateKey(der []byte, label string) ([]Object, error) {
	key, err := softkey.ParsePrivate(der)
	switch {
	case errors.Is(err, softkey.ErrUnsupported), errors.Is(err, softkey.ErrKeySize):
		stays := Object{Label: label, Why: algorithmWhy(der, err)}
		stays.Template = []pkcs11.Attribute{attribute(pkcs11.CKA_CLASS, ulong(pkcs11.CKO_PRIVATE_KEY))}
		return []Object{stays}, nil
	case err != nil:
		return nil, fmt.Errorf("a private key %w: %w", ErrDamaged, err)
	}
	private, public, err := halves(key)
	if err != nil {
		return nil, err
	}
	info, err := key.Public().Marshal()
	if err != nil {
		return nil, err
	}
	n := named{label, keyID(info)}
	return []Object{
		{Label: label, Template: n.attributes(pkcs11.CKO_PRIVATE_KEY, private...)},
		{Label: label, Template: n.attributes(pkcs11.CKO_PUBLIC_KEY, public...)},
	}, nil
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
func halves(key softkey.PrivateKey) (private, public []pkcs11.Attribute, err error) {
	switch k := key.(type) {
	case *softkey.RSA:
		private, public = halvesRSA(k.Numbers())
	case *softkey.EC:
		private, public = halvesOnCurve(pkcs11.CKK_EC, k.Curve(), k.Value(), k.PublicEC().Point())
	case *softkey.Edwards:
		private, public = halvesOnCurve(pkcs11.CKK_EC_EDWARDS, k.Curve(), k.Value(), k.PublicEdwards().Point())
	case *softkey.Montgomery:
		private, public = halvesOnCurve(pkcs11.CKK_EC_MONTGOMERY, k.Curve(), k.Value(), k.PublicMontgomery().Point())
	case *softkey.MLDSA:
		private, public = halvesOfSeed(pkcs11.CKK_ML_DSA, signatureSets[k.Set()], k.Seed(), k.PublicMLDSA().Raw())
	case *softkey.MLKEM:
		private, public = halvesOfSeed(pkcs11.CKK_ML_KEM, encapsulationSets[k.Set()], k.Seed(), k.PublicMLKEM().Raw())
	default:
		err = fmt.Errorf("a private key of a kind that is not known: %T", key)
	}
	return private, public, err
}

func halvesRSA(x softkey.RSANumbers) (private, public []pkcs11.Attribute) {
	public = []pkcs11.Attribute{
		attribute(pkcs11.CKA_KEY_TYPE, ulong(pkcs11.CKK_RSA)), attribute(pkcs11.CKA_MODULUS, x.N), attribute(pkcs11.CKA_PUBLIC_EXPONENT, x.E),
	}
	private = append(append(private, public...),
		attribute(pkcs11.CKA_PRIVATE_EXPONENT, x.D), attribute(pkcs11.CKA_PRIME_1, x.P), attribute(pkcs11.CKA_PRIME_2, x.Q),
		attribute(pkcs11.CKA_EXPONENT_1, x.DP), attribute(pkcs11.CKA_EXPONENT_2, x.DQ), attribute(pkcs11.CKA_COEFFICIENT, x.QI))
	return private, public
}

func halvesOnCurve(kind uint, curve softkey.Curve, number, point []byte) (private, public []pkcs11.Attribute) {
	public = []pkcs11.Attribute{attribute(pkcs11.CKA_KEY_TYPE, ulong(kind)), attribute(pkcs11.CKA_EC_PARAMS, curve.Params())}
	private = append(append(private, public...), attribute(pkcs11.CKA_VALUE, number))
	return private, append(public, attribute(pkcs11.CKA_EC_POINT, point))
}

// The numbers of the parameter sets of ML-DSA and ML-KEM.
var (
	signatureSets     = map[softkey.DSA]uint{softkey.MLDSA44: pkcs11.CKP_ML_DSA_44, softkey.MLDSA65: pkcs11.CKP_ML_DSA_65, softkey.MLDSA87: pkcs11.CKP_ML_DSA_87}
	encapsulationSets = map[softkey.KEM]uint{softkey.MLKEM768: pkcs11.CKP_ML_KEM_768, softkey.MLKEM1024: pkcs11.CKP_ML_KEM_1024}
)

func halvesOfSeed(kind, set uint, seed, raw []byte) (private, public []pkcs11.Attribute) {
	public = []pkcs11.Attribute{attribute(pkcs11.CKA_KEY_TYPE, ulong(kind)), attribute(pkcs11.CKA_PARAMETER_SET, ulong(set))}
	private = append(append(private, public...), attribute(pkcs11.CKA_SEED, seed))
	return private, append(public, attribute(pkcs11.CKA_VALUE, raw))
}

// certificate returns the object of an X.509 certificate.
func certificate(c *x509.Certificate, label string) (Object, error) {
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

// certificateLabel is the label of one of several certificates in PEM: the first is the key's.
func certificateLabel(i int, c *x509.Certificate, label string) string {
	if i > 0 && c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return label
}
