// SPDX-License-Identifier: Apache-2.0

package scm

import (
	"fmt"
	"slices"
)

// VariantCardano is the vendor's name of wallets with Ed25519 keys, the only ones that
// he has on that curve.
const VariantCardano = "cardano"

// WalletSeed says what a new wallet is to be.
type WalletSeed struct {
	Curve        Curve
	Variant      string // VariantCardano for Ed25519, "" for P-256 and secp256k1
	Name         string // ASCII, unique in the SCM
	GeneratorKey []byte // goes into the master key; empty for that of the standard
	Passphrase   string // of the mnemonic; "" for none
}

// Child says which child of a key in a wallet is meant.
type Child struct {
	Index    uint32 // below 2^31
	Hardened bool   // only the private key leads to it
}

// Check returns ErrCurve for a curve on which there are no wallets, and ErrInput for
// another variant than the curve's and a name that is empty or not printable ASCII.
func (w WalletSeed) Check() error {
	variant := ""
	switch w.Curve {
	case P256, Secp256k1:
	case Ed25519:
		variant = VariantCardano
	default:
		return fmt.Errorf("wallet on curve %d: %w", int(w.Curve), ErrCurve)
	}
	if w.Variant != variant {
		return fmt.Errorf("wallet of variant %q on %s: %w", w.Variant, w.Curve, ErrInput)
	}
	strange := func(r rune) bool { return r < ' ' || r > '~' }
	if w.Name == "" || slices.ContainsFunc([]rune(w.Name), strange) {
		return fmt.Errorf("wallet name %q: %w", w.Name, ErrInput)
	}
	return nil
}
