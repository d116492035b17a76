// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/bits"
	"strings"
)

// Profile is what a certificate is for.
type Profile string

// The profiles.
const (
	Server Profile = "server"
	Client Profile = "client"
	CA     Profile = "ca"
)

// ParseProfile reads the name of a profile.
func ParseProfile(name string) (Profile, error) {
	switch p := Profile(name); p {
	case Server, Client, CA:
		return p, nil
	}
	return "", fmt.Errorf("--profile: there is no %q; the profiles are server, client and ca", name)
}

// usages is what a profile allows with a key. Only RSA encrypts keys; the others agree on them, for which TLS signs.
func (p Profile) usages(public *PublicKey) (x509.KeyUsage, []x509.ExtKeyUsage) {
	usage := x509.KeyUsageDigitalSignature
	if public.algorithm.Equal(algorithmRSA) {
		usage |= x509.KeyUsageKeyEncipherment
	}
	switch p {
	case CA:
		return x509.KeyUsageCertSign | x509.KeyUsageCRLSign, nil
	case Client:
		return x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return usage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// usageNames are the names that openssl has for them.
func usageNames() map[string]x509.KeyUsage {
	return map[string]x509.KeyUsage{
		"digitalSignature": x509.KeyUsageDigitalSignature, "nonRepudiation": x509.KeyUsageContentCommitment, "keyEncipherment": x509.KeyUsageKeyEncipherment,
		"dataEncipherment": x509.KeyUsageDataEncipherment, "keyAgreement": x509.KeyUsageKeyAgreement, "keyCertSign": x509.KeyUsageCertSign, "cRLSign": x509.KeyUsageCRLSign,
	}
}

// ParseKeyUsage reads names as "digitalSignature,keyAgreement".
func ParseKeyUsage(list []string) (x509.KeyUsage, error) {
	var usage x509.KeyUsage
	for _, name := range list {
		bit, known := usageNames()[strings.TrimSpace(name)]
		if !known {
			return 0, fmt.Errorf("--key-usage: there is no %q; there are digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, keyCertSign and cRLSign", name)
		}
		usage |= bit
	}
	return usage, nil
}

// extensions are those that crypto/x509 writes into a certificate by itself, but not into a request.
func (r *Request) extensions(public *PublicKey) ([]pkix.Extension, error) {
	usage, extended := r.usages(public)
	list := []pkix.Extension{usageExtension(usage)}
	constraints, err := asn1.Marshal(struct {
		IsCA bool `asn1:"optional"`
	}{r.Profile == CA})
	if err != nil {
		return nil, err
	}
	list = append(list, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: constraints})
	if len(extended) == 0 {
		return list, nil
	}
	purposes, err := asn1.Marshal([]asn1.ObjectIdentifier{purposeOf(extended[0])})
	return append(list, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: purposes}), err
}

// usageExtension encodes a BIT STRING of names, whose first bit is the highest and that ends with the last one that is set.
func usageExtension(usage x509.KeyUsage) pkix.Extension {
	reversed := bits.Reverse16(uint16(usage))
	content := []byte{byte(reversed >> 8), byte(reversed)}
	if content[1] == 0 {
		content = content[:1]
	}
	unused := bits.TrailingZeros8(content[len(content)-1])
	value := append([]byte{asn1.TagBitString, byte(1 + len(content)), byte(unused)}, content...)
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: value}
}

func purposeOf(u x509.ExtKeyUsage) asn1.ObjectIdentifier {
	last := 1 // serverAuth
	if u == x509.ExtKeyUsageClientAuth {
		last = 2
	}
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, last}
}
