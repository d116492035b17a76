// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Certificate returns the only certificate that is named so.
func (c Choice) Certificate(all []*Certificate) (*Certificate, error) {
	var found []*Certificate
	for _, one := range all {
		if c.Fits(one.Label, one.ID) {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("no certificate has %v; \"cert list\" shows those that there are", c)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d certificates have %v:", len(found), c)
	for _, one := range found {
		fmt.Fprintf(&b, "\n  --id %x  %q, %s", one.ID, one.Label, one.Summary())
	}
	b.WriteString("\nname one of them by --id; of a key that has several only \"cert import --replace\" leaves one")
	return nil, fmt.Errorf("%s", b.String())
}

// Summary says in short whose certificate it is, and until when.
func (c *Certificate) Summary() string {
	if c.X509 == nil {
		return "which cannot be read"
	}
	return fmt.Sprintf("%s, valid until %s", c.X509.Subject, c.X509.NotAfter.UTC().Format(time.DateOnly))
}

// Chain is a certificate with those of its issuers that are there, up to the root, which is left out: those that
// trust it have it.
func (c *Certificate) Chain(all []*Certificate) []*Certificate {
	chain := []*Certificate{c}
	for last := c; ; {
		issuer := last.issuer(all)
		if issuer == nil || issuer.signsItself() || len(chain) > len(all) {
			return chain
		}
		chain, last = append(chain, issuer), issuer
	}
}

// issuer finds the certificate of the one who has signed a certificate.
func (c *Certificate) issuer(all []*Certificate) *Certificate {
	if c.X509 == nil || c.signsItself() {
		return nil
	}
	for _, one := range all {
		if one.X509 != nil && bytes.Equal(one.X509.RawSubject, c.X509.RawIssuer) && c.X509.CheckSignatureFrom(one.X509) == nil {
			return one
		}
	}
	return nil
}

func (c *Certificate) signsItself() bool {
	return c.X509 != nil && bytes.Equal(c.X509.RawSubject, c.X509.RawIssuer)
}

// NamesOf are the label and the id of a certificate whose key is not on the token: the name of its subject, and the
// identifier of its key.
func NamesOf(c *x509.Certificate) (label string, id []byte) {
	label, id = c.Subject.CommonName, c.SubjectKeyId
	if label == "" {
		label = c.Subject.String()
	}
	if len(id) == 0 {
		sum := sha1.Sum(c.RawSubjectPublicKeyInfo) // a name, which protects nothing
		id = sum[:]
	}
	return label, id
}

// Latest is the certificate of the key that is valid longest; nil when it has none.
func (k *Key) Latest() *Certificate {
	var last *Certificate
	for _, c := range k.Certificates {
		if last == nil || c.X509.NotAfter.After(last.X509.NotAfter) {
			last = c
		}
	}
	return last
}
