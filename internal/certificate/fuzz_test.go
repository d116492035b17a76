// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"testing"
)

// FuzzParsePublicKey: whatever a device gives for a public key, its forms are made or refused, and those of one that Go
// reads are that key.
func FuzzParsePublicKey(f *testing.F) {
	for _, text := range []string{
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErhuW/BXV/A9jX9k3HOI3nhDxlYPBuryYrG6QQRfXQnb/3/xE5qKkUCBAhFWG2Z+5nG55TWs+tjprimdxZx1rqw==",
		"MCowBQYDK2VwAyEAkhlIxngFFXOvQcogJ5vN6JwPvhS728aE9RaZ0ktS+gk=",
		"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE88AtdF/0Rk/sinC615AA2zVKq2AFNqbiUj97HfTJu1ngCasZzyi5KdsbqnJCzNNL7r4X9NZMy+43x0rqE9pXtA==",
	} {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		p, err := ParsePublicKey(der)
		if err != nil {
			return
		}
		if p.Name() == "" {
			t.Error("a key without a name")
		}
		if text, err := p.JWK(); err == nil && !json.Valid(text) {
			t.Errorf("a JSON Web Key that is no JSON: %s", text)
		}
		line, err := p.SSH("a b")
		if _, unread := x509.ParsePKIXPublicKey(der); unread != nil && err == nil {
			t.Errorf("a line for ssh of what is no key: %s", line)
		}
	})
}

// FuzzParseSubject: a subject that is accepted can be written into a certificate.
func FuzzParseSubject(f *testing.F) {
	for _, text := range []string{"CN=a,O=b", "/CN=a/O=b", `CN=a\,b`, "C=DE,emailAddress=a@b", `\`, "CN=\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := ParseSubject(text)
		if err != nil {
			return
		}
		der, err := asn1.Marshal(name.ToRDNSequence())
		if err != nil || len(name.ToRDNSequence()) == 0 {
			t.Errorf("%q is accepted, and is %x in a certificate (%v)", text, der, err)
		}
	})
}
