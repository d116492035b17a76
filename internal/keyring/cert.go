// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"iter"
	"slices"

	"libzk_pkcs11/pkcs11"
)

// Certificate is one of X.509 on the token.
type Certificate struct {
	Label  string
	ID     []byte
	Object uint // its handle
	DER    []byte
	X509   *x509.Certificate // nil of what Go cannot read
}

// Certificates lists those of the token.
func (r *Ring) Certificates() ([]*Certificate, error) {
	objects, err := r.findClass(pkcs11.CKO_CERTIFICATE)
	if err != nil {
		return nil, err
	}
	var all []*Certificate
	for _, h := range objects {
		v, err := r.read(h, pkcs11.CKA_LABEL, pkcs11.CKA_ID, pkcs11.CKA_VALUE)
		if err != nil {
			return nil, err
		}
		c := &Certificate{Label: string(v[pkcs11.CKA_LABEL]), ID: v[pkcs11.CKA_ID], Object: h, DER: v[pkcs11.CKA_VALUE]}
		c.X509, _ = x509.ParseCertificate(c.DER)
		all = append(all, c)
	}
	return all, nil
}

// IsFor reports whether a certificate is one of a key.
func (k *Key) IsFor(c *x509.Certificate) bool {
	return c != nil && k.Public != nil && bytes.Equal(k.Public.DER, c.RawSubjectPublicKeyInfo)
}

// HasKey reports whether the key that a certificate is for is among these.
func (c *Certificate) HasKey(keys []*Key) bool {
	return slices.ContainsFunc(keys, func(k *Key) bool { return k.IsFor(c.X509) })
}

// itsOwn are the certificates of the key. A key with several names has them by each, unless they have the name of another.
func (k *Key) itsOwn(all []*Certificate) iter.Seq[*Certificate] {
	return func(yield func(*Certificate) bool) {
		for _, c := range all {
			if k.IsFor(c.X509) && bytes.Equal(c.ID, k.ID) && !yield(c) {
				return
			}
		}
	}
}

// StoreCertificate writes a certificate to the token, which every session reads then, and returns its handle.
func (r *Ring) StoreCertificate(c *x509.Certificate, label string, id []byte) (uint, error) {
	return r.Provider.CreateObject(r.Session, CertificateTemplate(c, label, id))
}

// CertificateTemplate is what a certificate is on a token.
func CertificateTemplate(c *x509.Certificate, label string, id []byte) []pkcs11.Attribute {
	return []pkcs11.Attribute{
		Number(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), Number(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		Truth(pkcs11.CKA_TOKEN, pkcs11.CK_TRUE), Truth(pkcs11.CKA_PRIVATE, pkcs11.CK_FALSE),
		Bytes(pkcs11.CKA_LABEL, label), Bytes(pkcs11.CKA_ID, id), Bytes(pkcs11.CKA_VALUE, c.Raw),
		Bytes(pkcs11.CKA_SUBJECT, c.RawSubject), Bytes(pkcs11.CKA_ISSUER, c.RawIssuer), Bytes(pkcs11.CKA_SERIAL_NUMBER, serialOf(c)),
	}
}

// serialOf is a serial number as it stands in the certificate, in DER.
func serialOf(c *x509.Certificate) []byte {
	der, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil // of a number there is always one
	}
	return der
}
