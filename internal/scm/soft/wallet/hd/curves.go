// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/ed25519"
	"crypto/elliptic"

	"filippo.io/bigmod"
	"filippo.io/nistec"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// isScalar reports whether b, 32 bytes long, is a private key on the curve.
func isScalar(c scm.Curve, b []byte) bool {
	switch c {
	case scm.P256:
		n, err := bigmod.NewNat().SetBytes(b, orderP256())
		return err == nil && n.IsZero() == 0
	case scm.Secp256k1:
		var n secp256k1.ModNScalar
		return !n.SetByteSlice(b) && !n.IsZero()
	}
	return true
}

func orderP256() *bigmod.Modulus {
	m, err := bigmod.NewModulus(elliptic.P256().Params().N.Bytes())
	if err != nil {
		panic(err) // the order of P-256 is odd
	}
	return m
}

// addScalars adds two private keys on P-256 or secp256k1.
func addScalars(c scm.Curve, a, b []byte) []byte {
	if c == scm.Secp256k1 {
		var x, y secp256k1.ModNScalar
		x.SetByteSlice(a)
		y.SetByteSlice(b)
		sum := x.Add(&y).Bytes()
		return sum[:]
	}
	m := orderP256()
	x, errX := bigmod.NewNat().SetBytes(a, m)
	y, errY := bigmod.NewNat().SetBytes(b, m)
	if errX != nil || errY != nil {
		return make([]byte, 32) // no private key, as the callers will find
	}
	return x.Add(y, m).Bytes(m)
}

// publicOf returns the public key of a private key, which is a scalar of the curve.
func publicOf(c scm.Curve, private []byte) ([]byte, error) {
	switch c {
	case scm.P256:
		p, err := nistec.NewP256Point().ScalarBaseMult(private)
		if err != nil {
			return nil, err
		}
		return p.Bytes()[1:], nil
	case scm.Secp256k1:
		return secp256k1.PrivKeyFromBytes(private).PubKey().SerializeUncompressed()[1:], nil
	}
	return ed25519.NewKeyFromSeed(private).Public().(ed25519.PublicKey), nil
}

// addPoint returns the public key that belongs to the sum of two private keys: of
// one the public key is known, the other is offset. errNoChild when there is none.
func addPoint(c scm.Curve, public, offset []byte) ([]byte, error) {
	if c == scm.Secp256k1 {
		return addPointSecp256k1(public, offset)
	}
	p, err := nistec.NewP256Point().SetBytes(append([]byte{4}, public...))
	if err != nil {
		return nil, ErrKey
	}
	q, err := nistec.NewP256Point().ScalarBaseMult(offset)
	if err != nil {
		return nil, err
	}
	sum := p.Add(p, q).Bytes()
	if len(sum) == 1 { // the point at infinity
		return nil, errNoChild
	}
	return sum[1:], nil
}

func addPointSecp256k1(public, offset []byte) ([]byte, error) {
	key, err := secp256k1.ParsePubKey(append([]byte{4}, public...))
	if err != nil {
		return nil, ErrKey
	}
	var scalar secp256k1.ModNScalar
	scalar.SetByteSlice(offset)
	var p, q, sum secp256k1.JacobianPoint
	key.AsJacobian(&p)
	secp256k1.ScalarBaseMultNonConst(&scalar, &q)
	secp256k1.AddNonConst(&p, &q, &sum)
	if sum.X.IsZero() && sum.Y.IsZero() || sum.Z.IsZero() {
		return nil, errNoChild
	}
	sum.ToAffine()
	return secp256k1.NewPublicKey(&sum.X, &sum.Y).SerializeUncompressed()[1:], nil
}

// serial returns the public key in 33 bytes: in the compressed form of SEC 1, or
// after a zero byte.
func (n Node) serial() []byte {
	if n.Curve == scm.Ed25519 {
		return append([]byte{0}, n.Public...)
	}
	return append([]byte{2 | n.Public[63]&1}, n.Public[:32]...)
}
