// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/x509"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// Keyless are certificates on a token whose keys are not there.
type Keyless struct {
	Labels []string
	Sure   bool // false where a private key that only a login shows may be one of theirs
}

// KeylessOf looks for them in a token and its device, without a login, and changes neither. Certificates of authorities have
// their keys elsewhere, and are left out.
func KeylessOf(device scm.Device, tokens *store.Store) (Keyless, error) {
	c := census{infos: map[string]bool{}}
	if err := c.readStore(tokens); err != nil || len(c.lonely()) == 0 {
		return Keyless{}, err
	}
	if err := c.readDevice(device); err != nil { // which may be slow, and is asked only for what the store does not know
		return Keyless{}, err
	}
	return Keyless{Labels: c.lonely(), Sure: c.hidden == 0}, nil
}

// lonely are the labels of certificates for none of the keys that are known.
func (c *census) lonely() (labels []string) {
	for _, a := range c.certificates {
		if info := a[CKA_PUBLIC_KEY_INFO]; len(info) > 0 && !c.infos[string(info)] && !isAuthority(a[CKA_VALUE]) {
			labels = append(labels, string(a[CKA_LABEL]))
		}
	}
	return labels
}

// isAuthority reports whether a certificate is one that others are checked by, or cannot be read.
func isAuthority(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err != nil || c.IsCA
}

// census are the keys and certificates that are seen without a login.
type census struct {
	infos        map[string]bool // of all public keys
	hidden       int             // records that are sealed
	certificates []attributes
}

func (c *census) readDevice(device scm.Device) error {
	keys, err := device.Keys()
	if err != nil {
		return err
	}
	foreign, err := (&token{device: device}).foreignKeys()
	if err != nil {
		return err
	}
	for _, k := range slices.Concat(keys, foreign) {
		c.infos[string(curves[k.Curve].publicKeyInfo(k.Public))] = true
	}
	return nil
}

func (c *census) readStore(tokens *store.Store) (err error) {
	c.hidden, err = readUnsealed(tokens, c.add)
	return err
}

func (c *census) add(a attributes) {
	switch a.number(CKA_CLASS) {
	case CKO_PUBLIC_KEY:
		c.infos[string(a[CKA_PUBLIC_KEY_INFO])] = true
	case CKO_CERTIFICATE:
		c.certificates = append(c.certificates, a)
	}
}
