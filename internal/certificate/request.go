// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Request is what is asked of a certificate.
type Request struct {
	Subject  pkix.Name
	Names    Names
	Profile  Profile
	KeyUsage x509.KeyUsage // 0: what the profile allows
	Days     int           // of a certificate that signs itself
}

// Like is a request for another certificate like one that there is: of the same subject and names, for the same use.
func Like(c *x509.Certificate) *Request {
	r := &Request{
		Subject: pkix.Name{ExtraNames: c.Subject.Names, CommonName: c.Subject.CommonName}, Profile: Server, KeyUsage: c.KeyUsage,
		Names: Names{DNS: c.DNSNames, Email: c.EmailAddresses, IP: c.IPAddresses, URI: c.URIs},
	}
	switch {
	case c.IsCA:
		r.Profile = CA
	case slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		r.Profile = Client
	}
	return r
}

// usages is what the certificate allows with the key.
func (r *Request) usages(public *PublicKey) (x509.KeyUsage, []x509.ExtKeyUsage) {
	usage, extended := r.Profile.usages(public)
	if r.KeyUsage != 0 {
		usage = r.KeyUsage
	}
	return usage, extended
}

// names are the alternative names: those that are given, or for a server that of its subject, for no client reads that any more.
func (r *Request) names() Names {
	if r.Profile == Server && r.Names.isEmpty() {
		return fromCommonName(r.Subject.CommonName)
	}
	return r.Names
}

// CSR makes a certificate signing request (PKCS #10) in DER.
func (r *Request) CSR(signer crypto.Signer) ([]byte, error) {
	public, err := publicOf(signer)
	if err != nil {
		return nil, err
	}
	extensions, err := r.extensions(public)
	if err != nil {
		return nil, err
	}
	n := r.names()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: r.Subject, DNSNames: n.DNS, IPAddresses: n.IP, EmailAddresses: n.Email, URIs: n.URI, ExtraExtensions: extensions,
	}, signer)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = parsed.CheckSignature()
	}
	return der, wrongSignature(err)
}

// wrongSignature says of what was just made that it cannot be verified: the device signs with another key than it shows.
func wrongSignature(err error) error {
	if err != nil {
		return fmt.Errorf("the token signs, but its public key does not verify that: %w", err)
	}
	return nil
}

// backdated is how far a clock may be behind that of the machine on which a certificate is made.
const backdated = 5 * time.Minute

// SelfSigned makes a certificate in DER that the key signs itself, valid from now on.
func (r *Request) SelfSigned(signer crypto.Signer, now time.Time) ([]byte, error) {
	public, err := publicOf(signer)
	if err != nil {
		return nil, err
	}
	if r.Days < 1 || r.Days > 365*100 {
		return nil, fmt.Errorf("--days: %d is not from 1 to 36500", r.Days)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	n := r.names()
	usage, extended := r.usages(public)
	id := sha1.Sum(public.key) // method 1 of RFC 5280, 4.2.1.2; it is a name and protects nothing
	template := &x509.Certificate{
		SerialNumber: serial, Subject: r.Subject, SubjectKeyId: id[:],
		NotBefore: now.Add(-backdated), NotAfter: now.AddDate(0, 0, r.Days),
		DNSNames: n.DNS, IPAddresses: n.IP, EmailAddresses: n.Email, URIs: n.URI,
		KeyUsage: usage, ExtKeyUsage: extended, BasicConstraintsValid: true, IsCA: r.Profile == CA,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		return nil, err
	}
	return der, checkSelfSigned(der)
}

func checkSelfSigned(der []byte) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	return wrongSignature(c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature))
}

func publicOf(signer crypto.Signer) (*PublicKey, error) {
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, errors.New("certificates are made for keys on P-256, P-384 and P-521, of Ed25519 and of RSA")
	}
	return ParsePublicKey(der)
}
