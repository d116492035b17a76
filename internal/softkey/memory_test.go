// SPDX-License-Identifier: Apache-2.0

//go:build goexperiment.runtimesecret

package softkey

import (
	"bufio"
	"bytes"
	"crypto"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/secret"
)

// copiesInMemory counts where b stands in this process's writable memory. The pattern is compared byte by
// byte and never copied.
func copiesInMemory(t *testing.T, b []byte) (n int) {
	t.Helper()
	maps := need[*os.File](t)(os.Open("/proc/self/maps"))
	defer maps.Close()
	memory := need[*os.File](t)(os.Open("/proc/self/mem"))
	defer memory.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err == nil && strings.HasPrefix(mode, "rw") {
			n += copiesIn(memory, from, to, b)
		}
	}
	return n
}

// copiesIn reads a range page by page into one buffer, which does not count itself.
func copiesIn(memory *os.File, from, to int64, b []byte) (n int) {
	page := make([]byte, 4096)
	defer clear(page)
	for at := from; at < to; at += int64(len(page)) {
		clear(page)
		if _, err := memory.ReadAt(page, at); err == nil {
			n += bytes.Count(page, b)
		}
	}
	return n
}

// users make a key of a secret and use it. They keep nothing.
var users = map[string]struct {
	size int
	use  func(t *testing.T, b []byte)
}{
	"AES": {32, func(t *testing.T, b []byte) {
		k := need[*AES](t)(NewAES(b))
		_, err := need[Stream](t)(k.EncryptGCM(GCM{IV: make([]byte, 12), TagBits: 128})).Whole(nil, make([]byte, 100))
		signed(t, k.CMAC(), err, nil)
	}},
	"HMAC": {48, func(t *testing.T, b []byte) {
		s := need[*Secret](t)(NewSecret(b))
		m, err := s.HMAC(crypto.SHA384)
		signed(t, m, err, nil)
		need[[]byte](t)(s.HKDF(HKDF{Hash: crypto.SHA256, Extract: true}, 0))
		need[[]byte](t)(s.DeriveHash(crypto.SHA256, 0))
		s.CheckValue()
	}},
	"P-384": {48, func(t *testing.T, b []byte) {
		k := need[*EC](t)(NewEC(P384, b))
		signer, err := k.Sign(crypto.SHA256)
		signed(t, signer, err, nil)
		need[[]byte](t)(k.Agree(Agreement{Peer: k.public}, 0))
	}},
	"secp256k1": {32, func(t *testing.T, b []byte) {
		k := need[*EC](t)(NewEC(Secp256k1, b))
		signer, err := k.Sign(crypto.SHA256)
		signed(t, signer, err, nil)
	}},
	"Ed25519": {32, func(t *testing.T, b []byte) {
		k := need[*Edwards](t)(NewEdwards(b))
		signer, err := k.Sign(EdDSA{})
		signed(t, signer, err, nil)
	}},
	"X25519": {32, func(t *testing.T, b []byte) {
		k := need[*Montgomery](t)(NewMontgomery(b))
		need[[]byte](t)(k.Agree(Agreement{Peer: k.public}, 0))
	}},
	"ML-KEM": {64, func(t *testing.T, b []byte) {
		k := need[*MLKEM](t)(NewMLKEM(MLKEM768, b))
		need[[]byte](t)(k.Decapsulate(make([]byte, 1088)))
	}},
	"ML-DSA": {32, func(t *testing.T, b []byte) {
		k := need[*MLDSA](t)(NewMLDSA(MLDSA44, b))
		signer, err := k.SignHedged(nil)
		signed(t, signer, err, nil)
	}},
}

// TestForgotten: of a key that nobody has any more nothing is in memory after a collection but the copy that the
// test was given, neither as it is written nor as it is computed with.
func TestForgotten(t *testing.T) {
	for name, user := range users {
		b := randomBytes(user.size)
		b[0] &= 0x7f // less than the order of a curve
		user.use(t, b)
		forgotten(t, name, b)
	}
}

// TestForgottenRSA is TestForgotten for one prime of a key.
func TestForgottenRSA(t *testing.T) {
	forgotten(t, "RSA", primeOf(t))
}

// primeOf makes a key and uses it, and returns the only copy of a prime of it.
func primeOf(t *testing.T) []byte {
	t.Helper()
	k := need[*RSA](t)(GenerateRSA(2048))
	signer, err := k.SignPKCS1(crypto.SHA256)
	signed(t, signer, err, nil)
	need[[]byte](t)(k.DecryptRaw().Whole(nil, make([]byte, 256)))
	der := need[[]byte](t)(k.Marshal())
	clear(der)
	x := k.Numbers()
	p := x.P
	x.P = nil
	x.Erase()
	return p
}

// forgotten collects until nothing is left, which the collector has some rounds for: buffers are given back by
// another goroutine after the first one.
func forgotten(t *testing.T, name string, b []byte) {
	t.Helper()
	n := 0
	for range 20 {
		secret.Collect()
		if n = copiesInMemory(t, b); n == 1 {
			break
		}
	}
	if n != 1 {
		t.Errorf("%s is in memory %d times, want once", name, n)
	}
	slices.Reverse(b)
	if n := copiesInMemory(t, b); n != 1 {
		t.Errorf("%s is in memory %d times as words, want once", name, n)
	}
}
