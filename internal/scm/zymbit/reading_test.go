// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// forms are those in which a library can show a public key.
func forms(k scm.Key) map[string][]byte {
	if k.Curve == scm.Ed25519 || k.Curve == scm.X25519 {
		return map[string][]byte{"plain": k.Public, "with a prefix": append([]byte{0x40}, k.Public...)}
	}
	return map[string][]byte{
		"plain": k.Public, "uncompressed": append([]byte{4}, k.Public...),
		"compressed": append([]byte{2 + k.Public[63]&1}, k.Public[:32]...),
	}
}

func TestFormsOfPublicKeys(t *testing.T) {
	f := newFake(t)
	for range 8 {
		for _, c := range scm.Curves {
			k, err := f.Generate(c)
			if err != nil {
				t.Fatal(err)
			}
			for form, shown := range forms(k) {
				public, err := publicOn(c, shown)
				if err != nil || !bytes.Equal(public, k.Public) {
					t.Errorf("%s, %s: %x, %v", c, form, public, err)
				}
				is := func(r scm.Key) bool { return r.Curve == c && bytes.Equal(r.Public, k.Public) }
				if all := readings(shown); !slices.ContainsFunc(all, is) {
					t.Errorf("%s, %s: %v", c, form, all)
				}
			}
			for _, n := range []int{0, 1, 31, 34, 63, 66, 91} {
				if all := readings(make([]byte, n)); len(all) != 0 {
					t.Errorf("%d bytes are %v", n, all)
				}
			}
			wantError(t, f.Remove(k), nil)
		}
	}
}

// TestShownForms has the module show all of its keys in other forms. A compressed point can
// be on two curves: then a signature decides.
func TestShownForms(t *testing.T) {
	for _, form := range []string{"uncompressed", "compressed", "with a prefix"} {
		f := newFake(t)
		var made []scm.Key
		for i := range 16 {
			k, err := f.Generate(scm.Curves[i%len(scm.Curves)])
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, k)
		}
		f.form = form
		d := f.device()
		for _, want := range made {
			got, err := d.PublicKey(want.Slot)
			if err != nil || got.Curve != want.Curve || !bytes.Equal(got.Public, want.Public) {
				t.Errorf("%s: got %v, %v; want %v", form, got, err, want)
			}
		}
		k := mustGenerate(t, d, scm.Secp256k1)
		if _, err := d.Sign(k.Slot, make([]byte, 32)); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		wantError(t, d.Remove(k), nil)
	}
}
