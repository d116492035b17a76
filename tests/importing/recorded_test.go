// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// recorded is what SoftHSM2 has made with a key of testdata/softhsm2-db, whose token is of the back end of SQLite.
type recorded struct {
	Label     string
	Mechanism uint
	Class     uint   // of the key that a user has
	Made      []byte // a signature or code of text, or text sealed
	Public    []byte // CKA_EC_POINT of the key, for curves
}

// digested is text, or its digest where the mechanism wants that.
func (r recorded) digested() []byte {
	if r.Mechanism != pkcs11.CKM_ECDSA {
		return text
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

const recordedTo = "testdata/softhsm2-db"

// TestRecord makes testdata/softhsm2-db anew, where ZK_SOFTHSM_SQLITE and ZK_RECORD are set.
func TestRecord(t *testing.T) {
	if os.Getenv("ZK_RECORD") == "" {
		t.Skip("it makes what TestRecorded reads, and does so with ZK_RECORD=1 and ZK_SOFTHSM_SQLITE alone")
	}
	s := newSoftHSMOf(t, os.Getenv("ZK_SOFTHSM_SQLITE"), "db")
	s.furnish()
	for _, curve := range []string{"p224", "k1", "brainpool"} {
		s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, curve, false, ofCurve(curve))
	}
	s.pair(ckmEdwardsPair, "x", false, ofCurve("x"))
	var all []recorded
	for _, label := range []string{"rsa-stays", "rsa-goes"} {
		all = append(all, recorded{label, pkcs11.CKM_SHA256_RSA_PKCS, pkcs11.CKO_PRIVATE_KEY, s.sign(pkcs11.CKM_SHA256_RSA_PKCS, label, text), nil},
			recorded{label, pkcs11.CKM_RSA_PKCS, pkcs11.CKO_PRIVATE_KEY, s.seal(pkcs11.CKM_RSA_PKCS, s.find(pkcs11.CKO_PUBLIC_KEY, label)), nil})
	}
	for _, label := range []string{"p224", "p256", "p384", "p521", "k1", "ed", "x"} {
		r := recorded{Label: label, Mechanism: pkcs11.CKM_ECDSA, Class: pkcs11.CKO_PRIVATE_KEY, Public: s.attribute(s.find(pkcs11.CKO_PUBLIC_KEY, label), pkcs11.CKA_EC_POINT)}
		switch label {
		case "ed":
			r.Mechanism = ckmEdDSA
			r.Made = s.sign(ckmEdDSA, label, text)
		case "x":
			r.Mechanism = pkcs11.CKM_ECDH1_DERIVE
		default:
			r.Made = s.sign(pkcs11.CKM_ECDSA, label, r.digested())
		}
		all = append(all, r)
	}
	for _, label := range []string{"mac-private", "mac-public", "mac-other"} {
		all = append(all, recorded{label, pkcs11.CKM_SHA256_HMAC, pkcs11.CKO_SECRET_KEY, s.mac(label, text), nil})
	}
	for _, label := range []string{"aes-private", "aes-public", "aes-other"} {
		all = append(all, recorded{label, pkcs11.CKM_AES_CBC_PAD, pkcs11.CKO_SECRET_KEY, s.seal(pkcs11.CKM_AES_CBC_PAD, s.find(pkcs11.CKO_SECRET_KEY, label)), nil})
	}
	s.ok(s.Finalize()) // its database is whole then
	tokens, err := filepath.Glob(filepath.Join(s.dir, "*", "sqlite3.db"))
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	answers, err := json.MarshalIndent(all, "", " ")
	s.ok(err)
	s.ok(os.WriteFile(filepath.Join(recordedTo, "answers.json"), append(answers, '\n'), 0o644))
	copyFile(t, tokens[0], filepath.Join(recordedTo, "token", "sqlite3.db"))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// TestRecorded: all objects of a token that SoftHSM2 2.6.1 has made with the back end of SQLite come over, and each key
// agrees with what SoftHSM2 did with it then. What is on a curve that is not here is told.
func TestRecorded(t *testing.T) {
	var all []recorded
	answers, err := os.ReadFile(filepath.Join(recordedTo, "answers.json"))
	if err == nil {
		err = json.Unmarshal(answers, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyFile(t, filepath.Join(recordedTo, "token", "sqlite3.db"), filepath.Join(dir, "token", "sqlite3.db"))
	k, tool := newTarget(t)
	out := tool.partly("softhsm", dir, "--from-pin", softPIN)
	if !bytes.Contains([]byte(out), []byte("30 of 33 objects imported")) {
		t.Errorf("%s", out)
	}
	if again := tool.partly("softhsm", dir, "--from-pin", softPIN); !bytes.Contains([]byte(again), []byte("0 of 33 objects imported")) {
		t.Errorf("a second run: %s", again)
	}
	tool.fails("the PIN of the token that is read is wrong", "softhsm", dir, "--from-pin", "4321")
	session := k.User()
	for _, r := range all {
		r.agrees(t, k, session)
	}
}

// agrees looks whether the key here does what SoftHSM2 did.
func (r recorded) agrees(t *testing.T, k *live.Token, session pkcs11.SessionHandle) {
	key := k.One(session, attr(pkcs11.CKA_CLASS, r.Class), attr(pkcs11.CKA_LABEL, r.Label))
	if r.Public != nil {
		public := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_LABEL, r.Label))
		if here := k.Attr(session, public, pkcs11.CKA_EC_POINT); !bytes.Equal(here, r.Public) {
			t.Errorf("%s: the public key is %x, want %x", r.Label, here, r.Public)
		}
	}
	switch r.Mechanism {
	case pkcs11.CKM_ECDSA:
		public := k.One(session, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), attr(pkcs11.CKA_LABEL, r.Label))
		k.OK(k.Verified(session, r.Mechanism, public, r.digested(), r.Made))
		k.OK(k.Verified(session, r.Mechanism, public, r.digested(), k.Signed(session, r.Mechanism, key, r.digested())))
	case pkcs11.CKM_ECDH1_DERIVE:
		if got := multiplied(k, session, key); !bytes.Equal(got, r.Public[2:]) {
			t.Errorf("%s: the private key gives the public key %x, want %x", r.Label, got, r.Public[2:])
		}
	case pkcs11.CKM_RSA_PKCS, pkcs11.CKM_AES_CBC_PAD:
		mechanism := live.Mechanism(r.Mechanism)
		if r.Mechanism == pkcs11.CKM_AES_CBC_PAD {
			mechanism = []*pkcs11.Mechanism{pkcs11.NewMechanism(r.Mechanism, empty)}
		}
		k.OK(k.DecryptInit(session, mechanism, key))
		if plain, err := k.Decrypt(session, r.Made); err != nil || !bytes.Equal(plain, text) {
			t.Errorf("%s: decrypted %q, %v", r.Label, plain, err)
		}
	default:
		if mine := k.Signed(session, r.Mechanism, key, text); !bytes.Equal(mine, r.Made) {
			t.Errorf("%s: another signature or code", r.Label)
		}
	}
}

// multiplied is the base point of X25519 times the private key, which is the public key.
func multiplied(k *live.Token, session pkcs11.SessionHandle, key pkcs11.ObjectHandle) []byte {
	base := append([]byte{9}, make([]byte, 31)...)
	derive := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, base))}
	h, err := k.DeriveKey(session, derive, key, []*pkcs11.Attribute{attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET), attr(pkcs11.CKA_EXTRACTABLE, true), attr(pkcs11.CKA_SENSITIVE, false), attr(pkcs11.CKA_VALUE_LEN, 32)})
	k.OK(err)
	return k.Attr(session, h, pkcs11.CKA_VALUE)
}
