// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// The sizes of RSA keys in bits.
const (
	LeastRSA = 2048
	MostRSA  = 4096
)

// ExponentRSA is the public exponent of all keys that are generated.
const ExponentRSA = 65537

// RSANumbers are the numbers of an RSA key, big-endian, as CKA_MODULUS and its like have them.
// Of a public key there are N and E alone.
type RSANumbers struct {
	N, E       []byte
	D          []byte // may be left out beside P, or Q
	P, Q       []byte // may be left out beside D
	DP, DQ, QI []byte // may be left out
}

// Erase overwrites the private numbers.
func (x *RSANumbers) Erase() {
	for _, b := range [][]byte{x.D, x.P, x.Q, x.DP, x.DQ, x.QI} {
		clear(b)
	}
}

// RSA is a private key. It is on the heap, in memory that is overwritten when the collector finds it
// out of use.
type RSA struct {
	key *rsa.PrivateKey
	raw *rsaRaw
}

// RSAPublic is a public key.
type RSAPublic struct {
	key *rsa.PublicKey
}

// GenerateRSA returns a new key of 2048 to 4096 bits, with the exponent 65537.
func GenerateRSA(bits int) (*RSA, error) {
	if err := checkBits(bits); err != nil {
		return nil, err
	}
	return secret.Compute(newRandomRSA, bits)
}

func newRandomRSA(bits int) (*RSA, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	return newRSA(key)
}

// checkBits also wants whole bytes, as all others do that PKCS#11 keys come from.
func checkBits(bits int) error {
	if bits < LeastRSA || bits > MostRSA || bits%8 != 0 {
		return fmt.Errorf("RSA key of %d bits: %w", bits, ErrKeySize)
	}
	return nil
}

// NewRSA returns a key that was made elsewhere. All numbers that are given have to fit, and P and
// Q to be prime.
func NewRSA(x RSANumbers) (*RSA, error) { return secret.Compute(importNumbers, &x) }

func importNumbers(x *RSANumbers) (*RSA, error) {
	key, err := x.private()
	if err != nil {
		return nil, err
	}
	return importRSA(key)
}

// importRSA is newRSA for a key that anybody may have made.
func importRSA(key *rsa.PrivateKey) (*RSA, error) {
	k, err := newRSA(key)
	if err != nil {
		return nil, err
	}
	for _, p := range key.Primes {
		if !p.ProbablyPrime(2) {
			return nil, fmt.Errorf("factor of RSA modulus: %w", ErrKey)
		}
	}
	return k, nil
}

// newRSA takes over a key of the library, which it checks but for primes that are none.
func newRSA(key *rsa.PrivateKey) (*RSA, error) {
	if err := checkRSA(&key.PublicKey); err != nil {
		return nil, err
	}
	if len(key.Primes) != 2 {
		return nil, fmt.Errorf("RSA key of %d primes: %w", len(key.Primes), ErrUnsupported)
	}
	if key.D.Sign() <= 0 || key.D.Cmp(key.N) >= 0 {
		return nil, fmt.Errorf("private exponent: %w", ErrKey)
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	raw, err := newRaw(key)
	if err != nil {
		return nil, err
	}
	return &RSA{key, raw}, nil
}

// checkRSA checks the numbers of a public key.
func checkRSA(key *rsa.PublicKey) error {
	if err := checkBits(key.N.BitLen()); err != nil {
		return err
	}
	if key.N.Bit(0) == 0 || key.E < 3 || key.E&1 == 0 || key.E > 1<<31-1 {
		return fmt.Errorf("public exponent %d, or modulus: %w", key.E, ErrKey)
	}
	return nil
}

// NewRSAPublic returns a public key.
func NewRSAPublic(x RSANumbers) (*RSAPublic, error) {
	key, err := x.public()
	if err != nil {
		return nil, err
	}
	return &RSAPublic{key}, nil
}

func (x *RSANumbers) public() (*rsa.PublicKey, error) {
	e := number(x.E)
	if !e.IsInt64() || e.Int64() > 1<<31-1 { // of which the library has no more
		return nil, fmt.Errorf("public exponent of %d bits: %w", e.BitLen(), ErrKey)
	}
	key := &rsa.PublicKey{N: number(x.N), E: int(e.Int64())}
	return key, checkRSA(key)
}

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

// private makes a key of the library of what there is.
func (x *RSANumbers) private() (*rsa.PrivateKey, error) {
	public, err := x.public()
	if err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: *public, D: number(x.D)}
	if err := x.factor(key); err != nil {
		return nil, err
	}
	if key.D.Sign() == 0 && !exponentOf(key) {
		return nil, fmt.Errorf("public exponent %d: %w", key.E, ErrKey)
	}
	key.Precompute()
	return key, x.checkGiven(key)
}

