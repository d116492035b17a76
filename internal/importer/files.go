// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// readPEM reads private keys and certificates. Anything else in the file but empty lines and text between the blocks
// is no reason to take half of it: what cannot be read is an error.
func readPEM(b []byte, s Source) ([]Object, error) {
	x := &pemReader{password: &password{text: s.Password}, label: s.Label}
	return x.readAll(b)
}

// pemReader reads the blocks of a file.
type pemReader struct {
	*password
	label        string
	certificates int // so far
}

func (x *pemReader) readAll(b []byte) (objects []Object, err error) {
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		b = rest
		some, err := x.readBlock(block)
		if err != nil {
			return nil, err
		}
		objects = append(objects, some...)
	}
	if bytes.Contains(b, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("the file %w: it has a block that does not end, or is no base64", ErrDamaged)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%w: it has no private key and no certificate between lines -----BEGIN and -----END", ErrNothing)
	}
	return objects, nil
}

func (x *pemReader) readBlock(block *pem.Block) ([]Object, error) {
	switch block.Type {
	case "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE":
		return x.readCertificate(block.Bytes)
	case "EC PARAMETERS", "DH PARAMETERS":
		return nil, nil
	case "PUBLIC KEY", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "X509 CRL":
		return []Object{{Label: x.label, Spare: true, Why: "a " + block.Type + " is in the file, which goes with its key or is not kept in tokens"}}, nil
	}
	der, err := x.pemKey(block)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return privateKey(der, x.label)
}

func (x *pemReader) readCertificate(der []byte) ([]Object, error) {
	var first asn1.RawValue // openssl puts what it trusts a certificate for behind it
	if _, err := asn1.Unmarshal(der, &first); err != nil {
		return nil, fmt.Errorf("a certificate %w: %w", ErrDamaged, err)
	}
	c, err := x509.ParseCertificate(first.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("a certificate %w: %w", ErrDamaged, err)
	}
	o, err := certificate(c, certificateLabel(x.certificates, c, x.label))
	x.certificates++
	return []Object{o}, err
}

// pemKey returns a private key in PKCS #8, whatever form it is in.
func (x *pemReader) pemKey(block *pem.Block) ([]byte, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return block.Bytes, nil
	case "ENCRYPTED PRIVATE KEY":
		return x.openKey(block.Bytes)
	case "RSA PRIVATE KEY":
		der, err := x.legacy(block)
		return wrapKey(oidRSA, asn1.NullRawValue, der, err)
	case "EC PRIVATE KEY":
		der, err := x.legacy(block)
		return wrapKey(oidEC, curveIn(der), der, err)
	case "OPENSSH PRIVATE KEY":
		return openSSHKey(pem.EncodeToMemory(block), x.text)
	}
	return nil, fmt.Errorf("it has a block of type %q, which is not known", block.Type)
}

// encryptedKey is an EncryptedPrivateKeyInfo of PKCS #8.
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// openKey opens a private key in PKCS #8 that the password protects.
func (p *password) openKey(der []byte) ([]byte, error) {
	var e encryptedKey
	if err := unmarshal(der, &e); err != nil {
		return nil, fmt.Errorf("a private key %w", err)
	}
	plain, err := p.open(e.Algorithm, e.Data)
	if err != nil {
		return nil, err
	}
	var outer asn1.RawValue
	if unmarshal(plain, &outer) != nil {
		return nil, ErrPassword // padding that was right by chance
	}
	return plain, nil
}

// legacy opens a block as OpenSSL encrypted it before there was PKCS #8.
func (p *password) legacy(block *pem.Block) ([]byte, error) {
	if block.Headers["DEK-Info"] == "" {
		return block.Bytes, nil
	}
	if p.text == nil {
		return nil, ErrNeeded
	}
	//lint:ignore SA1019 such files are there, whatever is thought of how they are encrypted
	plain, err := x509.DecryptPEMBlock(block, p.text)
	var outer asn1.RawValue
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrPassword
	case err != nil:
		return nil, fmt.Errorf("a private key %w: %w", ErrDamaged, err)
	case unmarshal(plain, &outer) != nil:
		return nil, ErrPassword // padding that was right by chance
	}
	return plain, nil
}

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// wrapKey makes PKCS #8 of a private key in a form of its own, unless reading that has failed.
func wrapKey(oid asn1.ObjectIdentifier, parameters asn1.RawValue, der []byte, failed error) ([]byte, error) {
	if failed != nil {
		return nil, failed
	}
	return asn1.Marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: parameters}, der})
}

// curveIn is the curve that an ECPrivateKey names, which makes it one that is read.
func curveIn(der []byte) asn1.RawValue {
	var key struct {
		Version int
		Number  []byte
		Curve   asn1.RawValue  `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString `asn1:"optional,explicit,tag:1"`
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return asn1.RawValue{}
	}
	defer clear(key.Number)
	return asn1.RawValue{FullBytes: key.Curve.Bytes}
}

// readSSH reads a private key as ssh-keygen makes it, in any of its forms.
func readSSH(b []byte, s Source) ([]Object, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("the private key %w: there is none between lines -----BEGIN and -----END", ErrDamaged)
	}
	x := &pemReader{password: &password{text: s.Password}, label: s.Label}
	der, err := x.pemKey(block)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return privateKey(der, s.Label)
}

// openSSHKey returns a private key of OpenSSH's own form in PKCS #8.
func openSSHKey(b, text []byte) ([]byte, error) {
	key, err := ssh.ParseRawPrivateKey(b)
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if text == nil {
			return nil, ErrNeeded
		}
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(b, text)
	}
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrPassword
	case err != nil:
		return nil, fmt.Errorf("the private key %w, or of a kind that is not known: %w", ErrDamaged, err)
	}
	if k, is := key.(*ed25519.PrivateKey); is {
		key = *k
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("there are no such keys here: %w", err)
	}
	return der, nil
}
