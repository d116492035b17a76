// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/ecdh"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// readKey reads the public key of a slot and finds out its curve, which the
// library does not tell. The caller holds calls.
func (d *Device) readKey(s scm.Slot) (scm.Key, error) {
	shown, err := d.api.publicKey(s)
	if refused(err) {
		return scm.Key{}, err
	}
	if err != nil {
		return scm.Key{}, err
	}
	k, err := d.chooseReading(s, readings(shown))
	if err != nil && !refused(err) {
		err = fmt.Errorf("a public key of %d bytes %w", len(shown), err)
	}
	return k, err
}

// chooseReading finds out which of the readings of a public key is the key in a slot.
func (d *Device) chooseReading(s scm.Slot, all []scm.Key) (scm.Key, error) {
	for i := range all {
		all[i].Slot = s
		if c, ok := d.made[string(all[i].Public)]; ok && c == all[i].Curve {
			return all[i], nil
		}
	}
	switch {
	case len(all) == 0:
		return scm.Key{}, errNoCurve
	case len(all) == 1:
		return all[0], nil
	case s.Permanent():
		return all[max(0, slices.IndexFunc(all, func(k scm.Key) bool { return k.Curve == scm.PermanentCurve(s) }))], nil
	case all[0].Curve == scm.Ed25519:
		c, err := d.curve25519(s, all[0].Public)
		return scm.Key{Slot: s, Curve: c, Public: all[0].Public}, err
	}
	return d.signingKey(s, all)
}

// signingKey finds out by a signature which of several keys is the one in a slot.
func (d *Device) signingKey(s scm.Slot, all []scm.Key) (scm.Key, error) {
	sig, err := d.api.sign(s, question[:])
	if err != nil {
		return scm.Key{}, err
	}
	for _, k := range all {
		if _, err := readSignature(k, question[:], sig); err == nil {
			return k, nil
		}
	}
	return scm.Key{}, errNoCurve
}

// question is signed to find out what a key is.
var question = sha256.Sum256([]byte("libzk_pkcs11: which curve is this key on?"))

// curve25519 tells the two kinds of 32-byte keys apart. The highest bit of an
// X25519 key is never set; where that does not decide, a signature does, which
// the module refuses to make with an X25519 key.
func (d *Device) curve25519(s scm.Slot, public []byte) (scm.Curve, error) {
	if public[31]&0x80 != 0 {
		return scm.Ed25519, nil
	}
	sig, err := d.api.sign(s, question[:])
	switch {
	case timedOut(err):
		return 0, err
	case err == nil && isValid(scm.Key{Slot: s, Curve: scm.Ed25519, Public: public}, question[:], sig):
		return scm.Ed25519, nil
	}
	return scm.X25519, d.checkAlive() // a dead context refuses as well
}

// isPublic reports whether the bytes can be a public key on the curve.
func isPublic(c scm.Curve, public []byte) bool {
	if len(public) != c.PublicSize() {
		return false
	}
	switch c {
	case scm.P256:
		return onP256(public)
	case scm.Secp256k1:
		return onSecp256k1(public)
	case scm.Ed25519:
		return onEdwards25519(public)
	}
	return true
}

// onEdwards25519 reports whether there is a point with this y: whether
// (y²-1)/(dy²+1) is a square, which it is when the product of both is one.
func onEdwards25519(public []byte) bool {
	big25519 := func(s string) *big.Int { n, _ := new(big.Int).SetString(s, 16); return n }
	p := big25519("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")
	curve := big25519("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3")
	y := slices.Clone(public)
	y[31] &= 0x7f // the sign of x
	slices.Reverse(y)
	square := new(big.Int).SetBytes(y)
	square.Mul(square, square)
	one := big.NewInt(1)
	product := new(big.Int).Mul(curve, square)
	product.Add(product, one)
	product.Mul(product, square.Sub(square, one))
	return big.Jacobi(product.Mod(product, p), p) >= 0
}

func onP256(xy []byte) bool {
	_, err := ecdh.P256().NewPublicKey(uncompressed(xy))
	return err == nil
}

func onSecp256k1(xy []byte) bool {
	_, err := secp256k1.ParsePubKey(uncompressed(xy))
	return err == nil
}

// onX25519 reports whether u is a point that is not of low order: with those every secret is zero.
func onX25519(u []byte) bool {
	peer, err := ecdh.X25519().NewPublicKey(u)
	if err != nil {
		return false
	}
	// Every scalar is a multiple of 8 after clamping, so that any one tells.
	scalar, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		return false
	}
	_, err = scalar.ECDH(peer)
	return err == nil
}

// uncompressed returns the SEC 1 form of an x‖y point.
func uncompressed(xy []byte) []byte { return append([]byte{4}, xy...) }
