// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

func testBonded(t *testing.T, d scm.Device, o Options) {
	b, ok := d.(scm.Bonded)
	if !ok {
		t.Skip("the device is not Bonded")
	}
	if b.Seals() == o.KeepsOpen {
		t.Errorf("Seals: %v of a device that keeps open: %v", b.Seals(), o.KeepsOpen)
	}
	first, second := []byte("first bond"), []byte("second bond")
	wantBonds(t, b, nil, nil)
	bond(t, "Offer", b.Offer(first))
	bond(t, "Offer", b.Offer(second))
	wantBonds(t, b, nil, second)
	bond(t, "Bind", b.Bind(first))
	wantBonds(t, b, first, nil)
	bond(t, "Offer", b.Offer(second))
	wantBonds(t, b, first, second)
	changes := changesOf(t, b)
	bond(t, "Bind", b.Bind(second))
	wantBonds(t, b, second, nil)
	if now := changesOf(t, b); now <= changes {
		t.Errorf("%d changes after %d", now, changes)
	}
	testWitness(t, b)
	testBondOfSeal(t, d, b, o)
}

func testWitness(t *testing.T, b scm.Bonded) {
	if now := changesOf(t, b); now != changesOf(t, b) || now != b.Counted() {
		t.Error("changes without a change")
	}
	wantSeen(t, b, 0)
	b.Saw(7)
	wantSeen(t, b, 0)
	bond(t, "Offer", b.Offer([]byte("a bond")))
	wantSeen(t, b, 7)
	bond(t, "Note", b.Note(5))
	wantSeen(t, b, 5)
}

func wantSeen(t *testing.T, b scm.Bonded, want uint64) {
	t.Helper()
	if _, seen, err := b.Changes(); err != nil || seen != want {
		t.Errorf("seen %d, %v, want %d", seen, err, want)
	}
}

// testBondOfSeal checks that the device belongs to the one who has sealed it.
func testBondOfSeal(t *testing.T, d scm.Device, b scm.Bonded, o Options) {
	s, ok := d.(scm.Sealer)
	if !ok || o.KeepsOpen {
		return
	}
	secret, third := []byte("a secret"), []byte("third bond")
	bond(t, "Prepare", s.Prepare(secret))
	bond(t, "Offer", b.Offer(third))
	if is, err := b.SealedTo(secret); err != nil || !is {
		t.Errorf("SealedTo after Prepare: %v, %v", is, err)
	}
	unseal(t, s, secret)
	wantBonds(t, b, third, nil)
	if is, err := b.SealedTo(secret); err != nil || !is {
		t.Errorf("SealedTo: %v, %v", is, err)
	}
	if is, err := b.SealedTo([]byte("another secret")); err != nil || is {
		t.Errorf("SealedTo another secret: %v, %v", is, err)
	}
}

func bond(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func changesOf(t *testing.T, b scm.Bonded) uint64 {
	t.Helper()
	n, _, err := b.Changes()
	bond(t, "Changes", err)
	return n
}

func wantBonds(t *testing.T, b scm.Bonded, token, next []byte) {
	t.Helper()
	got, err := b.Bonds()
	bond(t, "Bonds", err)
	if !bytes.Equal(got.Token, token) || !bytes.Equal(got.Next, next) {
		t.Errorf("Bonds: %q, %q, want %q, %q", got.Token, got.Next, token, next)
	}
}
