// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"testing"
	"time"
)

// TestSubjects: parts keep their order, and what a backslash is before.
func TestSubjects(t *testing.T) {
	for text, want := range map[string]string{
		"CN=a":               "CN=a",
		"O=Example,CN=a":     "CN=a,O=Example", // RFC 2253 writes the last one first
		`/O=A\/B, C/CN=a=b`:  `CN=a=b,O=A/B\, C`,
		` cn = a b , o=x\\y`: `O=x\\y,CN=a b`,
		"C=DE,CN=a,CN=b":     "CN=b,CN=a,C=DE",
	} {
		name, err := ParseSubject(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := name.ToRDNSequence().String(); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// liar signs with another key than it shows, as a device does whose key slot was lost and taken again.
type liar struct{ shows, signs *ecdsa.PrivateKey }

func (l liar) Public() crypto.PublicKey { return l.shows.Public() }

func (l liar) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return l.signs.Sign(random, digest, options)
}

// TestSignatureOfAnotherKey: neither a request nor a certificate comes out that nobody can verify.
func TestSignatureOfAnotherKey(t *testing.T) {
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = k
	}
	r := &Request{Subject: CommonName("a"), Profile: Server, Days: 1}
	for _, test := range []struct {
		signer crypto.Signer
		fails  bool
	}{{keys[0], false}, {liar{keys[0], keys[0]}, false}, {liar{keys[0], keys[1]}, true}} {
		if _, err := r.CSR(test.signer); (err != nil) != test.fails {
			t.Errorf("request: %v", err)
		}
		if _, err := r.SelfSigned(test.signer, time.Now()); (err != nil) != test.fails {
			t.Errorf("certificate: %v", err)
		}
	}
}

// TestRequestHasWhatTheCertificateGets: the two ways in which extensions are written say the same.
func TestRequestHasWhatTheCertificateGets(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Request{
		{Profile: Server, Days: 1}, {Profile: Client, Days: 1}, {Profile: CA, Days: 1},
		{Profile: Server, Days: 1, KeyUsage: x509.KeyUsageContentCommitment | x509.KeyUsageCRLSign},
	} {
		r.Subject = CommonName("www.example.org")
		request, certificate := r.both(t, key)
		for _, e := range request.Extensions {
			if got, want := extension(certificate.Extensions, e.Id.String()), e.Value; string(got) != string(want) {
				t.Errorf("%s: extension %v is %x in the certificate and %x in the request", r.Profile, e.Id, got, want)
			}
		}
		if len(request.Extensions) < 2 {
			t.Errorf("%s: the request has %d extensions", r.Profile, len(request.Extensions))
		}
	}
}

func (r *Request) both(t *testing.T, key crypto.Signer) (*x509.CertificateRequest, *x509.Certificate) {
	t.Helper()
	asked, err := r.CSR(key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := r.SelfSigned(key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(asked)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(made)
	if err != nil {
		t.Fatal(err)
	}
	return request, certificate
}

func extension(list []pkix.Extension, oid string) []byte {
	for _, e := range list {
		if e.Id.String() == oid {
			return e.Value
		}
	}
	return nil
}
