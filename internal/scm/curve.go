// SPDX-License-Identifier: Apache-2.0

package scm

// Curve is the kind of a key pair. The numbers are those of the vendor's
// ZK_EC_KEY_TYPE.
type Curve int

// The curves of an SCM.
const (
	P256 Curve = iota
	Secp256k1
	Ed25519
	X25519
)

// Curves lists every curve.
var Curves = [...]Curve{P256, Secp256k1, Ed25519, X25519}

// String returns the vendor's name of the curve.
func (c Curve) String() string {
	switch c {
	case P256:
		return "nistp256"
	case Secp256k1:
		return "secp256k1"
	case Ed25519:
		return "ed25519"
	case X25519:
		return "x25519"
	}
	return "unknown curve"
}

// PublicSize is the length of Key.Public in bytes.
func (c Curve) PublicSize() int {
	if c == P256 || c == Secp256k1 {
		return 64
	}
	return 32
}

// PermanentCurve returns the curve of the permanent slot s.
func PermanentCurve(s Slot) Curve {
	if s >= FirstEd25519 {
		return Ed25519
	}
	return P256
}
