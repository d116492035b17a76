// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParseFile reads certificates in PEM, with whatever stands between them, or in DER one after another.
func ParseFile(data []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		list, err := x509.ParseCertificates(data)
		if err != nil || len(list) == 0 {
			return nil, errors.New("there is no certificate in it, neither in PEM nor in DER")
		}
		return list, nil
	}
	var list []*x509.Certificate
	other := ""
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
			other = block.Type
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d in it cannot be read: %w", len(list)+1, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, noCertificate(other)
	}
	return list, nil
}

// noCertificate says what is in the file instead.
func noCertificate(other string) error {
	switch other {
	case "":
		return errors.New("its PEM is damaged, and no certificate can be read")
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return errors.New("it is a request: give it to a certificate authority, which makes a certificate of it")
	}
	return fmt.Errorf("it has %q and no certificate", other)
}
