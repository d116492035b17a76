// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

func testSealer(t *testing.T, d scm.Device, o Options) {
	s, ok := d.(scm.Sealer)
	if !ok {
		t.Skip("the device is no Sealer")
	}
	k := generate(t, d, scm.P256)
	first, second := []byte("a secret"), []byte("another secret")
	seal(t, s, first)
	checkSigns(t, d, k) // still open here
	if o.KeepsOpen {
		s.Forget()
		checkSigns(t, d, k)
		return
	}
	s.Forget()
	checkSealed(t, d, k)
	wantError(t, "Unseal with a wrong secret", s.Unseal(second), scm.ErrSecret)
	wantError(t, "Unseal with no secret", s.Unseal(nil), scm.ErrSecret)
	wantError(t, "Prepare of a sealed device", s.Prepare(second), scm.ErrSealed)
	checkSealed(t, d, k)
	unseal(t, s, first)
	checkSigns(t, d, k)

	seal(t, s, second)
	checkSigns(t, d, k)
	wantError(t, "Unseal with the earlier secret", s.Unseal(first), scm.ErrSecret)
	s.Forget()
	wantError(t, "Unseal with the earlier secret", s.Unseal(first), scm.ErrSecret)
	unseal(t, s, second)
	unseal(t, s, second)
	checkSigns(t, d, k)
	checkSame(t, d, k)
}

// testPrepare checks that both secrets unseal until the new one has.
func testPrepare(t *testing.T, d scm.Device, o Options) {
	p, ok := d.(scm.Sealer)
	if !ok {
		t.Skip("the device is no Sealer")
	}
	if o.KeepsOpen {
		t.Skip("the device needs no secret")
	}
	k := generate(t, d, scm.P256)
	first, lost, second := []byte("a secret"), []byte("a lost secret"), []byte("another secret")
	seal(t, p, first)
	for _, secret := range [][]byte{lost, second} {
		if err := p.Prepare(secret); err != nil {
			t.Fatalf("Prepare: %v", err)
		}
		p.Forget()
		checkSealed(t, d, k)
		unseal(t, p, first)
		checkSigns(t, d, k)
	}
	wantError(t, "Unseal with a secret that was replaced", p.Unseal(lost), scm.ErrSecret)
	unseal(t, p, second)
	checkSigns(t, d, k)
	wantError(t, "Unseal with the earlier secret", p.Unseal(first), scm.ErrSecret)
	p.Forget()
	wantError(t, "Prepare of a sealed device", p.Prepare(first), scm.ErrSealed)
	unseal(t, p, second)
	checkSigns(t, d, k)
}

// seal makes secret the one that unseals the device, which stays open.
func seal(t *testing.T, s scm.Sealer, secret []byte) {
	t.Helper()
	if err := s.Prepare(secret); err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	unseal(t, s, secret)
}

func unseal(t *testing.T, s scm.Sealer, secret []byte) {
	t.Helper()
	if err := s.Unseal(secret); err != nil {
		t.Fatalf("Unseal: %v", err)
	}
}

// checkSealed checks that d does nothing with private keys, and everything
// else.
func checkSealed(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	_, err := d.Sign(k.Slot, make([]byte, 32))
	wantError(t, "Sign", err, scm.ErrSealed)
	_, err = d.Generate(scm.P256)
	wantError(t, "Generate", err, scm.ErrSealed)
	if a, ok := d.(scm.Agreer); ok {
		_, err = a.Agree(k.Slot, k.Public)
		wantError(t, "Agree", err, scm.ErrSealed)
	}
	if v, ok := d.(scm.Volatile); ok {
		_, err = v.GenerateVolatile(scm.P256)
		wantError(t, "GenerateVolatile", err, scm.ErrSealed)
	}
	if _, err := d.Info(); err != nil {
		t.Errorf("Info: %v", err)
	}
	checkSame(t, d, k)
	if find(keys(t, d), k.Slot) < 0 {
		t.Errorf("slot %d is not listed", k.Slot)
	}
}
