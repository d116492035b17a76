// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// publicOn is a fixed public key on a curve, in the device's form.
func publicOn(t testing.TB, c scm.Curve) []byte {
	t.Helper()
	seed := bytes.Repeat([]byte{7}, 32)
	switch c {
	case scm.P256:
		k, err := ecdh.P256().NewPrivateKey(seed)
		ok(t, err)
		return k.PublicKey().Bytes()[1:]
	case scm.Secp256k1:
		return secp256k1.PrivKeyFromBytes(seed).PubKey().SerializeUncompressed()[1:]
	case scm.Ed25519:
		return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	}
	k, err := ecdh.X25519().NewPrivateKey(seed)
	ok(t, err)
	return k.PublicKey().Bytes()
}

// compressed is a point of SEC 1 in 33 bytes.
func compressed(public []byte) []byte {
	return append([]byte{2 + public[63]&1}, public[:32]...)
}

func octetString(b []byte) []byte { return mustDER(b) }

func bitString(b []byte) []byte { return mustDER(asn1.BitString{Bytes: b, BitLength: 8 * len(b)}) }

// TestPointForms reads every form of CKA_EC_POINT that is in use, and refuses
// what looks like one.
func TestPointForms(t *testing.T) {
	for i := range curves {
		c := &curves[i]
		public := publicOn(t, c.curve)
		raw := c.rawPoint(public)
		accepted := map[string][]byte{"raw": raw, "OCTET STRING": octetString(raw), "BIT STRING": bitString(raw)}
		refused := map[string][]byte{
			"nothing": {}, "short": raw[1:], "long": append(bytes.Clone(raw), 0),
			"trailing": append(octetString(raw), 0), "short in OCTET STRING": octetString(raw[:len(raw)-1]),
			"bits":          mustDER(asn1.BitString{Bytes: raw, BitLength: 8*len(raw) - 3}),
			"twice wrapped": octetString(octetString(raw)), "INTEGER": mustDER(5),
		}
		if c.keyType == CKK_EC {
			small := compressed(public)
			accepted["compressed"], accepted["compressed in OCTET STRING"] = small, octetString(small)
			off := bytes.Clone(raw)
			off[64] ^= 1
			hybrid := bytes.Clone(raw)
			hybrid[0] = 6 + raw[64]&1
			refused["off the curve"], refused["infinity"], refused["hybrid"] = off, []byte{0}, hybrid
			refused["coordinates"] = public
			refused["no square root"] = noPoint(c)
		}
		for form, point := range accepted {
			got, err := c.publicOf(point)
			if err != nil || !bytes.Equal(got, public) {
				t.Errorf("%s %s: %x, %v, want %x", c.curve, form, got, err, public)
			}
		}
		for form, point := range refused {
			_, err := c.publicOf(point)
			want(t, c.curve.String()+" "+form, err, CKR_ATTRIBUTE_VALUE_INVALID)
		}
	}
}

// noPoint is a compressed point whose x is that of no point on the curve.
func noPoint(c *curve) []byte {
	for x := byte(1); ; x++ {
		p := make([]byte, 33)
		p[0], p[32] = 2, x
		if _, good := c.fromRaw(p); !good {
			return p
		}
	}
}

func TestPointOut(t *testing.T) {
	for i := range curves {
		c := &curves[i]
		public := publicOn(t, c.curve)
		if got := c.encodePoint(public); !bytes.Equal(got, octetString(c.rawPoint(public))) {
			t.Errorf("%s: %x is no OCTET STRING of the point", c.curve, got)
		}
		bare := c.barePoint(public)
		if plain := bytes.Equal(bare, public); plain != (c.keyType != CKK_EC) {
			t.Errorf("%s: bare point %x", c.curve, bare)
		}
	}
}

// TestParams reads CKA_EC_PARAMS. The OIDs are those of RFC 5480 and RFC 8410.
func TestParams(t *testing.T) {
	for _, c := range []struct {
		params string // hexadecimal
		curve  scm.Curve
	}{
		{"06082a8648ce3d030107", scm.P256},
		{"06052b8104000a", scm.Secp256k1},
		{"06032b6570", scm.Ed25519},
		{"06032b656e", scm.X25519},
		{"130c656477617264733235353139", scm.Ed25519}, // edwards25519
		{"130a63757276653235353139", scm.X25519},      // curve25519
		{"130a7072696d653235367631", scm.P256},        // prime256v1
		{"1309736563703235366b31", scm.Secp256k1},     // secp256k1
	} {
		params, err := hex.DecodeString(c.params)
		ok(t, err)
		got, err := curveOf(params)
		if err != nil || got.curve != c.curve {
			t.Errorf("%s: %v, want %s", c.params, err, c.curve)
		}
	}
	for i := range curves {
		for _, name := range curves[i].names {
			printable, err := asn1.MarshalWithParams(name, "printable")
			ok(t, err)
			if got, err := curveOf(printable); err != nil || got != &curves[i] {
				t.Errorf("name %q: %v", name, err)
			}
		}
	}
}

