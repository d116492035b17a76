// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"crypto/rand"
	"errors"
	"math/big"
)

// The curve secp256k1 in the plainest way, y² = x³ + 7 over integers (SEC 2,
// section 2.4.1): slow, and not for secrets that matter, but easy to see right.
// The standard library does not have it.
var (
	koblitzP = hexInt("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
	koblitzN = hexInt("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	koblitzG = point{
		hexInt("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		hexInt("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
	}
)

func hexInt(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 16)
	return n
}

// point is a point of the curve, with x nil for the point at infinity.
type point struct{ x, y *big.Int }

func parsePoint(xy []byte) (point, error) {
	if len(xy) != 64 {
		return point{}, errors.New("a point has 64 bytes")
	}
	p := point{new(big.Int).SetBytes(xy[:32]), new(big.Int).SetBytes(xy[32:])}
	cube := new(big.Int).Exp(p.x, big.NewInt(3), nil)
	rest := new(big.Int).Mul(p.y, p.y)
	rest.Sub(rest, cube).Sub(rest, big.NewInt(7)).Mod(rest, koblitzP)
	if rest.Sign() != 0 || p.x.Cmp(koblitzP) >= 0 || p.y.Cmp(koblitzP) >= 0 {
		return point{}, errors.New("point is not on the curve")
	}
	return p, nil
}

func (p point) bytes() []byte {
	xy := make([]byte, 64)
	p.x.FillBytes(xy[:32])
	p.y.FillBytes(xy[32:])
	return xy
}

func (p point) add(q point) point {
	if p.x == nil {
		return q
	}
	if q.x == nil {
		return p
	}
	slope := p.slope(q)
	if slope == nil {
		return point{}
	}
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, p.x).Sub(x, q.x).Mod(x, koblitzP)
	y := new(big.Int).Sub(p.x, x)
	y.Mul(y, slope).Sub(y, p.y).Mod(y, koblitzP)
	return point{x, y}
}

// slope is that of the line through p and q, or of the tangent in p = q; nil
// for a vertical line.
func (p point) slope(q point) *big.Int {
	rise, run := new(big.Int).Sub(q.y, p.y), new(big.Int).Sub(q.x, p.x)
	if run.Sign() == 0 && rise.Sign() == 0 {
		rise.Mul(p.x, p.x).Mul(rise, big.NewInt(3))
		run.Lsh(p.y, 1)
	}
	if run.Mod(run, koblitzP).Sign() == 0 {
		return nil
	}
	return rise.Mul(rise, run.ModInverse(run, koblitzP)).Mod(rise, koblitzP)
}

func (p point) times(k *big.Int) point {
	var sum point
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = sum.add(sum)
		if k.Bit(i) == 1 {
			sum = sum.add(p)
		}
	}
	return sum
}

// koblitzVerify reports whether an ECDSA signature is right (SEC 1, section 4.1.4).
func koblitzVerify(public, digest []byte, r, s *big.Int) bool {
	q, err := parsePoint(public)
	if err != nil || !inRange(r) || !inRange(s) {
		return false
	}
	w := new(big.Int).ModInverse(s, koblitzN)
	u1 := new(big.Int).Mul(new(big.Int).SetBytes(digest), w)
	u2 := new(big.Int).Mul(r, w)
	sum := koblitzG.times(u1.Mod(u1, koblitzN)).add(q.times(u2.Mod(u2, koblitzN)))
	return sum.x != nil && new(big.Int).Mod(sum.x, koblitzN).Cmp(r) == 0
}

func inRange(k *big.Int) bool { return k.Sign() > 0 && k.Cmp(koblitzN) < 0 }

func newKoblitzPeer() (peer, error) {
	k, err := rand.Int(rand.Reader, koblitzN)
	if err != nil {
		return peer{}, err
	}
	secret := func(public []byte) ([]byte, error) {
		q, err := parsePoint(public)
		if err != nil {
			return nil, err
		}
		return q.times(k).bytes()[:32], nil
	}
	return peer{koblitzG.times(k).bytes(), secret}, nil
}
