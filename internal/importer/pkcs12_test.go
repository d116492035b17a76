// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/pkcs11"
)

// sampled is a file of testdata.
func sampled(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// classes are those of objects, one letter each.
func classes(all []Object) (found string) {
	for _, o := range all {
		switch {
		case o.Why != "":
			found += "-"
		case bytes.Equal(o.value(pkcs11.CKA_CLASS), ulong(pkcs11.CKO_PRIVATE_KEY)):
			found += "k"
		case bytes.Equal(o.value(pkcs11.CKA_CLASS), ulong(pkcs11.CKO_PUBLIC_KEY)):
			found += "p"
		case bytes.Equal(o.value(pkcs11.CKA_CLASS), ulong(pkcs11.CKO_CERTIFICATE)):
			found += "c"
		}
	}
	return found
}

// TestPBMAC1: the test vectors of RFC 9579, three good ones and three with a code that is not right, and a file of OpenSSL 3.5.
func TestPBMAC1(t *testing.T) {
	for name, want := range map[string]error{
		"rfc9579-a1.p12": nil, "rfc9579-a2.p12": nil, "rfc9579-a3.p12": nil,
		"rfc9579-a4.p12": ErrPassword, "rfc9579-a5.p12": ErrPassword, "rfc9579-a6.p12": ErrDamaged,
	} {
		got, err := readPKCS12(sampled(t, name), Source{Label: "x", Password: []byte("1234")})
		if !errors.Is(err, want) || err == nil && classes(got) != "kpc" {
			t.Errorf("%s: %s, %v", name, classes(got), err)
		}
	}
	whole := sampled(t, "openssl-3.5-pbmac1.p12")
	got, err := readPKCS12(whole, Source{Label: "x", Password: []byte("secret")})
	if err != nil || classes(got) != "kpc" || got[0].Label != "pbmac" {
		t.Errorf("%s, %v", classes(got), err)
	}
	if _, err := readPKCS12(whole, Source{}); !errors.Is(err, ErrNeeded) {
		t.Errorf("without a password: %v", err)
	}
}

// TestWideKeys: keys of PKCS #12's own function, of vectors that OpenSSL and others test with.
func TestWideKeys(t *testing.T) {
	p := &password{wide: wideText([]byte("smeg"))}
	for _, v := range []struct {
		purpose    byte
		salt       string
		iterations int
		want       string
	}{
		{forCipher, "0a58cf64530d823f", 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"},
		{forIV, "0a58cf64530d823f", 1, "79993dfe048d3b76"},
		{forCode, "3d83c0e4546ac140", 1, "8d967d88f6caa9d714800ab3d48051d63f73a312"},
	} {
		salt, _ := hex.DecodeString(v.salt)
		got := p.deriveWide(pkcs12Derivation{sha1.New, v.purpose, salt, v.iterations, len(v.want) / 2})
		if hex.EncodeToString(got) != v.want {
			t.Errorf("%d: %x, want %s", v.purpose, got, v.want)
		}
	}
	if got := wideText([]byte("Beavis")); hex.EncodeToString(got) != "0042006500610076006900730000" { // of RFC 7292
		t.Errorf("%x", got)
	}
}

// TestRC2: vectors of RFC 2268 whose keys have as many bits as count.
func TestRC2(t *testing.T) {
	for _, v := range [][3]string{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(v[0])
		sealed, _ := hex.DecodeString(v[2])
		if got := newRC2(key).decryptCBC(make([]byte, sizeRC2), sealed); hex.EncodeToString(got) != v[1] {
			t.Errorf("%s: %x, want %s", v[0], got, v[1])
		}
	}
}

// encode is DER.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// nested makes a file whose bags stand in each other, so many deep, beside so many others.
func nested(t testing.TB, deep, beside int) []byte {
	t.Helper()
	tagged := func(b []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: b}
	}
	type bag struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	crl, bags := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 4}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 6}
	inner := make([]bag, beside)
	for i := range inner {
		inner[i] = bag{crl, tagged(encode(t, []byte("x")))}
	}
	content := encode(t, inner)
	for range deep - 1 {
		content = encode(t, []bag{{bags, tagged(content)}})
	}
	type part struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	safe := encode(t, []part{{oidData, tagged(encode(t, content))}})
	return encode(t, struct {
		Version int
		Content part
	}{3, part{oidData, tagged(encode(t, safe))}})
}

// TestBombs: bags in bags, too many of them and too much work are refused before they cost anything.
func TestBombs(t *testing.T) {
	if got, err := readPKCS12(nested(t, mostDepth, 3), Source{}); err != nil || classes(got) != "---" {
		t.Errorf("as deep as it may be: %s, %v", classes(got), err)
	}
	for name, b := range map[string][]byte{"deep": nested(t, mostDepth+1, 1), "very deep": nested(t, 5000, 1), "many": nested(t, 1, mostBags+1)} {
		if _, err := readPKCS12(b, Source{}); err == nil || !strings.Contains(err.Error(), "bags in bags") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := &password{text: []byte("x")}
	for range 3 {
		if err := p.spend(mostIterations / 3); err != nil {
			t.Error(err)
		}
	}
	if p.spend(mostIterations/3) == nil {
		t.Error("many times much work is not too much")
	}
	greedy := pkix.AlgorithmIdentifier{Algorithm: oidScrypt, Parameters: asn1.RawValue{FullBytes: encode(t, scryptParameters{N: 1 << 40, R: 8, P: 1})}}
	if _, err := p.derive(greedy, 32); err == nil || !strings.Contains(err.Error(), "too much") {
		t.Errorf("scrypt: %v", err)
	}
}

// TestCutPKCS12: a file is whole, or an error.
func TestCutPKCS12(t *testing.T) {
	whole := sampled(t, "rfc9579-a1.p12")
	for n := range whole {
		if _, err := readPKCS12(whole[:n], Source{Password: []byte("1234")}); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if _, err := readPKCS12(append(whole, 0), Source{Password: []byte("1234")}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
}

// TestLatticeKeys: keys of OpenSSL 3.5 come with their seeds.
func TestLatticeKeys(t *testing.T) {
	for name, kind := range map[string]uint{"ML-DSA-44.pem": pkcs11.CKK_ML_DSA, "ML-KEM-768.pem": pkcs11.CKK_ML_KEM} {
		got, err := readPEM(sampled(t, name), Source{Label: "x"})
		if err != nil || classes(got) != "kp" || !bytes.Equal(got[0].value(pkcs11.CKA_KEY_TYPE), ulong(kind)) || len(got[0].value(pkcs11.CKA_SEED)) == 0 {
			t.Errorf("%s: %s, %v", name, classes(got), err)
		}
	}
}
