// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// curve is how a test asks for key pairs on a curve.
type curve struct {
	name     string
	keyType  uint
	generate uint
	params   []byte
	sign     uint // 0: such keys do not sign
}

var curves = []curve{
	{"P-256", pkcs11.CKK_EC, pkcs11.CKM_EC_KEY_PAIR_GEN, live.P256, pkcs11.CKM_ECDSA_SHA256},
	{"secp256k1", pkcs11.CKK_EC, pkcs11.CKM_EC_KEY_PAIR_GEN, live.Secp256k1, pkcs11.CKM_ECDSA_SHA256},
	{"Ed25519", live.CKK_EC_EDWARDS, live.CKM_EC_EDWARDS_KEY_PAIR_GEN, live.Ed25519, live.CKM_EDDSA},
	{"X25519", live.CKK_EC_MONTGOMERY, live.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, live.X25519, 0},
}

// onToken are attributes of a private key that is to be kept in a slot.
func onToken(more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{attr(pkcs11.CKA_TOKEN, true)}, more...)
}

// pair makes a key pair on the token; what is given is for both halves.
func (c *curve) pair(t *testing.T, k *live.Token, s pkcs11.SessionHandle, more ...*pkcs11.Attribute) (public, private pkcs11.ObjectHandle) {
	t.Helper()
	public, private, err := k.GenerateKeyPair(s, live.Mechanism(c.generate),
		append(onToken(more...), attr(pkcs11.CKA_EC_PARAMS, c.params)), onToken(more...))
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return public, private
}

// derOf turns r and s side by side into the SEQUENCE of them.
func derOf(t *testing.T, rs []byte) []byte {
	t.Helper()
	half := len(rs) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(rs[:half]), new(big.Int).SetBytes(rs[half:])})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// numberOf reads a CK_ULONG.
func numberOf(t *testing.T, value []byte) uint {
	t.Helper()
	switch len(value) {
	case 4:
		return uint(binary.NativeEndian.Uint32(value))
	case 8:
		return uint(binary.NativeEndian.Uint64(value))
	}
	t.Fatalf("a CK_ULONG of %d bytes", len(value))
	return 0
}
