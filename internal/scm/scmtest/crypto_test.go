// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
)

// TestKoblitzVerify holds the plain arithmetic against another implementation.
func TestKoblitzVerify(t *testing.T) {
	for range 8 {
		priv, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		digest := message(priv.PubKey().X().String())
		r, s := signKoblitz(priv, digest)
		k := scm.Key{Curve: scm.Secp256k1, Public: priv.PubKey().SerializeUncompressed()[1:]}
		checkVerify(t, k, digest, r, s)
	}
}

func signKoblitz(priv *secp256k1.PrivateKey, digest []byte) (r, s *big.Int) {
	sig := koblitz.SignCompact(priv, digest, false)
	return new(big.Int).SetBytes(sig[1:33]), new(big.Int).SetBytes(sig[33:])
}

func TestP256Verify(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := message("P-256")
	r, s, err := ecdsa.Sign(rand.Reader, priv, digest)
	if err != nil {
		t.Fatal(err)
	}
	public, err := priv.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	checkVerify(t, scm.Key{Curve: scm.P256, Public: public[1:]}, digest, r, s)
}

// checkVerify checks that Verify takes a signature and none that is near it.
func checkVerify(t *testing.T, k scm.Key, digest []byte, r, s *big.Int) {
	t.Helper()
	if err := Verify(k, digest, flat(r, s)); err != nil {
		t.Errorf("%s: %v", k.Curve, err)
	}
	zero, one := new(big.Int), big.NewInt(1)
	for _, bad := range [][]byte{
		flat(new(big.Int).Xor(r, one), s),
		flat(r, new(big.Int).Xor(s, one)),
		flat(zero, s), flat(r, zero), flat(s, r),
		flat(r, s)[:63], nil,
	} {
		if Verify(k, digest, bad) == nil {
			t.Errorf("%s: %x is taken for a signature", k.Curve, bad)
		}
	}
	other := scm.Key{Curve: k.Curve, Public: bytes.Repeat([]byte{1}, 64)}
	if Verify(other, digest, flat(r, s)) == nil {
		t.Errorf("%s: valid under what is no public key", k.Curve)
	}
}

func flat(r, s *big.Int) []byte {
	b := make([]byte, 64)
	r.FillBytes(b[:32])
	s.FillBytes(b[32:])
	return b
}

// TestPeers has two peers agree.
func TestPeers(t *testing.T) {
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.X25519} {
		a, errA := newPeer(c)
		b, errB := newPeer(c)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		x, errX := a.secret(b.public)
		y, errY := b.secret(a.public)
		if err := errors.Join(errX, errY); err != nil || !bytes.Equal(x, y) || len(x) != 32 {
			t.Errorf("%s: %x, %x, %v", c, x, y, err)
		}
		if _, err := a.secret(b.public[1:]); err == nil {
			t.Errorf("%s: a short public key is taken", c)
		}
	}
	if _, err := newPeer(scm.Ed25519); !errors.Is(err, scm.ErrCurve) {
		t.Errorf("newPeer(Ed25519): error %v", err)
	}
}
