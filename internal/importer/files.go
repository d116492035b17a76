// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
	"software.sslmate.com/src/go-pkcs12"
)

// readPEM reads private keys and certificates. Anything else in the file but empty lines and text between the blocks
// is no reason to take half of it: what cannot be read is an error.
func readPEM(b []byte, s Source) (objects []Object, err error) {
	certificates := 0
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		b = rest
		var some []Object
		switch block.Type {
		case "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE":
			some, err = readCertificate(block.Bytes, certificates, s)
			certificates++
		case "EC PARAMETERS", "DH PARAMETERS":
			continue
		case "PUBLIC KEY", "CERTIFICATE REQUEST", "X509 CRL":
			some = []Object{{Label: s.Label, Why: "a " + block.Type + " is in the file, which goes with its key or is not kept in tokens"}}
		default:
			some, err = readPEMKey(block, s)
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, some...)
	}
	if bytes.Contains(b, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("the file %w: it has a block that does not end, or is no base64", ErrDamaged)
	}
	return objects, nil
}

func readCertificate(der []byte, i int, s Source) ([]Object, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("a certificate %w: %w", ErrDamaged, err)
	}
	o, err := certificate(der, certificateLabel(i, c, s.Label))
	return []Object{o}, err
}

func readPEMKey(block *pem.Block, s Source) ([]Object, error) {
	key, err := pemKey(block, s)
	if err != nil {
		return nil, err
	}
	return keyPair(key, s.Label)
}

// pemKey reads a private key in any of its forms.
func pemKey(block *pem.Block, s Source) (key any, err error) {
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return decryptPKCS8(block.Bytes, s.Password)
	case "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY":
		return parseSSH(pem.EncodeToMemory(block), s.Password)
	default:
		return nil, fmt.Errorf("it has a block of type %q, which is not known", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("a private key %w, or of a kind that is not known: %w", ErrDamaged, err)
	}
	return key, nil
}

// readSSH reads a private key as ssh-keygen makes it.
func readSSH(b []byte, s Source) ([]Object, error) {
	key, err := parseSSH(b, s.Password)
	if err != nil {
		return nil, err
	}
	return keyPair(key, s.Label)
}

func parseSSH(b, password []byte) (key any, err error) {
	if password == nil {
		key, err = ssh.ParseRawPrivateKey(b)
	} else {
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(b, password)
	}
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing):
		return nil, ErrNeeded
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrPassword
	case err != nil && password != nil && err.Error() == "ssh: not an encrypted key":
		return parseSSH(b, nil)
	case err != nil:
		return nil, fmt.Errorf("the private key %w, or of a kind that is not known: %w", ErrDamaged, err)
	}
	if k, is := key.(*ed25519.PrivateKey); is {
		return *k, nil
	}
	return key, nil
}

// readPKCS12 reads a file with one private key and its certificates, or one of Java's with certificates alone.
func readPKCS12(b []byte, s Source) ([]Object, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(b, string(s.Password))
	if err != nil {
		if trusted, failed := pkcs12.DecodeTrustStore(b, string(s.Password)); failed == nil {
			return certificates(trusted, s.Label)
		}
	}
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) && s.Password == nil:
		return nil, ErrNeeded
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return nil, ErrPassword
	case err != nil && s.Password == nil:
		return nil, ErrNeeded
	case err != nil:
		return nil, fmt.Errorf("the file %w, or has another form than one private key with its certificates: %w", ErrDamaged, err)
	}
	pair, err := keyPair(key, s.Label)
	if err != nil {
		return nil, err
	}
	some, err := certificates(append([]*x509.Certificate{leaf}, chain...), s.Label)
	return append(pair, some...), err
}

func certificates(all []*x509.Certificate, label string) (objects []Object, err error) {
	for i, c := range all {
		o, err := certificate(c.Raw, certificateLabel(i, c, label))
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}
