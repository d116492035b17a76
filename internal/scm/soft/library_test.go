// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/secret"
)

// The library of the standard computes the same, of keys that it keeps.

// digests are the ends of the range, the neighbours of the order of P-256, and any.
func digests() [][]byte {
	n := elliptic.P256().Params().N.Bytes()
	below, above := bytes.Clone(n), bytes.Clone(n)
	below[31]--
	above[31]++
	all := [][]byte{make([]byte, 32), bytes.Repeat([]byte{255}, 32), n, below, above}
	for range 32 {
		b := make([]byte, 32)
		rand.Read(b)
		all = append(all, b)
	}
	return all
}

func TestP256LikeLibrary(t *testing.T) {
	mask := secret.NewMask()
	defer mask.Destroy()
	for _, digest := range digests() {
		key := make([]byte, secretSize)
		public, err := generate(scm.P256, key)
		must(t, err)
		library, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), key)
		must(t, err)
		der, err := library.Sign(nil, digest, crypto.SHA256)
		must(t, err)
		k := newPrivate(scm.P256, public, key, mask)
		got, err := k.signMessage(settings.NonceRFC6979, digest)
		must(t, err)
		if want := flat(der); !bytes.Equal(got, want) {
			t.Errorf("digest %x: %x, want %x", digest, got, want)
		}
		got, err = k.signMessage(settings.NonceRandom, digest)
		must(t, err)
		if !ecdsa.VerifyASN1(&library.PublicKey, digest, signatureDER(got)) {
			t.Errorf("digest %x: signature %x is not valid", digest, got)
		}
		agreer, err := library.ECDH()
		must(t, err)
		if !bytes.Equal(agreer.PublicKey().Bytes()[1:], public) {
			t.Errorf("public key %x, want %x", public, agreer.PublicKey().Bytes())
		}
		agreesLike(t, k, agreer)
	}
}

func TestX25519LikeLibrary(t *testing.T) {
	mask := secret.NewMask()
	defer mask.Destroy()
	for range 8 {
		key := make([]byte, secretSize)
		public, err := generate(scm.X25519, key)
		must(t, err)
		library, err := ecdh.X25519().NewPrivateKey(key)
		must(t, err)
		agreesLike(t, newPrivate(scm.X25519, public, key, mask), library)
	}
}

func agreesLike(t *testing.T, k *private, library *ecdh.PrivateKey) {
	t.Helper()
	peer, err := library.Curve().GenerateKey(rand.Reader)
	must(t, err)
	want, err := library.ECDH(peer.PublicKey())
	must(t, err)
	form := peer.PublicKey().Bytes()
	if k.curve == scm.P256 {
		form = form[1:]
	}
	if got, err := k.agreeWith(form); err != nil || !bytes.Equal(got, want) {
		t.Errorf("agreed %x, %v, want %x", got, err, want)
	}
}

func TestEd25519LikeLibrary(t *testing.T) {
	mask := secret.NewMask()
	defer mask.Destroy()
	for _, message := range append(digests(), nil, bytes.Repeat([]byte{'m'}, 1000)) {
		seed := make([]byte, secretSize)
		public, err := generate(scm.Ed25519, seed)
		must(t, err)
		library := ed25519.NewKeyFromSeed(seed)
		got, err := newPrivate(scm.Ed25519, public, seed, mask).signMessage(settings.NonceRFC6979, message)
		if want := ed25519.Sign(library, message); err != nil || !bytes.Equal(got, want) {
			t.Errorf("message %x: %x, %v, want %x", message, got, err, want)
		}
		if !bytes.Equal(public, library.Public().(ed25519.PublicKey)) {
			t.Errorf("public key %x, want %x", public, library.Public())
		}
	}
}

func TestInverseLikeLibrary(t *testing.T) {
	n := elliptic.P256().Params().N
	numbers := []*big.Int{big.NewInt(1), big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Rsh(n, 1)}
	for range 1000 {
		x, err := rand.Int(rand.Reader, new(big.Int).Sub(n, big.NewInt(1)))
		must(t, err)
		numbers = append(numbers, x.Add(x, big.NewInt(1)))
	}
	for _, x := range numbers {
		var w words
		b := x.FillBytes(make([]byte, 32))
		w.setBytes(b)
		w = inverse(&w, &wordsP256)
		w.putBytes(b)
		if want := new(big.Int).ModInverse(x, n); want.Cmp(new(big.Int).SetBytes(b)) != 0 {
			t.Errorf("1/%d: %x, want %x", x, b, want)
		}
	}
}

// flat turns the DER form of an ECDSA signature into r‖s.
func flat(der []byte) []byte {
	var r, s []byte
	rs, input := make([]byte, 64), cryptobyte.String(der)
	if !input.ReadASN1(&input, asn1.SEQUENCE) || !input.ReadASN1Integer(&r) || !input.ReadASN1Integer(&s) {
		return nil
	}
	copy(rs[32-len(r):], r)
	copy(rs[64-len(s):], s)
	return rs
}

func signatureDER(rs []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, half := range [][]byte{rs[:32], rs[32:]} {
			b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(minimal(half)) })
		}
	})
	return b.BytesOrPanic()
}

// minimal is a positive number as an INTEGER has it.
func minimal(b []byte) []byte {
	b = bytes.TrimLeft(b, "\x00")
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return b
}

// TestRejected goes on with another nonce where one does not do, as RFC 6979 has it. The
// first two of its nonces are the same where the seed is.
func TestRejected(t *testing.T) {
	var first, second nonces
	first.initialise(make([]byte, 32), make([]byte, 32), nil)
	second.initialise(make([]byte, 32), make([]byte, 32), nil)
	if !bytes.Equal(first.candidate(), second.candidate()) {
		t.Error("nonces differ that were seeded alike")
	}
	before := bytes.Clone(first.value[:])
	first.reject()
	if bytes.Equal(first.candidate(), before) {
		t.Error("a rejected nonce comes again")
	}
}
