// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"encoding/hex"

	"libzk_pkcs11/internal/keyring"
)

// certificateOf describes a certificate of a token.
func certificateOf(c *keyring.Certificate, token keyring.URI, hasKey bool) certificateEntry {
	e := certificateEntry{Label: c.Label, ID: hex.EncodeToString(c.ID), HasKey: hasKey, Names: []string{}}
	e.URI = token.Within(c.Label, c.ID, "cert")
	if c.X509 != nil {
		e.Subject, e.Issuer, e.NotAfter = c.X509.Subject.String(), c.X509.Issuer.String(), c.X509.NotAfter.UTC()
		e.Names = append(e.Names, namesOf(c.X509)...)
	}
	return e
}

// namesOf are the alternative names of a certificate, as --san takes them.
func namesOf(c *x509.Certificate) []string {
	var names []string
	for _, name := range c.DNSNames {
		names = append(names, "DNS:"+name)
	}
	for _, ip := range c.IPAddresses {
		names = append(names, "IP:"+ip.String())
	}
	for _, address := range c.EmailAddresses {
		names = append(names, "email:"+address)
	}
	for _, u := range c.URIs {
		names = append(names, "URI:"+u.String())
	}
	return names
}
