// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"math/big"
	"testing"
)

func TestGenerateRSA(t *testing.T) {
	k := need[*RSA](t)(GenerateRSA(2048))
	if k.Bits() != 2048 || k.Size() != 256 || k.PublicRSA().Bits() != 2048 {
		t.Errorf("%d bits, %d bytes", k.Bits(), k.Size())
	}
	if e := k.Numbers().E; !bytes.Equal(e, []byte{1, 0, 1}) {
		t.Errorf("exponent %x", e)
	}
	for _, bits := range []int{-1, 0, 512, 1024, 2047, 2049, 4104, 8192} {
		_, err := GenerateRSA(bits)
		refused(t, "generated", err, ErrKeySize)
	}
}

// TestRSAForms: what is left out of the numbers of a key is found.
func TestRSAForms(t *testing.T) {
	full := rsaFile(t).Numbers()
	for name, x := range map[string]RSANumbers{
		"all":      full,
		"n, e, d":  {N: full.N, E: full.E, D: full.D},
		"p and q":  {N: full.N, E: full.E, P: full.P, Q: full.Q},
		"p and d":  {N: full.N, E: full.E, D: full.D, P: full.P},
		"q alone":  {N: full.N, E: full.E, Q: full.Q},
		"no crt":   {N: full.N, E: full.E, D: full.D, P: full.P, Q: full.Q},
		"zeros":    {N: append([]byte{0, 0}, full.N...), E: append([]byte{0}, full.E...), D: append([]byte{0}, full.D...)},
		"some crt": {N: full.N, E: full.E, D: full.D, P: full.P, Q: full.Q, DQ: full.DQ},
	} {
		k, err := NewRSA(x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signer, err := k.SignPKCS1(crypto.SHA256)
		signature := signed(t, signer, err, []byte("message"))
		verifier, err := rsaFile(t).PublicRSA().VerifyPKCS1(crypto.SHA256)
		if err := verified(verifier, err, []byte("message"), signature); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := k.Numbers()
		if product := new(big.Int).Mul(number(got.P), number(got.Q)); product.Cmp(number(full.N)) != 0 {
			t.Errorf("%s: p·q = %x", name, product)
		}
	}
}

// more returns a number that is greater by n.
func more(b []byte, n int64) []byte {
	return new(big.Int).Add(number(b), big.NewInt(n)).Bytes()
}

// TestBadRSA: numbers that are no key are ErrKey or ErrKeySize.
func TestBadRSA(t *testing.T) {
	x := rsaFile(t).Numbers()
	other := need[*RSA](t)(GenerateRSA(2048)).Numbers()
	with := func(change func(*RSANumbers)) RSANumbers {
		changed := x
		change(&changed)
		return changed
	}
	for name, bad := range map[string]RSANumbers{
		"nothing":               {},
		"even modulus":          with(func(x *RSANumbers) { x.N = more(x.N, 1) }),
		"another modulus":       with(func(x *RSANumbers) { x.N = other.N }),
		"e = 0":                 with(func(x *RSANumbers) { x.E = nil }),
		"e = 1":                 with(func(x *RSANumbers) { x.E = []byte{1} }),
		"even e":                with(func(x *RSANumbers) { x.E = []byte{1, 0, 0} }),
		"another e":             with(func(x *RSANumbers) { x.E = []byte{3} }),
		"large e":               with(func(x *RSANumbers) { x.E = bytes.Repeat([]byte{0xff}, 5) }),
		"e of many bytes":       with(func(x *RSANumbers) { x.E = x.N }),
		"d = 1":                 with(func(x *RSANumbers) { x.D = []byte{1} }),
		"another d":             with(func(x *RSANumbers) { x.D = more(x.D, 2) }),
		"d of another":          with(func(x *RSANumbers) { x.D = other.D }),
		"d = n":                 with(func(x *RSANumbers) { x.D = x.N }),
		"no d, no primes":       {N: x.N, E: x.E},
		"d alone of another":    {N: x.N, E: x.E, D: other.D},
		"d alone, 1":            {N: x.N, E: x.E, D: []byte{1}},
		"d alone, even":         {N: x.N, E: x.E, D: more(x.D, 1)},
		"d alone, n":            {N: x.N, E: x.E, D: x.N},
		"p of another":          with(func(x *RSANumbers) { x.P = other.P }),
		"p = q":                 with(func(x *RSANumbers) { x.P = x.Q }),
		"p = 1, q = n":          with(func(x *RSANumbers) { x.P, x.Q = []byte{1}, x.N }),
		"p = n, q = 1":          with(func(x *RSANumbers) { x.P, x.Q = x.N, []byte{1} }),
		"p = 1 alone":           {N: x.N, E: x.E, P: []byte{1}},
		"p = n alone":           {N: x.N, E: x.E, P: x.N},
		"p alone of another":    {N: x.N, E: x.E, D: x.D, P: other.P},
		"another exponent of p": with(func(x *RSANumbers) { x.DP = more(x.DP, 2) }),
		"another exponent of q": with(func(x *RSANumbers) { x.DQ = x.DP }),
		"another coefficient":   with(func(x *RSANumbers) { x.QI = more(x.QI, 1) }),
		"modulus of 1024 bits":  with(func(x *RSANumbers) { x.N = x.N[:128] }),
		"modulus of 4104 bits":  with(func(x *RSANumbers) { x.N = bytes.Repeat([]byte{0xff}, 513) }),
		"modulus of a megabyte": with(func(x *RSANumbers) { x.N = bytes.Repeat([]byte{0xff}, 1<<20) }),
		"primes that are none":  composite(x),
	} {
		k, err := NewRSA(bad)
		if err == nil {
			t.Errorf("%s: accepted, %d bits", name, k.Bits())
		} else if !typedError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]RSANumbers{"even": {N: more(x.N, 1), E: x.E}, "e = 1": {N: x.N, E: []byte{1}}, "e = 2": {N: x.N, E: []byte{2}}} {
		_, err := NewRSAPublic(bad)
		refused(t, name, err, ErrKey)
	}
}

// composite is a key whose factors are no primes: d is right for them as if they were.
func composite(x RSANumbers) RSANumbers {
	for p := number(bytes.Repeat([]byte{0xc1}, 128)); ; p.Add(p, big.NewInt(2)) {
		q := number(x.Q)
		less := new(big.Int).Sub(p, big.NewInt(1))
		order := new(big.Int).Mul(less, new(big.Int).Sub(q, big.NewInt(1)))
		d := new(big.Int).ModInverse(big.NewInt(65537), order)
		if n := new(big.Int).Mul(p, q); d != nil && n.BitLen() == 2048 && !p.ProbablyPrime(1) {
			return RSANumbers{N: n.Bytes(), E: x.E, D: d.Bytes(), P: p.Bytes(), Q: q.Bytes()}
		}
	}
}
