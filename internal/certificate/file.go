// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParseFile reads certificates in PEM, with whatever stands between them, or in DER one after another.
func ParseFile(data []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		list, err := x509.ParseCertificates(data)
		if err != nil || len(list) == 0 {
			return nil, notDER(data)
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

// Beginnings of files that are taken for certificates, after the length.
const (
	signedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" // PKCS #7
	version3   = "\x02\x01\x03\x30"                             // PKCS #12
	beginning  = 20
)

const (
	howPKCS7  = "it is PKCS #7, of which \"openssl pkcs7 -print_certs\" makes PEM"
	howPKCS12 = "it is PKCS #12, which \"import pkcs12\" reads"
)

// notDER says what a file without PEM is, if that can be told.
func notDER(data []byte) error {
	start := string(data[:min(len(data), beginning)])
	switch {
	case strings.Contains(start, signedData):
		return errors.New(howPKCS7)
	case strings.Contains(start, version3):
		return errors.New(howPKCS12)
	}
	return errors.New("there is no certificate in it, neither in PEM nor in DER")
}

// noCertificate says what is in the file instead.
func noCertificate(other string) error {
	switch other {
	case "":
		return errors.New("its PEM is damaged, and no certificate can be read")
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return errors.New("it is a request: give it to a certificate authority, which makes a certificate of it")
	}
	if other == "PKCS7" || other == "CMS" {
		return errors.New(howPKCS7)
	}
	return fmt.Errorf("it has %q and no certificate", other)
}
