// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// TestSignRecoverable recovers the public key from signatures on secp256k1, and
// looks at both halves of the range of s.
func TestSignRecoverable(t *testing.T) {
	d := open(t, t.TempDir(), options)
	k := generate(t, d, scm.Secp256k1)
	digest := make([]byte, 32)
	half := new(big.Int).Rsh(new(big.Int).SetBytes(unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")), 1)
	var high, odd int
	for i := range 64 {
		digest[0] = byte(i)
		sig, recovery, err := d.SignRecoverable(k.Slot, digest)
		check(t, err)
		public, _, err := ecdsa.RecoverCompact(append([]byte{27 + recovery}, sig...), digest)
		if err != nil || !bytes.Equal(public.SerializeUncompressed()[1:], k.Public) {
			t.Fatalf("recovered another key from signature %d: %v", i, err)
		}
		if new(big.Int).SetBytes(sig[32:]).Cmp(half) > 0 {
			high++
		}
		odd += int(recovery)
	}
	// Each of them is a coin that is tossed 64 times.
	if high < 8 || high > 56 || odd < 8 || odd > 56 {
		t.Errorf("of 64 signatures %d have a high s and %d an odd y", high, odd)
	}
}

// TestSignRecoverableP256 finds y of the point that r comes from by its parity,
// and computes the public key: Q = (s·R - e·G) / r.
func TestSignRecoverableP256(t *testing.T) {
	d := open(t, t.TempDir(), options)
	digest := bytes.Repeat([]byte{1}, 32)
	for i := range 16 {
		digest[0] = byte(i)
		sig, recovery, err := d.SignRecoverable(scm.Slot(i%14), digest)
		check(t, err)
		k, err := d.PublicKey(scm.Slot(i % 14))
		check(t, err)
		if got := recoverP256(t, digest, sig, recovery); !bytes.Equal(got, k.Public) {
			t.Errorf("recovered %x, want %x", got, k.Public)
		}
	}
}

func recoverP256(t *testing.T, digest, sig []byte, recovery byte) []byte {
	t.Helper()
	c, n := elliptic.P256(), elliptic.P256().Params().N
	x, y := elliptic.UnmarshalCompressed(c, append([]byte{2 + recovery}, sig[:32]...))
	if x == nil {
		t.Fatal("r is no x coordinate")
	}
	e, r, s := new(big.Int).SetBytes(digest), new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	inverse := new(big.Int).ModInverse(r, n)
	scalar := func(v *big.Int) []byte {
		v = new(big.Int).Mul(v, inverse)
		return v.Mod(v, n).Bytes()
	}
	//lint:ignore SA1019 the points are public, and there is no other arithmetic with them in the standard library
	x1, y1 := c.ScalarMult(x, y, scalar(s))
	//lint:ignore SA1019 as before
	x2, y2 := c.ScalarBaseMult(scalar(new(big.Int).Neg(e)))
	//lint:ignore SA1019 as before
	x, y = c.Add(x1, y1, x2, y2)
	return append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
}

// TestSignRecoverableEd25519 gets a signature that is like any other.
func TestSignRecoverableEd25519(t *testing.T) {
	d := open(t, t.TempDir(), options)
	digest := bytes.Repeat([]byte{1}, 32)
	k, err := d.PublicKey(scm.FirstEd25519)
	check(t, err)
	sig, recovery, err := d.SignRecoverable(k.Slot, digest)
	if err != nil || recovery != 0 {
		t.Errorf("recovery %d, %v", recovery, err)
	}
	check(t, scmtest.Verify(k, digest, sig))
}

func TestSignRecoverableErrors(t *testing.T) {
	d := open(t, t.TempDir(), options)
	for slot, want := range map[scm.Slot]error{
		generate(t, d, scm.X25519).Slot: scm.ErrCurve,
		scm.LastUser:                    scm.ErrSlotEmpty,
		scm.LastUser + 1:                scm.ErrSlotRange,
	} {
		_, _, err := d.SignRecoverable(slot, make([]byte, 32))
		wantError(t, "SignRecoverable", err, want)
	}
	_, _, err := d.SignRecoverable(0, make([]byte, 31))
	wantError(t, "short digest", err, scm.ErrInput)
}

func TestEd25519Settings(t *testing.T) {
	for use, test := range map[string]struct{ short, digest error }{
		settings.Ed25519Message: {nil, nil},
		settings.Ed25519Digest:  {scm.ErrInput, nil},
		settings.Ed25519None:    {scm.ErrCurve, scm.ErrCurve},
	} {
		d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{Ed25519: use}})
		_, err := d.Sign(14, []byte("short"))
		wantError(t, use, err, test.short)
		_, err = d.Sign(14, make([]byte, 32))
		wantError(t, use, err, test.digest)
		_, err = d.Verify(14, make([]byte, 32), make([]byte, 64))
		wantError(t, use, err, test.digest)
		able := d.Capability(scm.Ed25519)
		if able.Sign != (test.digest == nil) || (able.Message == 32) != (use == settings.Ed25519Digest) {
			t.Errorf("%s: Capability is %+v", use, able)
		}
	}
}
