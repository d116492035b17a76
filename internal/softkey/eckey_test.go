// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"math/big"
	"testing"
)

var weierstrassCurves = []Curve{P224, P256, P384, P521, Secp256k1}

// TestECDSA: all curves and hashes, and no hash, with what is longer and shorter than the order.
func TestECDSA(t *testing.T) {
	for _, c := range weierstrassCurves {
		k := need[*EC](t)(GenerateEC(c))
		public := k.PublicEC()
		for _, h := range append(Hashes(), 0) {
			signs(t, c.String(), func() (Signer, error) { return k.Sign(h) }, func() (Verifier, error) { return public.Verify(h) }, []byte("message"))
		}
		for _, n := range []int{1, 20, 31, 32, 33, 64, 66} {
			message := randomBytes(n)
			signer, err := k.Sign(0)
			verifier, verifyErr := public.Verify(0)
			if err := verified(verifier, verifyErr, message, signed(t, signer, err, message)); err != nil {
				t.Errorf("%s, %d bytes: %v", c, n, err)
			}
		}
		_, err := k.Sign(crypto.MD5)
		refused(t, "MD5", err, ErrUnsupported)
		_, err = public.Verify(crypto.MD5)
		refused(t, "MD5", err, ErrUnsupported)
	}
}

// TestLongDigests: of what is longer than the order the highest bits count, as in the library of the standard.
func TestLongDigests(t *testing.T) {
	for _, c := range weierstrassCurves {
		k := need[*EC](t)(GenerateEC(c))
		message := randomBytes(64)
		signer, err := k.Sign(0)
		signature := signed(t, signer, err, message)
		if c == P521 {
			continue
		}
		verifier, err := k.PublicEC().Verify(0)
		if err := verified(verifier, err, message[:c.Size()], signature); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// TestZeroSignatures: r and s are from 1 to the order less 1.
func TestZeroSignatures(t *testing.T) {
	for _, c := range weierstrassCurves {
		k := need[*EC](t)(GenerateEC(c))
		signer, err := k.Sign(crypto.SHA256)
		good := signed(t, signer, err, []byte("m"))
		order := c.groupOrder().FillBytes(make([]byte, c.Size()))
		for _, bad := range [][]byte{make([]byte, c.Size()), order, bytes.Repeat([]byte{0xff}, c.Size())} {
			for _, signature := range [][]byte{append(bytes.Clone(bad), good[c.Size():]...), append(bytes.Clone(good[:c.Size()]), bad...)} {
				verifier, err := k.PublicEC().Verify(crypto.SHA256)
				if err := verified(verifier, err, []byte("m"), signature); err != ErrSignature {
					t.Errorf("%s: %v", c, err)
				}
			}
		}
	}
}

// TestECDSAOfLibrary: what the library of the standard signs is right here, and the reverse.
func TestECDSAOfLibrary(t *testing.T) {
	for _, c := range []Curve{P224, P256, P384, P521} {
		key := need[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(curveRows[c].std(), rand.Reader))
		k := need[*EC](t)(NewEC(c, need[[]byte](t)(key.Bytes())))
		if !bytes.Equal(k.PublicEC().Raw(), need[[]byte](t)(key.PublicKey.Bytes())) {
			t.Errorf("%s: another public key", c)
		}
		hashed := digest(crypto.SHA256, []byte("message"))
		signer, err := k.Sign(crypto.SHA256)
		signature := signed(t, signer, err, []byte("message"))
		if !ecdsa.Verify(&key.PublicKey, hashed, number(signature[:c.Size()]), number(signature[c.Size():])) {
			t.Errorf("%s: a wrong signature", c)
		}
	}
}

// TestECNumbers: private keys from 1 to the order less 1, and no others.
func TestECNumbers(t *testing.T) {
	for _, c := range weierstrassCurves {
		order := c.groupOrder()
		last := new(big.Int).Sub(order, big.NewInt(1))
		for _, good := range [][]byte{{1}, {0, 0, 1}, last.Bytes(), append(make([]byte, 80), last.Bytes()...)} {
			k, err := NewEC(c, good)
			if err != nil {
				t.Errorf("%s, %x: %v", c, good, err)
				continue
			}
			if len(k.Value()) != c.Size() || number(k.Value()).Cmp(number(good)) != 0 {
				t.Errorf("%s, %x became %x", c, good, k.Value())
			}
		}
		for _, bad := range [][]byte{nil, {0}, make([]byte, c.Size()), order.Bytes(), more(order.Bytes(), 1), bytes.Repeat([]byte{0xff}, c.Size()), bytes.Repeat([]byte{1}, c.Size()+1), make([]byte, 1000)} {
			_, err := NewEC(c, bad)
			refused(t, c.String(), err, ErrKey)
		}
		one := need[*EC](t)(NewEC(c, []byte{1}))
		minus := need[*EC](t)(NewEC(c, last.Bytes()))
		if !bytes.Equal(one.public[1:1+c.Size()], minus.public[1:1+c.Size()]) || bytes.Equal(one.public, minus.public) {
			t.Errorf("%s: %x and %x", c, one.public, minus.public)
		}
	}
	for _, c := range []Curve{Ed25519, X25519, -1, 7} {
		_, err := GenerateEC(c)
		refused(t, c.String(), err, ErrUnsupported)
		_, err = NewEC(c, []byte{1})
		refused(t, c.String(), err, ErrUnsupported)
		_, err = NewECPublic(c, []byte{1})
		refused(t, c.String(), err, ErrUnsupported)
	}
}

// TestPoints: the forms of a point, and what is none.
func TestPoints(t *testing.T) {
	for _, c := range weierstrassCurves {
		k := need[*EC](t)(GenerateEC(c)).PublicEC()
		raw := k.Raw()
		compressed := append([]byte{2 + raw[len(raw)-1]&1}, raw[1:1+c.Size()]...)
		bits := append([]byte{3, byte(2 + c.Size()), 0}, compressed...)
		for _, form := range [][]byte{raw, compressed, k.Point(), octetString(compressed), bits} {
			got, err := c.ParsePoint(form)
			wanted(t, c.String(), got, err, raw)
		}
		hybrid := append([]byte{6 + raw[len(raw)-1]&1}, raw[1:]...)
		wrong := append([]byte{4}, randomBytes(2*c.Size())...)
		large := append([]byte{4}, bytes.Repeat([]byte{0xff}, 2*c.Size())...)
		for _, bad := range [][]byte{
			nil, {0}, {4}, raw[1:], raw[:len(raw)-1], append(bytes.Clone(raw), 0), hybrid, wrong, large, make([]byte, len(raw)), octetString([]byte{0}),
			octetString(hybrid), octetString(octetString(raw)), append([]byte{3}, bytes.Repeat([]byte{0xff}, c.Size())...),
		} {
			_, err := c.ParsePoint(bad)
			refused(t, c.String(), err, ErrKey)
		}
	}
}

// TestPointsLikeDER: points whose first bytes look like an OCTET STRING.
func TestPointsLikeDER(t *testing.T) {
	for range 2000 {
		k := need[*EC](t)(GenerateEC(P224))
		if k.public[1] < 0x38 {
			if _, err := P224.ParsePoint(k.public); err != nil {
				t.Errorf("%x: %v", k.public, err)
			}
		}
	}
}

// TestAgree: both sides have the same, with and without a derivation.
func TestAgree(t *testing.T) {
	for _, c := range weierstrassCurves {
		a, b := need[*EC](t)(GenerateEC(c)), need[*EC](t)(GenerateEC(c))
		ours, err := a.Agree(Agreement{Peer: b.PublicEC().Raw()}, 0)
		theirs, theirErr := b.Agree(Agreement{Peer: a.PublicEC().Point()}, 0)
		if err != nil || theirErr != nil || len(ours) != c.Size() || !bytes.Equal(ours, theirs) {
			t.Errorf("%s: %x, %v; %x, %v", c, ours, err, theirs, theirErr)
		}
		for _, h := range Hashes() {
			got, err := a.Agree(Agreement{b.PublicEC().Raw(), h, []byte("info")}, 100)
			want, _ := deriveX963(h, ours, []byte("info"), 100)
			wanted(t, c.String(), got, err, want)
		}
		got, err := a.Agree(Agreement{Peer: b.PublicEC().Raw()}, 20)
		wanted(t, "the last bytes", got, err, ours[c.Size()-20:])
		_, err = a.Agree(Agreement{Peer: b.PublicEC().Raw()}, c.Size()+1)
		refused(t, "more than there is", err, ErrKeySize)
		_, err = a.Agree(Agreement{Peer: b.PublicEC().Raw(), Info: []byte("info")}, 0)
		refused(t, "info without derivation", err, ErrParameter)
		_, err = a.Agree(Agreement{Peer: b.PublicEC().Raw(), KDF: crypto.MD5}, 0)
		refused(t, "MD5", err, ErrUnsupported)
		_, err = a.Agree(Agreement{Peer: make([]byte, 1+2*c.Size())}, 0)
		refused(t, "no point", err, ErrKey)
	}
}

// TestAgreeOfLibrary compares with the library of the standard.
func TestAgreeOfLibrary(t *testing.T) {
	for c, library := range map[Curve]ecdh.Curve{P256: ecdh.P256(), P384: ecdh.P384(), P521: ecdh.P521()} {
		k := need[*EC](t)(GenerateEC(c))
		key := need[*ecdh.PrivateKey](t)(library.GenerateKey(rand.Reader))
		public := need[*ecdh.PublicKey](t)(library.NewPublicKey(k.public))
		want := need[[]byte](t)(key.ECDH(public))
		got, err := k.Agree(Agreement{Peer: key.PublicKey().Bytes()}, 0)
		wanted(t, c.String(), got, err, want)
	}
}

func TestParams(t *testing.T) {
	for c := range curveRows {
		curve := Curve(c)
		forms := [][]byte{curve.Params()}
		for _, name := range curveRows[c].names {
			forms = append(forms, append([]byte{0x13, byte(len(name))}, name...))
		}
		for _, params := range forms {
			if got, err := ParseParams(params); err != nil || got != curve {
				t.Errorf("%x: %s, %v", params, got, err)
			}
		}
	}
	for _, bad := range [][]byte{nil, {6}, {5, 0}, {0x30, 0}, append(P256.Params(), 0), {0x86, 1, 1}} {
		_, err := ParseParams(bad)
		refused(t, "parameters", err, ErrKey)
	}
	for _, bad := range [][]byte{{0x13, 5, 'P', '-', '1', '9', '2'}, {6, 3, 0x2b, 0x65, 0x71}, {0x13, 0}} {
		_, err := ParseParams(bad)
		refused(t, "another curve", err, ErrUnsupported)
	}
	if name := Curve(99).String(); name != "curve 99" {
		t.Error(name)
	}
}

func TestLessOrEqual(t *testing.T) {
	for a := range 300 {
		for _, b := range []int{0, 1, 255, 256, 257, 299} {
			if got := lessOrEqual([]byte{byte(a >> 8), byte(a)}, []byte{byte(b >> 8), byte(b)}); got != (a <= b) {
				t.Errorf("%d <= %d: %t", a, b, got)
			}
		}
	}
}
