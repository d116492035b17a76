// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// agreer returns d's ability to agree, or skips the test.
func agreer(t *testing.T, d scm.Device) scm.Agreer {
	a, ok := d.(scm.Agreer)
	if !ok {
		t.Skip("the device is no Agreer")
	}
	return a
}

func testAgree(t *testing.T, d scm.Device) {
	a := agreer(t, d)
	curves(t, d, agrees, func(t *testing.T, c scm.Curve) {
		k := generate(t, d, c)
		for range 4 {
			checkAgrees(t, a, k)
		}
	})
}

func checkAgrees(t *testing.T, a scm.Agreer, k scm.Key) {
	t.Helper()
	p, err := newPeer(k.Curve)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.secret(k.Public)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Agree(k.Slot, p.public)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Agree(%d) = %x, %v; want %x", k.Slot, got, err, want)
	}
}

func testAgreeErrors(t *testing.T, d scm.Device) {
	a := agreer(t, d)
	_, err := a.Agree(scm.FirstEd25519, make([]byte, 32))
	wantError(t, "Agree with an Ed25519 key", err, scm.ErrCurve)
	curves(t, d, agrees, func(t *testing.T, c scm.Curve) {
		k := generate(t, d, c)
		for name, public := range badPeers(k) {
			_, err := a.Agree(k.Slot, public)
			wantError(t, name, err, scm.ErrInput)
		}
	})
}

// badPeers are no public keys on k's curve.
func badPeers(k scm.Key) map[string][]byte {
	n := k.Curve.PublicSize()
	bad := map[string][]byte{
		"nothing":       {},
		"too short":     k.Public[:n-1],
		"too long":      append(bytes.Clone(k.Public), 0),
		"SEC 1 form":    append([]byte{4}, k.Public...),
		"zeros":         make([]byte, n), // no point; of low order on X25519
		"the neutral 0": {0},
	}
	if k.Curve == scm.X25519 {
		one := make([]byte, n)
		one[0] = 1
		bad["of order 4"] = one
		return bad
	}
	off := bytes.Clone(k.Public)
	off[n-1] ^= 1
	bad["off the curve"] = off
	bad["not reduced"] = bytes.Repeat([]byte{0xff}, n)
	return bad
}
