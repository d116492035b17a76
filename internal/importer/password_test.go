// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
)

// TestIterations: a key that asks for years of work, or for none, is refused before any.
func TestIterations(t *testing.T) {
	for _, n := range []int{0, -1, mostIterations + 1} {
		kdf, err := asn1.Marshal(pbkdf2Parameters{Salt: []byte("salt"), Iterations: n, PRF: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := asn1.Marshal(pbes2Parameters{
			KDF:    pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: kdf}},
			Cipher: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}},
		})
		if err != nil {
			t.Fatal(err)
		}
		a := pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: asn1.RawValue{FullBytes: p}}
		if _, err := (&password{text: []byte("secret")}).open(a, make([]byte, 32)); err == nil || !strings.Contains(err.Error(), "iterations") {
			t.Errorf("%d: %v", n, err)
		}
	}
}
