// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
)

func TestKeyStore(t *testing.T) {
	tests := []struct {
		store, firmware string
		wallet          bool
	}{
		{KeyStoreAuto, "01.00.00", false},
		{KeyStoreAuto, "01.02.02release", true},
		{KeyStoreKeys, "01.02.02release", false},
		{KeyStoreWallet, "01.00.00", true},
	}
	for _, tt := range tests {
		t.Run(tt.store+" "+tt.firmware, func(t *testing.T) {
			f := newFake(t)
			f.version = tt.firmware
			d := f.device(func(o *Options) { o.KeyStore = tt.store })
			k := mustGenerate(t, d, scm.Secp256k1)
			if got := len(f.indices) == 1; got != tt.wallet {
				t.Errorf("in a wallet: %v, want %v", got, tt.wallet)
			}
			sig, err := d.Sign(k.Slot, make([]byte, 32))
			if err != nil || scmtest.Verify(k, make([]byte, 32), sig) != nil {
				t.Errorf("the new key does not sign: %v", err)
			}
		})
	}
}

func inWallet(o *Options) { o.KeyStore = KeyStoreWallet }

func TestWallet(t *testing.T) {
	f := newFake(t)
	d := f.device(inWallet)
	a, b := mustGenerate(t, d, scm.P256), mustGenerate(t, d, scm.P256)
	if len(f.seeds) != 1 || len(f.indices) != 2 || f.indices[0] == f.indices[1] {
		t.Errorf("wallets %v, indices %v", f.seeds, f.indices)
	}
	if f.indices[0]>>31 != 0 {
		t.Errorf("index %d is not of 31 bits", f.indices[0])
	}
	if s, err := d.SlotOfNode("m", "zk_pkcs11-nistp256", -1); err != nil || hasKey(t, d, s) {
		t.Errorf("master key in slot %d, %v", s, err)
	}
	if !hasKey(t, d, a.Slot) || !hasKey(t, d, b.Slot) {
		t.Error("a child is not listed")
	}
	_, err := d.Generate(scm.Ed25519)
	wantError(t, err, scm.ErrCurve)
}

// TestWalletMadeByAnother checks what happens when two processes make the wallet
// at the same time.
func TestWalletMadeByAnother(t *testing.T) {
	f := newFake(t)
	d := f.device(inWallet)
	mustPlant(t, f, "zk_pkcs11-nistp256")
	f.failures = []error{nil, errRefusal, errRefusal} // slots, nodeSlot, newSeed
	mustGenerate(t, d, scm.P256)
	f.failures = []error{nil, errRefusal, errRefusal, errRefusal}
	_, err := d.Generate(scm.P256)
	wantError(t, err, scm.ErrDevice)
}

// mustPlant makes a wallet that no device knows of.
func mustPlant(t *testing.T, f *fake, name string) scm.Slot {
	t.Helper()
	s, err := f.GenerateSeed(scm.WalletSeed{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
