// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/ThalesIgnite/crypto11"

	"libzk_pkcs11/tests/harness"
)

// token is a soft SCM as crypto11 shows it.
type token struct{ *crypto11.Context }

func open(t *testing.T) token {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	home.Export(t)
	context, err := crypto11.Configure(&crypto11.Config{
		Path: harness.Module(t), TokenLabel: harness.Label, Pin: harness.UserPIN,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := context.Close(); err != nil {
			t.Error(err)
		}
	})
	return token{context}
}

// pair is a key pair of the token, and the CKA_ID that it has.
type pair struct {
	crypto11.Signer
	id []byte
}

// permanent finds the key pair of a permanent key slot.
func (k token) permanent(t *testing.T, slot byte) pair {
	t.Helper()
	id := []byte{slot}
	signer, err := k.FindKeyPair(id, nil)
	if err != nil || signer == nil {
		t.Fatalf("key pair of slot %d: %v, %v", slot, signer, err)
	}
	return pair{signer, id}
}

// generate makes a key pair and finds it again.
func (k token) generate(t *testing.T, label string) pair {
	t.Helper()
	id := []byte("id of " + label)
	if _, err := k.GenerateECDSAKeyPairWithLabel(id, []byte(label), elliptic.P256()); err != nil {
		t.Fatal(err)
	}
	signer, err := k.FindKeyPair(nil, []byte(label))
	if err != nil || signer == nil {
		t.Fatalf("key pair %q: %v, %v", label, signer, err)
	}
	return pair{signer, id}
}

// authority is a certificate authority whose key is in a slot, too.
type authority struct {
	token       token
	key         pair
	certificate *x509.Certificate
}

func (k token) authority(t *testing.T) *authority {
	t.Helper()
	a := &authority{token: k, key: k.generate(t, "authority"), certificate: template("authority")}
	a.certificate.IsCA, a.certificate.BasicConstraintsValid = true, true
	a.certificate.KeyUsage = x509.KeyUsageCertSign
	a.certificate = a.sign(t, a.certificate, a.key)
	return a
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// sign makes a certificate and stores it beside its key.
func (a *authority) sign(t *testing.T, c *x509.Certificate, key pair) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(nil, c, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.token.ImportCertificate(key.id, signed); err != nil {
		t.Fatal(err)
	}
	return signed
}

// issue certifies a key pair and returns what the token then has of it: the
// certificate as it was stored, and the key.
func (a *authority) issue(t *testing.T, key pair, name string, usage x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	c := template(name)
	c.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	a.sign(t, c, key)
	stored, err := a.token.FindCertificate(key.id, nil, nil)
	if err != nil || stored == nil {
		t.Fatalf("certificate %q: %v, %v", name, stored, err)
	}
	return tls.Certificate{Certificate: [][]byte{stored.Raw}, PrivateKey: key.Signer, Leaf: stored}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}
