// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"regexp"
	"strings"

	"libzk_pkcs11/tests/harness"
)

// readPublic has pkcs11-tool read a public key, and returns the file. Over the
// vendor's C API the key is made from what it lists: --read-object of 0.23 uses
// memory after freeing it, and fails with what the second runtime leaves there.
func (k *token) readPublic(id string) string {
	k.t.Helper()
	file := k.path("public-" + id)
	if !harness.OverVendor() {
		k.tool("--read-object", "--type", "pubkey", "--id", id, "-o", file)
		return file
	}
	for _, object := range strings.Split(k.tool("-O", "--type", "pubkey"), "Public Key Object;") {
		if regexp.MustCompile(`(?m)^ +ID: +` + id + `$`).MatchString(object) {
			return k.write("public-"+id, k.publicOf(object))
		}
	}
	k.t.Fatalf("no public key %s", id)
	return ""
}

// publicOf makes the PEM block of a listed public key.
func (k *token) publicOf(object string) []byte {
	k.t.Helper()
	var point []byte
	if _, err := asn1.Unmarshal(k.listed(object, "EC_POINT"), &point); err != nil {
		k.t.Fatal(err)
	}
	params := k.listed(object, "EC_PARAMS")
	info := struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{Key: asn1.BitString{Bytes: point, BitLength: 8 * len(point)}}
	if strings.HasPrefix(object, " EC_EDWARDS") {
		info.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 3, 101, 112}
	} else {
		info.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
		info.Algorithm.Parameters.FullBytes = params
	}
	der, err := asn1.Marshal(info)
	if err != nil {
		k.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// listed is the value of a line of a listed object.
func (k *token) listed(object, name string) []byte {
	k.t.Helper()
	found := regexp.MustCompile(name + `: +([0-9a-f]+)`).FindStringSubmatch(object)
	if found == nil {
		k.t.Fatalf("no %s in %s", name, object)
	}
	value, err := hex.DecodeString(found[1])
	if err != nil {
		k.t.Fatal(err)
	}
	return value
}
