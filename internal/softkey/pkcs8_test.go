// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha3"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"

	mldsax509 "filippo.io/mldsa/x509"
)

// privateKeys are one of each kind.
func privateKeys(t testing.TB) []PrivateKey {
	t.Helper()
	keys := []PrivateKey{rsaFile(t), GenerateEdwards(), need[*Montgomery](t)(GenerateMontgomery())}
	for _, c := range weierstrassCurves {
		keys = append(keys, need[*EC](t)(GenerateEC(c)))
	}
	for set := range kemRows {
		keys = append(keys, need[*MLKEM](t)(GenerateMLKEM(KEM(set))))
	}
	for set := range dsaRows {
		keys = append(keys, need[*MLDSA](t)(GenerateMLDSA(DSA(set))))
	}
	return keys
}

// TestEncodings: each kind of key is the same after it was written and read.
func TestEncodings(t *testing.T) {
	for _, k := range privateKeys(t) {
		der := need[[]byte](t)(k.Marshal())
		public := need[[]byte](t)(k.Public().Marshal())
		for _, parse := range []func([]byte) (PrivateKey, error){ParsePrivate, ReopenPrivate} {
			again := need[PrivateKey](t)(parse(der))
			if fmt.Sprintf("%T", again) != fmt.Sprintf("%T", k) {
				t.Errorf("%T became %T", k, again)
			}
			got, err := again.Marshal()
			wanted(t, "private key", got, err, der)
			got, err = again.Public().Marshal()
			wanted(t, "public key", got, err, public)
		}
		got, err := need[PublicKey](t)(ParsePublic(public)).Marshal()
		wanted(t, "public key", got, err, public)
		badEncodings(t, der, public)
	}
}

// badEncodings cuts and lengthens: that is no key any more. A changed byte may be another key, or none.
func badEncodings(t *testing.T, der, public []byte) {
	t.Helper()
	for n := range len(der) {
		if k, err := ParsePrivate(der[:n]); err == nil || !typedError(err) {
			t.Errorf("cut to %d: %T, %v", n, k, err)
		}
	}
	for n := range len(public) {
		if k, err := ParsePublic(public[:n]); err == nil || !typedError(err) {
			t.Errorf("cut to %d: %T, %v", n, k, err)
		}
	}
	_, err := ParsePrivate(append(bytes.Clone(der), 0))
	refused(t, "longer", err, ErrKey)
	_, err = ParsePublic(append(bytes.Clone(public), 0))
	refused(t, "longer", err, ErrKey)
	wanted(t, "trimmed", TrimPrivate(append(bytes.Clone(der), make([]byte, 7)...)), nil, der)
	if odd := append(bytes.Clone(der), 0, 1); !bytes.Equal(TrimPrivate(odd), odd) {
		t.Error("what is no padding was trimmed")
	}
	changes(der[:min(len(der), 300)], func(i int, changed []byte) {
		if _, err := ReopenPrivate(append(changed, der[len(changed):]...)); err != nil && !typedError(err) {
			t.Errorf("private key, byte %d: %v", i, err)
		}
	})
	changes(public[:min(len(public), 300)], func(i int, changed []byte) {
		if _, err := ParsePublic(append(changed, public[len(changed):]...)); err != nil && !typedError(err) {
			t.Errorf("public key, byte %d: %v", i, err)
		}
	})
}

// TestEncodingsOfLibrary: what the library of the standard writes is what is written here.
func TestEncodingsOfLibrary(t *testing.T) {
	for _, k := range privateKeys(t) {
		var key any
		switch k := k.(type) {
		case *RSA:
			key = k.key
		case *EC:
			if k.curve == Secp256k1 {
				continue
			}
			key = need[*ecdsa.PrivateKey](t)(ecdsa.ParseRawPrivateKey(curveRows[k.curve].std(), k.Value()))
		case *Edwards:
			key = ed25519.NewKeyFromSeed(k.Value())
		case *Montgomery:
			key = need[*ecdh.PrivateKey](t)(ecdh.X25519().NewPrivateKey(k.Value()))
		case *MLDSA:
			der := need[[]byte](t)(k.Marshal())
			wanted(t, "ML-DSA", need[[]byte](t)(mldsax509.MarshalPKCS8PrivateKey(k.key)), nil, der)
			continue
		default:
			continue
		}
		der := need[[]byte](t)(k.Marshal())
		wanted(t, fmt.Sprintf("%T", k), need[[]byte](t)(x509.MarshalPKCS8PrivateKey(key)), nil, der)
	}
}

