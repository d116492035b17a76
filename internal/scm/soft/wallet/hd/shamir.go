// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// A secret is the value of a polynomial over GF(256) at secretX; at digestX it has
// a digest of the secret, by which shares of different secrets are found out.
const (
	secretX    = 255
	digestX    = 254
	digestSize = 4
)

type point struct {
	x byte
	y []byte
}

// splitSecret returns the values of count shares of which threshold recover the secret.
func splitSecret(threshold, count int, secret []byte) [][]byte {
	values := make([][]byte, count)
	if threshold == 1 {
		for i := range values {
			values[i] = secret
		}
		return values
	}
	var points []point
	for i := range threshold - 2 {
		values[i] = random(len(secret))
		points = append(points, point{byte(i), values[i]})
	}
	padding := random(len(secret) - digestSize)
	points = append(points,
		point{digestX, append(digest(padding, secret), padding...)}, point{secretX, secret})
	for i := threshold - 2; i < count; i++ {
		values[i] = interpolate(points, byte(i))
	}
	return values
}

// recoverSecret returns the secret of exactly so many shares as its threshold. ErrShares
// when they do not belong together.
func recoverSecret(points []point) ([]byte, error) {
	if len(points) == 1 {
		return points[0].y, nil
	}
	secret, check := interpolate(points, secretX), interpolate(points, digestX)
	if !hmac.Equal(check[:digestSize], digest(check[digestSize:], secret)) {
		return nil, fmt.Errorf("digest of the secret: %w", ErrShares)
	}
	return secret, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func digest(key, secret []byte) []byte {
	return authenticate(sha256.New, key, secret)[:digestSize]
}

// interpolate returns the value at x of the polynomial through the points.
func interpolate(points []point, x byte) []byte {
	value := make([]byte, len(points[0].y))
	for i, p := range points {
		basis := byte(1)
		for j, q := range points {
			if i != j {
				basis = multiply(basis, multiply(x^q.x, inverse(p.x^q.x)))
			}
		}
		for k, y := range p.y {
			value[k] ^= multiply(basis, y)
		}
	}
	return value
}

// multiply multiplies in GF(256) modulo x^8 + x^4 + x^3 + x + 1, in a time that
// does not depend on the factors.
func multiply(a, b byte) (product byte) {
	for range 8 {
		product ^= -(b & 1) & a
		a = a<<1 ^ -(a>>7)&0x1b
		b >>= 1
	}
	return product
}

// inverse returns a^254, which is 1/a.
func inverse(a byte) byte {
	result := byte(1)
	for range 7 {
		a = multiply(a, a)
		result = multiply(result, a)
	}
	return result
}
