// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"crypto"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"os"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// file is a file of Wycheproof for the verification of signatures.
type file struct {
	NumberOfTests int
	TestGroups    []struct {
		PublicKey struct{ Uncompressed, PK string } // one or the other
		Tests     []vector
	}
}

type vector struct {
	TcID             int
	Comment          string
	Msg, Sig, Result string
}

// suite says which file, and how its signatures are verified.
type suite struct {
	file             string
	keyType          uint
	params           []byte
	whole, prehashed uint        // mechanisms for the message and, unless 0, for its hash
	hash             crypto.Hash // for the latter
}

var suites = []suite{
	{"ecdsa_secp256r1_sha256_p1363", pkcs11.CKK_EC, live.P256, pkcs11.CKM_ECDSA_SHA256, pkcs11.CKM_ECDSA, crypto.SHA256},
	{"ecdsa_secp256r1_sha512_p1363", pkcs11.CKK_EC, live.P256, pkcs11.CKM_ECDSA_SHA512, pkcs11.CKM_ECDSA, crypto.SHA512},
	{"ecdsa_secp256k1_sha256_p1363", pkcs11.CKK_EC, live.Secp256k1, pkcs11.CKM_ECDSA_SHA256, pkcs11.CKM_ECDSA, crypto.SHA256},
	{"ecdsa_secp256k1_sha512_p1363", pkcs11.CKK_EC, live.Secp256k1, pkcs11.CKM_ECDSA_SHA512, pkcs11.CKM_ECDSA, crypto.SHA512},
	{"ed25519", live.CKK_EC_EDWARDS, live.Ed25519, live.CKM_EDDSA, 0, 0},
}

func TestWycheproof(t *testing.T) {
	k := live.New(t)
	for _, x := range suites {
		t.Run(x.file, func(t *testing.T) { x.run(t, k) })
	}
}

func (x *suite) run(t *testing.T, k *live.Token) {
	f := read(t, x.file)
	s := k.Public()
	defer func() { k.OK(k.CloseSession(s)) }()
	counts := map[string]int{}
	for _, g := range f.TestGroups {
		key, err := k.CreateObject(s, live.PublicKey(x.keyType, x.params, unhex(t, g.PublicKey.Uncompressed+g.PublicKey.PK)))
		if err != nil {
			t.Fatalf("public key %s%s: %v", g.PublicKey.Uncompressed, g.PublicKey.PK, err)
		}
		for _, v := range g.Tests {
			counts[v.Result]++
			x.check(t, k, s, key, v)
		}
		k.OK(k.DestroyObject(s, key))
	}
	t.Logf("%d valid accepted, %d invalid refused, %d acceptable", counts["valid"], counts["invalid"], counts["acceptable"])
	if total := counts["valid"] + counts["invalid"] + counts["acceptable"]; counts["valid"] == 0 || counts["invalid"] == 0 || total != f.NumberOfTests {
		t.Errorf("%d of %d tests were run", total, f.NumberOfTests)
	}
}

func read(t *testing.T, name string) *file {
	t.Helper()
	text, err := os.ReadFile(harness.Vectors(t, "wycheproof/"+name+"_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	if err := json.Unmarshal(text, f); err != nil {
		t.Fatal(err)
	}
	return f
}

// check verifies one signature by every mechanism that can.
func (x *suite) check(t *testing.T, k *live.Token, s pkcs11.SessionHandle, key pkcs11.ObjectHandle, v vector) {
	t.Helper()
	message, signature := unhex(t, v.Msg), unhex(t, v.Sig)
	x.expect(t, v, k.Verified(s, x.whole, key, message, signature))
	if x.prehashed != 0 {
		h := x.hash.New()
		h.Write(message)
		x.expect(t, v, k.Verified(s, x.prehashed, key, h.Sum(nil), signature))
	}
}

func (x *suite) expect(t *testing.T, v vector, err error) {
	t.Helper()
	switch rv := live.RV(err); {
	case rv != pkcs11.CKR_OK && rv != pkcs11.CKR_SIGNATURE_INVALID && rv != pkcs11.CKR_SIGNATURE_LEN_RANGE:
		t.Errorf("%d (%s): %v", v.TcID, v.Comment, rv)
	case v.Result == "valid" && rv != pkcs11.CKR_OK, v.Result == "invalid" && rv == pkcs11.CKR_OK:
		t.Errorf("%d (%s) is %s: %v", v.TcID, v.Comment, v.Result, rv)
	}
}