// factor sets the primes of a key.
func (x *RSANumbers) factor(key *rsa.PrivateKey) error {
	p, q := number(x.P), number(x.Q)
	if p.Sign() == 0 {
		p, q = q, p
	}
	switch {
	case p.Sign() == 0:
		p = factorOf(key)
	case q.Sign() != 0:
		key.Primes = []*big.Int{p, q}
		return checkFactors(key.N, p, q)
	}
	if p == nil || p.Sign() == 0 {
		return fmt.Errorf("private exponent: %w", ErrKey)
	}
	q, rest := new(big.Int).QuoRem(key.N, p, new(big.Int))
	if rest.Sign() != 0 {
		return fmt.Errorf("factor of RSA modulus: %w", ErrKey)
	}
	if len(x.P) == 0 && len(x.Q) > 0 {
		p, q = q, p
	}
	key.Primes = []*big.Int{p, q}
	return checkFactors(key.N, p, q)
}

func checkFactors(n, p, q *big.Int) error {
	if p.Bit(0) == 0 || q.Bit(0) == 0 || p.BitLen() < 2 || q.BitLen() < 2 || new(big.Int).Mul(p, q).Cmp(n) != 0 {
		return fmt.Errorf("factors of RSA modulus: %w", ErrKey)
	}
	return nil
}

// factorOf finds a prime of a key that has N, E and D (NIST SP 800-56B, appendix C), or returns nil: then
// D is not the private exponent.
func factorOf(key *rsa.PrivateKey) *big.Int {
	one := big.NewInt(1)
	if key.D.Sign() <= 0 || key.D.Cmp(key.N) >= 0 {
		return nil
	}
	multiple := new(big.Int).Mul(key.D, big.NewInt(int64(key.E)))
	multiple.Sub(multiple, one)
	if multiple.Sign() <= 0 || multiple.Bit(0) != 0 {
		return nil
	}
	twos := multiple.TrailingZeroBits()
	odd := new(big.Int).Rsh(multiple, twos)
	last := new(big.Int).Sub(key.N, one)
	for _, base := range []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71} {
		x := new(big.Int).Exp(big.NewInt(base), odd, key.N)
		for range twos {
			if x.Cmp(one) == 0 || x.Cmp(last) == 0 {
				break
			}
			square := new(big.Int).Mul(x, x)
			square.Mod(square, key.N)
			if square.Cmp(one) == 0 {
				return x.GCD(nil, nil, x.Sub(x, one), key.N)
			}
			x = square
		}
	}
	return nil
}

// exponentOf sets the private exponent of a key that has its primes, and reports whether there is one.
func exponentOf(key *rsa.PrivateKey) bool {
	one := big.NewInt(1)
	p, q := new(big.Int).Sub(key.Primes[0], one), new(big.Int).Sub(key.Primes[1], one)
	common := new(big.Int).GCD(nil, nil, p, q)
	order := p.Mul(p, q)
	order.Quo(order, common)
	return key.D.ModInverse(big.NewInt(int64(key.E)), order) != nil
}

// checkGiven compares what was given with what it has to be.
func (x *RSANumbers) checkGiven(key *rsa.PrivateKey) error {
	for _, pair := range []struct {
		given []byte
		is    *big.Int
	}{{x.DP, key.Precomputed.Dp}, {x.DQ, key.Precomputed.Dq}, {x.QI, key.Precomputed.Qinv}} {
		if len(pair.given) > 0 && (pair.is == nil || number(pair.given).Cmp(pair.is) != 0) {
			return fmt.Errorf("exponent or coefficient of RSA key: %w", ErrKey)
		}
	}
	return nil
}

// Bits is the length of the modulus.
func (k *RSA) Bits() int { return k.key.N.BitLen() }

// Size is the length of the modulus in bytes, and of all signatures and encrypted messages.
func (k *RSA) Size() int { return k.key.Size() }

// Numbers returns all numbers of the key, which the caller erases.
func (k *RSA) Numbers() (x RSANumbers) {
	p := k.key.Precomputed
	secret.Do(func() {
		x = RSANumbers{
			N: k.key.N.Bytes(), E: big.NewInt(int64(k.key.E)).Bytes(), D: k.key.D.Bytes(),
			P: k.key.Primes[0].Bytes(), Q: k.key.Primes[1].Bytes(),
			DP: p.Dp.Bytes(), DQ: p.Dq.Bytes(), QI: p.Qinv.Bytes(),
		}
	})
	return x
}

// Public returns the public key.
func (k *RSA) Public() PublicKey { return k.PublicRSA() }

// PublicRSA is Public as what it is.
func (k *RSA) PublicRSA() *RSAPublic {
	return &RSAPublic{&rsa.PublicKey{N: k.key.N, E: k.key.E}}
}

// Bits is the length of the modulus.
func (k *RSAPublic) Bits() int { return k.key.N.BitLen() }

// Size is the length of the modulus in bytes, and of all signatures and encrypted messages.
func (k *RSAPublic) Size() int { return k.key.Size() }

// Numbers returns N and E.
func (k *RSAPublic) Numbers() RSANumbers {
	return RSANumbers{N: slices.Clone(k.key.N.Bytes()), E: big.NewInt(int64(k.key.E)).Bytes()}
}
