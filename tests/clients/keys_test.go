// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// key is a key pair of the tests: a permanent one of the SCM, or one that the
// client generates on a curve.
type key struct {
	name  string
	id    string // CKA_ID in hexadecimal
	curve string // name for pkcs11-tool; "" for a permanent key
	edDSA bool
}

// keys are the kinds of keys of which every client is shown one.
func keys() []key {
	return []key{
		{name: "slot 0", id: "00"},
		{name: "slot 14", id: "0e", edDSA: true},
		{name: "slot 15", id: "0f", edDSA: true},
		{name: "generated P-256", id: "a1", curve: "prime256v1"},
		{name: "generated secp256k1", id: "a2", curve: "secp256k1"},
		{name: "generated Ed25519", id: "a3", curve: "edwards25519", edDSA: true},
	}
}

// generateAll makes those keys that the SCM does not bring along.
func (k *token) generateAll() {
	k.t.Helper()
	for _, key := range keys() {
		if key.curve != "" {
			k.generate(key.curve, key.id)
		}
	}
}

// method is a way to sign: the mechanism as pkcs11-tool calls it, and the hash
// that it, or for ECDSA its caller, makes of the message.
type method struct {
	mechanism string
	hash      crypto.Hash
	option    string // hash as an option of openssl dgst
}

func (k key) methods() []method {
	if k.edDSA {
		return []method{{mechanism: "EDDSA"}}
	}
	return []method{
		{"ECDSA", crypto.SHA256, "-sha256"},
		{"ECDSA-SHA1", crypto.SHA1, "-sha1"},
		{"ECDSA-SHA224", crypto.SHA224, "-sha224"},
		{"ECDSA-SHA256", crypto.SHA256, "-sha256"},
		{"ECDSA-SHA384", crypto.SHA384, "-sha384"},
		{"ECDSA-SHA512", crypto.SHA512, "-sha512"},
	}
}

// input is what the client is given to sign message.
func (m method) input(message []byte) []byte {
	if m.mechanism != "ECDSA" {
		return message
	}
	h := m.hash.New()
	h.Write(message)
	return h.Sum(nil)
}
