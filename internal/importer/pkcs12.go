// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf16"

	"libzk_pkcs11/pkcs11"
)

// A file of PKCS #12 is a sequence of parts, each as it is or encrypted; a part is a sequence of bags; and a bag is a
// key, a certificate, or more bags.

type pfx struct {
	Version int
	Content contentInfo
	Code    macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type encryptedData struct {
	Version int
	Content encryptedContent
}

type encryptedContent struct {
	Type      asn1.ObjectIdentifier
	Algorithm pkix.AlgorithmIdentifier
	Sealed    []byte `asn1:"tag:0,optional"`
}

type safeBag struct {
	Type       asn1.ObjectIdentifier
	Value      asn1.RawValue  `asn1:"tag:0,explicit"`
	Attributes []bagAttribute `asn1:"set,optional"`
}

type bagAttribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

type certificateBag struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"tag:0,explicit"`
}

var (
	oidData            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidFriendlyName    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
)

// The types of bags.
const (
	bagOID         = "1.2.840.113549.1.12.10.1."
	bagKey         = bagOID + "1"
	bagSealedKey   = bagOID + "2"
	bagCertificate = bagOID + "3"
	bagCRL         = bagOID + "4"
	bagSecret      = bagOID + "5"
	bagBags        = bagOID + "6"
)

// What a file may have at most.
const (
	mostParts = 100
	mostBags  = 10_000
	mostDepth = 4
)

// pkcs12Reader collects what is in a file.
type pkcs12Reader struct {
	*password
	label        string
	bags         int
	keys         []Object
	certificates []foundCertificate
	others       []Object
}

type foundCertificate struct {
	*x509.Certificate
	name string // "" where there is none
}

// readPKCS12 reads any number of private keys and certificates.
func readPKCS12(b []byte, s Source) ([]Object, error) {
	if len(b) > 1 && b[1] == 0x80 {
		return nil, errors.New("it is in BER and not in DER: change it by openssl pkcs12 -in FILE -out FILE.pem, and import that by \"import pem\"")
	}
	if len(b) > 0 && b[0] != 0x30 {
		return nil, errors.New("it is no PKCS #12, which is DER; look at the name of the file")
	}
	x := &pkcs12Reader{password: &password{text: s.Password}, label: s.Label}
	if s.Password != nil {
		x.wide = wideText(s.Password)
		defer clear(x.wide)
	}
	if err := x.read(b); err != nil {
		return nil, fmt.Errorf("the file: %w", err)
	}
	return x.objects()
}

func (x *pkcs12Reader) read(b []byte) error {
	var file pfx
	if err := unmarshal(b, &file); err != nil {
		return err
	}
	if file.Version != 3 || !file.Content.Type.Equal(oidData) {
		return errors.New("it is no PKCS #12 that a password protects")
	}
	var content []byte
	if err := unmarshal(file.Content.Content.Bytes, &content); err != nil {
		return err
	}
	if err := file.Code.check(content, x.password); err != nil {
		return err
	}
	var parts []contentInfo
	if err := unmarshal(content, &parts); err != nil {
		return err
	}
	if len(parts) > mostParts {
		return fmt.Errorf("it has %d parts, and %d are the most", len(parts), mostParts)
	}
	for _, part := range parts {
		err := x.readPart(part)
		if errors.Is(err, ErrPassword) && len(file.Code.Code.Digest) > 0 {
			return fmt.Errorf("%w, for the password is right: %w", ErrDamaged, errNoKey)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errNoKey is told of what the right password does not open.
var errNoKey = errors.New("a part of it does not open")

func (x *pkcs12Reader) readPart(part contentInfo) error {
	plain, err := x.openPart(part)
	if err != nil {
		return err
	}
	defer clear(plain)
	return x.readBags(plain, 1)
}

// openPart returns what a part contains, in the clear.
func (x *pkcs12Reader) openPart(part contentInfo) (plain []byte, err error) {
	switch {
	case part.Type.Equal(oidData):
		err = unmarshal(part.Content.Bytes, &plain)
		return plain, err
	case part.Type.Equal(oidEncryptedData):
		var e encryptedData
		if err := unmarshal(part.Content.Bytes, &e); err != nil {
			return nil, err
		}
		return x.open(e.Content.Algorithm, e.Content.Sealed)
	}
	return nil, fmt.Errorf("a part of it is protected by %v, and not by a password", part.Type)
}

func (x *pkcs12Reader) readBags(der []byte, depth int) error {
	var bags []safeBag
	if err := unmarshal(der, &bags); err != nil {
		return err
	}
	x.bags += len(bags)
	if depth > mostDepth || x.bags > mostBags {
		return fmt.Errorf("it has bags in bags, %d deep, or %d of them: %d deep and %d are the most", depth, x.bags, mostDepth, mostBags)
	}
	for _, bag := range bags {
		if err := x.readBag(bag, depth); err != nil {
			return err
		}
	}
	return nil
}

func (x *pkcs12Reader) readBag(bag safeBag, depth int) error {
	switch bag.Type.String() {
	case bagKey:
		return x.addKey(bag.Value.Bytes, bag.name())
	case bagSealedKey:
		plain, err := x.openKey(bag.Value.Bytes)
		if err != nil {
			return err
		}
		defer clear(plain)
		return x.addKey(plain, bag.name())
	case bagCertificate:
		return x.addCertificate(bag)
	case bagBags:
		return x.readBags(bag.Value.Bytes, depth+1)
	case bagCRL:
		x.others = append(x.others, Object{Label: bag.name(), Why: "a list of revoked certificates, which tokens do not keep"})
	case bagSecret:
		x.others = append(x.others, Object{Label: bag.name(), Why: "a secret that is no private key, in a form of its program's own"})
	default:
		return fmt.Errorf("it has a bag of type %v, which is not known", bag.Type)
	}
	return nil
}

// name is the friendly name of what is in a bag, "" without one.
func (b safeBag) name() string {
	for _, a := range b.Attributes {
		var text asn1.RawValue
		if !a.Type.Equal(oidFriendlyName) || unmarshal(a.Values.Bytes, &text) != nil || text.Tag != asn1.TagBMPString {
			continue
		}
		units := make([]uint16, len(text.Bytes)/2)
		for i := range units {
			units[i] = uint16(text.Bytes[2*i])<<8 | uint16(text.Bytes[2*i+1])
		}
		return string(utf16.Decode(units))
	}
	return ""
}

func (x *pkcs12Reader) addKey(der []byte, name string) error {
	if name == "" {
		name = x.label
	}
	some, err := privateKey(der, name)
	x.keys = append(x.keys, some...)
	return err
}

func (x *pkcs12Reader) addCertificate(bag safeBag) error {
	var in certificateBag
	if err := unmarshal(bag.Value.Bytes, &in); err != nil {
		return err
	}
	if !in.Type.Equal(oidX509Certificate) {
		x.others = append(x.others, Object{Label: bag.name(), Why: fmt.Sprintf("a certificate of type %v and not X.509", in.Type)})
		return nil
	}
	c, err := x509.ParseCertificate(in.Content)
	if err != nil {
		return fmt.Errorf("a certificate %w: %w", ErrDamaged, err)
	}
	x.certificates = append(x.certificates, foundCertificate{c, bag.name()})
	return nil
}

// objects are the keys, then the certificates, then what stays.
func (x *pkcs12Reader) objects() ([]Object, error) {
	labels := map[string]string{} // of keys by their IDs
	for _, o := range x.keys {
		labels[string(o.value(pkcs11.CKA_ID))] = o.Label
	}
	all := x.keys
	for _, c := range x.certificates {
		o, err := certificate(c.Certificate, c.label(labels, x.label))
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return append(all, x.others...), nil
}

// label is that of the certificate's key, or its own name, or that of its owner.
func (c foundCertificate) label(labels map[string]string, other string) string {
	for _, name := range []string{labels[string(keyID(c.RawSubjectPublicKeyInfo))], c.name, c.Subject.CommonName} {
		if name != "" {
			return name
		}
	}
	return other
}
