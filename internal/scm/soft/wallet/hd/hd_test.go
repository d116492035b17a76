// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func master(t *testing.T, c scm.Curve) Node {
	t.Helper()
	n, err := Master(c, []byte("a seed of this test"), nil)
	must(t, err)
	return n
}

// TestPublicDerivation checks that public keys lead to the same children as private
// ones.
func TestPublicDerivation(t *testing.T) {
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1} {
		parent := master(t, c)
		for index := range uint32(32) {
			a, err := parent.Child(index)
			must(t, err)
			b, err := parent.Neuter().Child(index)
			must(t, err)
			if !bytes.Equal(a.Public, b.Public) || !bytes.Equal(a.Chain, b.Chain) || b.Private != nil {
				t.Fatalf("%s: child %d: %x and %x", c, index, a.Public, b.Public)
			}
			parent = a
		}
	}
}

func TestDerivationErrors(t *testing.T) {
	_, err := master(t, scm.P256).Neuter().Child(Hardened)
	wantError(t, "hardened child of a public key", err, ErrHardened)
	_, err = master(t, scm.Ed25519).Child(1)
	wantError(t, "plain child for Ed25519", err, ErrCurve)
	_, err = Master(scm.X25519, []byte("seed"), nil)
	wantError(t, "X25519", err, ErrCurve)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1} {
		_, err = Node{Curve: c, Public: bytes.Repeat([]byte{1}, 64), Chain: make([]byte, 32)}.Child(1)
		wantError(t, "child of no point", err, ErrKey)
	}
}

// TestNoChild has offsets that lead to no child.
func TestNoChild(t *testing.T) {
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1} {
		n := master(t, c)
		for name, offset := range map[string][]byte{
			"zero": make([]byte, 32), "too great": bytes.Repeat([]byte{255}, 32), "negative": negated(t, c, n.Private),
		} {
			_, err := n.addOffset(offset, n.Chain)
			wantError(t, name, err, errNoChild)
			_, err = n.Neuter().addOffset(offset, n.Chain)
			wantError(t, name+", public", err, errNoChild)
		}
	}
}

// negated returns the order of the curve less k.
func negated(t *testing.T, c scm.Curve, k []byte) []byte {
	t.Helper()
	order := map[scm.Curve]string{
		scm.P256:      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		scm.Secp256k1: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
	}[c]
	out, borrow := unhex(t, order), 0
	for i := 31; i >= 0; i-- {
		d := int(out[i]) - int(k[i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		out[i] = byte(d)
	}
	return out
}

func TestGenerator(t *testing.T) {
	standard := master(t, scm.Secp256k1)
	other, err := Master(scm.Secp256k1, []byte("a seed of this test"), []byte("generator"))
	if err != nil || bytes.Equal(other.Private, standard.Private) {
		t.Errorf("another generator: %v", err)
	}
	same, err := Master(scm.Secp256k1, []byte("a seed of this test"), []byte("Bitcoin seed"))
	if err != nil || !bytes.Equal(same.Private, standard.Private) {
		t.Errorf("the standard's generator: %v", err)
	}
}

func TestAddress(t *testing.T) {
	for _, test := range []struct {
		address string
		want    []uint32
		form    string
	}{
		{"m", []uint32{}, "m"},
		{"m/0", []uint32{0}, "m/0"},
		{"m/3'/1'/0'/1/28", []uint32{Hardened + 3, Hardened + 1, Hardened, 1, 28}, "m/3'/1'/0'/1/28"},
		{"m/007/2147483647'", []uint32{7, 1<<32 - 1}, "m/7/2147483647'"},
	} {
		got, err := ParseAddress(test.address)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("ParseAddress(%q) = %v, %v", test.address, got, err)
		}
		if form, err := Canonical(test.address); err != nil || form != test.form {
			t.Errorf("Canonical(%q) = %q, %v", test.address, form, err)
		}
	}
	for _, bad := range []string{"", "0/1", "m/", "m//1", "m/x", "m/-1", "m/2147483648", "m/1''", "m/1h", "M/1", "m/+1", "n"} {
		_, err := ParseAddress(bad)
		wantError(t, bad, err, ErrKey)
		_, err = Canonical(bad)
		wantError(t, bad, err, ErrKey)
	}
}

func TestExtendedErrors(t *testing.T) {
	good := Extended{Node: master(t, scm.Secp256k1)}.String()
	if _, err := ParseExtended(good); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"", "x", good[1:], good + "1", "1" + good, good[:50] + "l" + good[51:], good[:50] + "z" + good[51:], strings.Repeat("z", 112),
	} {
		_, err := ParseExtended(bad)
		wantError(t, bad, err, ErrKey)
	}
	deep := Extended{Node: master(t, scm.Secp256k1), Depth: 255}
	_, err := deep.Child(0)
	wantError(t, "depth of 256", err, ErrKey)
}

func TestMnemonicErrors(t *testing.T) {
	_, err := Mnemonic(make([]byte, 15))
	wantError(t, "entropy", err, ErrMnemonic)
	for _, bad := range []string{"", "abandon", strings.Repeat("abandon ", 12), strings.Repeat("zzz ", 24)} {
		_, err := Seed(bad, "")
		wantError(t, bad, err, ErrMnemonic)
	}
	// A passphrase counts as the same in its composed and decomposed form.
	sentence, err := Mnemonic(make([]byte, 32))
	must(t, err)
	a, errA := Seed(sentence, "caf\u00e9")
	b, errB := Seed(sentence, "cafe\u0301")
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("seeds %x and %x", a, b)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("m/1/2'")
	f.Add("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8")
	f.Add("duckling enlarge academic academic agency result length solution fridge kidney coal piece deal husband erode duke ajar critical decision keyboard")
	f.Fuzz(func(t *testing.T, s string) {
		if form, err := Canonical(s); err == nil && len(form) > len(s) {
			t.Errorf("%q becomes %q", s, form)
		}
		if e, err := ParseExtended(s); err == nil && e.String() != s {
			t.Errorf("%q becomes %q", s, e)
		}
		if share, err := ParseShare(s); err == nil {
			if again, err := ParseShare(share.String()); err != nil || again.ID != share.ID || !bytes.Equal(again.Value, share.Value) {
				t.Errorf("%q becomes %q", s, share)
			}
		}
	})
}

// TestSeedBlanks reads a sentence as people and files have it.
func TestSeedBlanks(t *testing.T) {
	sentence, err := Mnemonic(make([]byte, 16))
	must(t, err)
	want, err := Seed(sentence, "")
	must(t, err)
	for _, other := range []string{sentence + "\n", "  " + sentence, strings.ReplaceAll(sentence, " ", " \t\n")} {
		if got, err := Seed(other, ""); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: another seed, %v", other, err)
		}
	}
}
