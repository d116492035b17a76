// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// signatureSize is the length in bytes of r‖s and of R‖S.
const signatureSize = 64

// Verify reports whether sig is a signature, in the form that Sign returns, of the
// digest by the key in a slot. The key need not be one that is given away.
// ErrInput when digest or sig has a length that no signature has, ErrCurve for keys
// that do not sign.
func (d *Device) Verify(s scm.Slot, digest, sig []byte) (bool, error) {
	known, err := d.current(onlySlot(s))
	if err != nil {
		return false, err
	}
	k, err := known.keyIn(s)
	if err != nil {
		return false, d.missing(known, s, err)
	}
	return d.verifyBy(k.Key, digest, sig)
}

// VerifyForeign reports whether a signature is right, as Verify does, by the key in a foreign slot.
func (d *Device) VerifyForeign(s scm.Slot, digest, sig []byte) (bool, error) {
	known, err := d.current()
	if err != nil {
		return false, err
	}
	k, err := known.foreignKey(s)
	if err != nil {
		return false, d.missing(known, s, err)
	}
	return d.verifyBy(k.Key, digest, sig)
}

func (d *Device) verifyBy(k scm.Key, digest, sig []byte) (bool, error) {
	if k.Curve == scm.Ed25519 && d.options.Ed25519 == settings.Ed25519None {
		return false, fmt.Errorf("signature with %s: %w", k.Curve, scm.ErrCurve)
	}
	return verify(k, digest, sig)
}

func verify(k scm.Key, digest, sig []byte) (bool, error) {
	if len(sig) != signatureSize {
		return false, fmt.Errorf("signature of %d bytes: %w", len(sig), scm.ErrInput)
	}
	switch k.Curve {
	case scm.Ed25519:
		return ed25519.Verify(k.Public, digest, sig), nil
	case scm.X25519:
		return false, fmt.Errorf("signature with %s: %w", k.Curve, scm.ErrCurve)
	}
	if err := checkDigest(digest); err != nil {
		return false, err
	}
	if k.Curve == scm.P256 {
		return verifyP256(k.Public, digest, sig)
	}
	return verifySecp256k1(k.Public, digest, sig)
}

func verifyP256(public, digest, sig []byte) (bool, error) {
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed(public))
	if err != nil {
		return false, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	return ecdsa.Verify(pub, digest, r, s), nil
}

func verifySecp256k1(public, digest, sig []byte) (bool, error) {
	pub, err := secp256k1.ParsePubKey(uncompressed(public))
	if err != nil {
		return false, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:]) {
		return false, nil
	}
	return koblitz.NewSignature(&r, &s).Verify(digest, pub), nil
}