// TestSeedForms: the seed alone, with what it expands to, and that alone (RFC 9881, section 6).
func TestSeedForms(t *testing.T) {
	k := need[*MLDSA](t)(GenerateMLDSA(MLDSA44))
	expanded := make([]byte, expandedMLDSA[MLDSA44])
	copy(expanded, k.public.raw[:32])
	copy(expanded[64:], sha3.SumSHAKE256(k.public.raw, 64))
	both := need[[]byte](t)(asn1.Marshal(struct{ Seed, Expanded []byte }{k.Seed(), expanded}))
	der := need[[]byte](t)(marshalPrivate(algorithm{OID: oidDSA[MLDSA44]}, both))
	if _, err := ParsePrivate(der); err != nil {
		t.Error("both:", err)
	}
	expanded[0] ^= 1
	both = need[[]byte](t)(asn1.Marshal(struct{ Seed, Expanded []byte }{k.Seed(), expanded}))
	_, err := ParsePrivate(need[[]byte](t)(marshalPrivate(algorithm{OID: oidDSA[MLDSA44]}, both)))
	refused(t, "both of different keys", err, ErrKey)
	_, err = ParsePrivate(need[[]byte](t)(marshalPrivate(algorithm{OID: oidDSA[MLDSA44]}, octetString(expanded))))
	refused(t, "without the seed", err, ErrUnsupported)
	_, err = ParsePrivate(need[[]byte](t)(marshalPrivate(algorithm{OID: oidDSA[MLDSA44]}, nil)))
	refused(t, "nothing", err, ErrKey)
}

// TestBadPrivateInfo: structures that are right in the outside.
func TestBadPrivateInfo(t *testing.T) {
	k := need[*EC](t)(GenerateEC(P256))
	other := need[*EC](t)(GenerateEC(P256))
	point := func(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }
	for name, inner := range map[string]sec1{
		"version":           {Version: 2, Key: k.Value()},
		"no number":         {Version: 1},
		"too long":          {Version: 1, Key: append([]byte{1}, k.Value()...)},
		"another's point":   {Version: 1, Key: k.Value(), Public: point(other.public)},
		"point that is not": {Version: 1, Key: k.Value(), Public: point(k.public[:30])},
	} {
		der := need[[]byte](t)(marshalPrivate(P256.algorithm(), need[[]byte](t)(asn1.Marshal(inner))))
		_, err := ParsePrivate(der)
		refused(t, name, err, ErrKey)
	}
	good := need[[]byte](t)(asn1.Marshal(sec1{Version: 1, Key: k.Value()}))
	der := need[[]byte](t)(asn1.Marshal(privateInfo{2, P256.algorithm(), good}))
	_, err := ParsePrivate(der)
	refused(t, "version of the outside", err, ErrUnsupported)
	der = need[[]byte](t)(asn1.Marshal(privateInfo{1, P256.algorithm(), good}))
	if _, err := ParsePrivate(der); err != nil {
		t.Error("version of RFC 5958:", err)
	}
	for _, v := range []struct {
		name string
		algorithm
		want error
	}{
		{"no curve", algorithm{OID: oidEC}, ErrKey},
		{"explicit curve", algorithm{oidEC, asn1.RawValue{FullBytes: []byte{0x30, 0}}}, ErrKey},
		{"algorithm", algorithm{OID: asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}}, ErrUnsupported},
		{"Ed25519 as a curve", algorithm{oidEC, asn1.RawValue{FullBytes: Ed25519.Params()}}, ErrUnsupported},
	} {
		der := need[[]byte](t)(asn1.Marshal(privateInfo{0, v.algorithm, good}))
		_, err := ParsePrivate(der)
		refused(t, v.name, err, v.want)
		der = need[[]byte](t)(marshalPublic(v.algorithm, k.public))
		_, err = ParsePublic(der)
		refused(t, v.name, err, v.want)
	}
	_, err = ParsePublic(need[[]byte](t)(asn1.Marshal(publicInfo{P256.algorithm(), asn1.BitString{Bytes: k.public, BitLength: 8*len(k.public) - 1}})))
	refused(t, "bits", err, ErrKey)
}

// TestCompositePKCS8: factors that are no primes are seen in what comes from elsewhere.
func TestCompositePKCS8(t *testing.T) {
	x := composite(rsaFile(t).Numbers())
	p, q, d := number(x.P), number(x.Q), number(x.D)
	one := big.NewInt(1)
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: number(x.N), E: 65537}, D: d, Primes: []*big.Int{p, q}}
	key.Precomputed.Dp = new(big.Int).Mod(d, new(big.Int).Sub(p, one))
	key.Precomputed.Dq = new(big.Int).Mod(d, new(big.Int).Sub(q, one))
	key.Precomputed.Qinv = new(big.Int).ModInverse(q, p)
	key.Precompute()
	der := need[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
	_, err := ParsePrivate(der)
	if refused(t, "factors", err, ErrKey); err != nil && !strings.Contains(err.Error(), "factor of RSA modulus") {
		t.Error(err)
	}
}
