// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// vectors reads a file of published test vectors into v.
func vectors(t *testing.T, name string, v any) {
	t.Helper()
	dir := os.Getenv("ZK_VECTORS")
	if dir == "" {
		dir = "../../../../../testdata/vectors"
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	must(t, json.Unmarshal(text, v))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	must(t, err)
	return b
}

// walk derives the node at an address.
func walk(t *testing.T, e Extended, address string) Extended {
	t.Helper()
	indices, err := ParseAddress(address)
	must(t, err)
	for _, index := range indices {
		e, err = e.Child(index)
		must(t, err)
	}
	return e
}

func TestBIP32(t *testing.T) {
	var all []struct {
		Seed   string
		Chains []struct {
			Path    string
			Public  string `json:"ext_pub"`
			Private string `json:"ext_prv"`
		}
		Invalid []struct{ Key, Why string }
	}
	vectors(t, "bip32.json", &all)
	derived, refused := 0, 0
	for _, v := range all {
		for _, chain := range v.Chains {
			top, err := Master(scm.Secp256k1, unhex(t, v.Seed), nil)
			must(t, err)
			e := walk(t, Extended{Node: top}, chain.Path)
			if got := e.String(); got != chain.Private {
				t.Errorf("%s: %s, want %s", chain.Path, got, chain.Private)
			}
			e.Node = e.Neuter()
			if got := e.String(); got != chain.Public {
				t.Errorf("%s: %s, want %s", chain.Path, got, chain.Public)
			}
			checkPublicChild(t, e.Node, chain.Public)
			derived++
		}
		for _, bad := range v.Invalid {
			if _, err := ParseExtended(bad.Key); !errors.Is(err, ErrKey) {
				t.Errorf("%s: error %v", bad.Why, err)
			}
			refused++
		}
	}
	if derived < 15 || refused < 10 {
		t.Errorf("only %d vectors and %d refused ones", derived, refused)
	}
}

// checkPublicChild reads a public key back, and compares its children.
func checkPublicChild(t *testing.T, n Node, serialized string) {
	t.Helper()
	again, err := ParseExtended(serialized)
	must(t, err)
	a, errA := n.Child(7)
	b, errB := again.Node.Child(7)
	if errA != nil || errB != nil || !bytes.Equal(a.Public, b.Public) || !bytes.Equal(a.Chain, b.Chain) {
		t.Errorf("child of %s: %v, %v", serialized, errA, errB)
	}
}

func TestSLIP10(t *testing.T) {
	var all []struct {
		Name, Seed string
		Chains     []struct {
			Path, Fingerprint, Private, Public string
			Chain                              string `json:"chain_code"`
		}
	}
	vectors(t, "slip10.json", &all)
	derived := 0
	for _, v := range all {
		c, ok := curveNamed(v.Name)
		if !ok {
			t.Run(v.Name, func(t *testing.T) { t.Skip("the vendor names no wallets on this curve") })
			continue
		}
		for _, chain := range v.Chains {
			top, err := Master(c, unhex(t, v.Seed), nil)
			must(t, err)
			n := walk(t, Extended{Node: top}, chain.Path)
			if !bytes.Equal(n.Private, unhex(t, chain.Private)) || !bytes.Equal(n.Chain, unhex(t, chain.Chain)) {
				t.Errorf("%s, %s: private key %x, chain code %x", v.Name, chain.Path, n.Private, n.Chain)
			}
			if got := n.serial(); !bytes.Equal(got, unhex(t, chain.Public)) || !bytes.Equal(n.Parent[:], unhex(t, chain.Fingerprint)) {
				t.Errorf("%s, %s: public key %x, fingerprint %x", v.Name, chain.Path, got, n.Parent)
			}
			derived++
		}
	}
	if derived < 30 {
		t.Errorf("only %d vectors", derived)
	}
}

func curveNamed(name string) (scm.Curve, bool) {
	for suffix, c := range map[string]scm.Curve{"secp256k1": scm.Secp256k1, "nist256p1": scm.P256, "ed25519": scm.Ed25519} {
		if strings.Contains(strings.ToLower(name), suffix) {
			return c, true
		}
	}
	return 0, false
}

func TestBIP39(t *testing.T) {
	var all map[string][][4]string
	vectors(t, "bip39.json", &all)
	if len(all["english"]) < 20 {
		t.Fatalf("only %d vectors", len(all["english"]))
	}
	for _, v := range all["english"] {
		sentence, err := Mnemonic(unhex(t, v[0]))
		if err != nil || sentence != v[1] {
			t.Errorf("%s: %q, %v; want %q", v[0], sentence, err, v[1])
		}
		seed, err := Seed(v[1], "TREZOR")
		if err != nil || !bytes.Equal(seed, unhex(t, v[2])) {
			t.Errorf("%s: seed %x, %v", v[0], seed, err)
		}
		checkMaster(t, seed, v[3])
	}
}

func checkMaster(t *testing.T, seed []byte, want string) {
	t.Helper()
	n, err := Master(scm.Secp256k1, seed, nil)
	must(t, err)
	if got := (Extended{Node: n}).String(); got != want {
		t.Errorf("master of %x: %s, want %s", seed, got, want)
	}
}

func TestSLIP39(t *testing.T) {
	var all [][4]any
	vectors(t, "slip39.json", &all)
	if len(all) < 40 {
		t.Fatalf("only %d vectors", len(all))
	}
	for _, v := range all {
		t.Run(v[0].(string), func(t *testing.T) {
			secret, err := combine(v[1].([]any))
			if want := v[2].(string); want == "" {
				if err == nil {
					t.Errorf("recovers %x", secret)
				}
				return
			} else if err != nil || !bytes.Equal(secret, unhex(t, want)) {
				t.Errorf("recovers %x, %v; want %s", secret, err, want)
			}
			checkMaster(t, secret, v[3].(string))
		})
	}
}

func combine(sentences []any) ([]byte, error) {
	var r Recovery
	for _, sentence := range sentences {
		s, err := ParseShare(sentence.(string))
		if err != nil {
			return nil, err
		}
		if s.String() != sentence.(string) {
			return nil, errors.New("share is written in another way")
		}
		if err := r.Add(s); err != nil {
			return nil, err
		}
	}
	return r.Secret("TREZOR")
}
