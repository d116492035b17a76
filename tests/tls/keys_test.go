// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestKeyPairs makes key pairs, signs with each and finds them as crypto11's
// users do.
func TestKeyPairs(t *testing.T) {
	token := open(t)
	digest := sha256.Sum256([]byte("message"))
	for _, key := range []pair{token.permanent(t, 0), token.permanent(t, 13), token.generate(t, "one"), token.generate(t, "two")} {
		public, ok := key.Public().(*ecdsa.PublicKey)
		if !ok || public.Curve != elliptic.P256() {
			t.Fatalf("%s: public key %v", key.id, key.Public())
		}
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if !ecdsa.VerifyASN1(public, digest[:], signature) {
			t.Errorf("%s: the signature is not one of the key", key.id)
		}
	}
}

// TestDelete removes a generated key pair, and leaves the others.
func TestDelete(t *testing.T) {
	token := open(t)
	token.generate(t, "kept")
	if err := token.generate(t, "gone").Delete(); err != nil {
		t.Fatal(err)
	}
	if signer, err := token.FindKeyPair(nil, []byte("gone")); err != nil || signer != nil {
		t.Errorf("found after Delete: %v, %v", signer, err)
	}
	if signer, err := token.FindKeyPair(nil, []byte("kept")); err != nil || signer == nil {
		t.Errorf("the other key pair: %v, %v", signer, err)
	}
}

// TestAllKeyPairs lists key pairs by their type.
func TestAllKeyPairs(t *testing.T) {
	token := open(t)
	token.generate(t, "one more")
	all := crypto11.NewAttributeSet()
	if err := all.Set(crypto11.CkaKeyType, pkcs11.CKK_EC); err != nil {
		t.Fatal(err)
	}
	pairs, err := token.FindKeyPairsWithAttributes(all)
	if err != nil || len(pairs) != 15 {
		t.Errorf("%d EC key pairs, %v; want the 14 permanent ones and one more", len(pairs), err)
	}
}

// TestAllKeyPairsOfProgram lists them all: crypto11 gives up when it meets one of a type that it does not know, such as those of slots 14 and
// 15. By a program's build information the module sees that it is here; that of a test does not tell.
func TestAllKeyPairsOfProgram(t *testing.T) {
	for _, flags := range [][]string{{}, {"-buildmode=pie", "-trimpath", "-ldflags=-s -w"}} {
		program := filepath.Join(t.TempDir(), "pairs")
		build := exec.Command("go", append(append([]string{"build", "-buildvcs=false", "-o", program}, flags...), "testdata/pairs.go")...)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		home := harness.NewHome(t)
		home.Init()
		list := func() (string, error) {
			out, err := home.Command(program, harness.Module(t), harness.Label, harness.UserPIN).CombinedOutput()
			return string(out), err
		}
		if out, err := list(); err != nil || out != "14\n" {
			t.Errorf("%v: %s, %v; want the 14 permanent pairs on P-256", flags, out, err)
		}
		home.Set("ZK_PKCS11_QUIRKS", "none")
		if out, err := list(); err == nil {
			t.Errorf("%v: crypto11 lists %s key pairs without the quirk, which it needs no more", flags, out)
		}
	}
}

// TestCertificates stores, finds and deletes certificates.
func TestCertificates(t *testing.T) {
	token := open(t)
	ca := token.authority(t)
	id := []byte{3}
	ca.issue(t, token.permanent(t, 3), "server", x509.ExtKeyUsageServerAuth)
	found, err := token.FindCertificate(nil, nil, ca.certificate.SerialNumber)
	if err != nil || found == nil || !found.Equal(ca.certificate) {
		t.Errorf("by serial number: %v, %v", found, err)
	}
	if err := token.DeleteCertificate(id, nil, nil); err != nil {
		t.Fatal(err)
	}
	if found, err := token.FindCertificate(id, nil, nil); err != nil || found != nil {
		t.Errorf("after DeleteCertificate: %v, %v", found, err)
	}
}

// TestRandom reads random bytes of the device.
func TestRandom(t *testing.T) {
	reader, err := open(t).NewRandomReader()
	if err != nil {
		t.Fatal(err)
	}
	var a, b [32]byte
	for _, buffer := range [][]byte{a[:], b[:]} {
		if n, err := reader.Read(buffer); n != len(buffer) || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	if a == b || a == [32]byte{} {
		t.Errorf("%x, %x", a, b)
	}
}
