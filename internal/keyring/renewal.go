// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"crypto/x509"
	"slices"

	"libzk_pkcs11/pkcs11"
)

// Arrival is a certificate that is brought to the token.
type Arrival struct {
	X509  *x509.Certificate
	Label string
	ID    []byte
	Key   *Key           // that it is for; nil where the token has none
	There bool           // the token has it already
	Olds  []*Certificate // of the same key, which it replaces
}

// Arrivals says of certificates what they are to the token. The first name of a key is what its certificate gets, unless
// another is chosen.
func (r *Ring) Arrivals(list []*x509.Certificate, choice Choice) ([]*Arrival, error) {
	keys, err := r.Keys()
	if err != nil {
		return nil, err
	}
	there, err := r.Certificates()
	if err != nil {
		return nil, err
	}
	var all []*Arrival
	for _, c := range list {
		if slices.ContainsFunc(all, func(a *Arrival) bool { return bytes.Equal(a.X509.Raw, c.Raw) }) {
			continue // a file may have it twice
		}
		a := &Arrival{X509: c}
		a.Label, a.ID = NamesOf(c)
		a.takeKey(keys, choice)
		a.compare(there)
		all = append(all, a)
	}
	return all, nil
}

// takeKey finds the key that the certificate is for, and takes its names.
func (a *Arrival) takeKey(keys []*Key, choice Choice) {
	for _, k := range keys {
		if k.IsFor(a.X509) && choice.Fits(k.Label, k.ID) {
			a.Key, a.Label, a.ID = k, k.Label, k.ID
			return
		}
	}
}

// compare looks for the certificate, and for those in whose place it comes.
func (a *Arrival) compare(there []*Certificate) {
	for _, c := range there {
		switch {
		case bytes.Equal(c.DER, a.X509.Raw):
			a.There = true
		case a.Key != nil && a.Key.IsFor(c.X509) && bytes.Equal(c.ID, a.ID):
			a.Olds = append(a.Olds, c)
		}
	}
}

// Take writes the certificates that are not there, all at once, and then destroys those that they replace. A program
// that reads in between finds two and not none.
func (r *Ring) Take(arrivals []*Arrival) error {
	var templates [][]pkcs11.Attribute
	for _, a := range arrivals {
		if !a.There {
			templates = append(templates, CertificateTemplate(a.X509, a.Label, a.ID))
		}
	}
	if len(templates) > 0 {
		if err := r.Provider.CreateObjects(r.Session, templates); err != nil {
			return err
		}
	}
	for _, a := range arrivals {
		for _, old := range a.Olds {
			if err := r.DeleteCertificate(old); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteCertificate destroys a certificate; its key stays.
func (r *Ring) DeleteCertificate(c *Certificate) error { return r.destroy(c.Object) }