func TestParamsRefused(t *testing.T) {
	oid := curves[scm.P256].encodeParams()
	utf8, err := asn1.MarshalWithParams("secp256r1", "utf8")
	ok(t, err)
	for _, c := range []struct {
		name   string
		params []byte
		code   Error
	}{
		{"nothing", nil, CKR_DOMAIN_PARAMS_INVALID},
		{"cut", oid[:len(oid)-1], CKR_DOMAIN_PARAMS_INVALID},
		{"trailing", append(bytes.Clone(oid), 0), CKR_DOMAIN_PARAMS_INVALID},
		{"P-384", mustDER(asn1.ObjectIdentifier{1, 3, 132, 0, 34}), CKR_CURVE_NOT_SUPPORTED},
		{"implicit", []byte{5, 0}, CKR_DOMAIN_PARAMS_INVALID},
		{"another kind of string", utf8, CKR_DOMAIN_PARAMS_INVALID},
		{"explicit", mustDER(struct{ Version int }{1}), CKR_DOMAIN_PARAMS_INVALID},
	} {
		_, err := curveOf(c.params)
		want(t, c.name, err, c.code)
	}
}

// TestPublicKeyInfo compares with the encoder of the standard library.
func TestPublicKeyInfo(t *testing.T) {
	p256 := publicOn(t, scm.P256)
	ecdsaKey, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, p256...))
	ok(t, err)
	x25519, err := ecdh.X25519().NewPublicKey(publicOn(t, scm.X25519))
	ok(t, err)
	for c, key := range map[scm.Curve]any{
		scm.P256: ecdsaKey, scm.X25519: x25519, scm.Ed25519: ed25519.PublicKey(publicOn(t, scm.Ed25519)),
	} {
		standard, err := x509.MarshalPKIXPublicKey(key)
		ok(t, err)
		if got := curves[c].publicKeyInfo(publicOn(t, c)); !bytes.Equal(got, standard) {
			t.Errorf("%s: %x, want %x", c, got, standard)
		}
	}
	// The standard library does not know secp256k1, so the header is by hand.
	header, err := hex.DecodeString("3056301006072a8648ce3d020106052b8104000a03420004")
	ok(t, err)
	koblitz := publicOn(t, scm.Secp256k1)
	if got := curves[scm.Secp256k1].publicKeyInfo(koblitz); !bytes.Equal(got, append(header, koblitz...)) {
		t.Errorf("secp256k1: %x", got)
	}
}

func TestDerSignature(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	der, err := ecdsa.SignASN1(rand.Reader, key, digest32)
	ok(t, err)
	var rs struct{ R, S asn1.RawValue }
	_, err = asn1.Unmarshal(der, &rs)
	ok(t, err)
	flat := make([]byte, 64)
	copy(flat[32-len(bytes.TrimLeft(rs.R.Bytes, "\x00")):], bytes.TrimLeft(rs.R.Bytes, "\x00"))
	copy(flat[64-len(bytes.TrimLeft(rs.S.Bytes, "\x00")):], bytes.TrimLeft(rs.S.Bytes, "\x00"))
	if got := derSignature(flat); !bytes.Equal(got, der) {
		t.Errorf("%x, want %x", got, der)
	}
}

// FuzzPoint: whatever is read as a point comes out as one that reads the same.
func FuzzPoint(f *testing.F) {
	for i := range curves {
		public := publicOn(f, curves[i].curve)
		raw := curves[i].rawPoint(public)
		for _, seed := range [][]byte{raw, octetString(raw), bitString(raw), public} {
			f.Add(i, seed)
		}
		if curves[i].keyType == CKK_EC {
			f.Add(i, compressed(public))
		}
	}
	f.Fuzz(func(t *testing.T, i int, point []byte) {
		c := &curves[uint(i)%uint(len(curves))]
		public, err := c.publicOf(point)
		if err != nil {
			return
		}
		if len(public) != c.curve.PublicSize() {
			t.Fatalf("%s: a public key of %d bytes", c.curve, len(public))
		}
		for _, shown := range [][]byte{c.encodePoint(public), c.barePoint(public)} {
			again, err := c.publicOf(shown)
			if err != nil || !bytes.Equal(again, public) {
				t.Fatalf("%s: %x is read as %x, %v", c.curve, public, again, err)
			}
		}
		if c.curve == scm.P256 {
			if _, err := x509.ParsePKIXPublicKey(c.publicKeyInfo(public)); err != nil {
				t.Fatalf("the standard library refuses the point: %v", err)
			}
		}
	})
}

// FuzzParams: whatever is read as a curve is one of ours, in one of two forms.
func FuzzParams(f *testing.F) {
	for i := range curves {
		f.Add(curves[i].encodeParams())
		for _, name := range curves[i].names {
			f.Add(append([]byte{asn1.TagPrintableString, byte(len(name))}, name...))
		}
	}
	f.Add([]byte("3\tid-X25519")) // constructed, which a PrintableString is not
	f.Fuzz(func(t *testing.T, params []byte) {
		c, err := curveOf(params)
		switch {
		case err == nil && params[0] != asn1.TagOID && params[0] != asn1.TagPrintableString:
			t.Fatalf("%x is read as %s", params, c.curve)
		case err != nil && err != CKR_DOMAIN_PARAMS_INVALID && err != CKR_CURVE_NOT_SUPPORTED:
			t.Fatal(err)
		}
	})
}
