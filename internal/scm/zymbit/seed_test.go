// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"encoding/base64"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

const sentence = "legal winner thank year wave sausage worth useful legal winner thank yellow"

// TestSeeds makes wallets over the library itself, each way, and restores them.
func TestSeeds(t *testing.T) {
	d := openOwn(t, ownLibrary(t))
	for _, test := range []struct {
		seed scm.WalletSeed
		hard bool
	}{
		{scm.WalletSeed{Curve: scm.P256, Name: "p256"}, false},
		{scm.WalletSeed{Curve: scm.Secp256k1, Name: "secp256k1", Passphrase: "more"}, false},
		{scm.WalletSeed{Curve: scm.Secp256k1, Name: "generator", GeneratorKey: []byte{0, 1, 2}}, true},
		{scm.WalletSeed{Curve: scm.Ed25519, Variant: scm.VariantCardano, Name: "ed25519"}, true},
	} {
		master, words, err := d.GenerateSeedBIP39(test.seed)
		if n := len(strings.Fields(words)); err != nil || n != 24 {
			t.Fatalf("%s: %d words, %v", test.seed.Name, n, err)
		}
		made := mustChild(t, d, master, 7, test.hard)
		if made.Curve != test.seed.Curve {
			t.Errorf("%s: a child on %s", test.seed.Name, made.Curve)
		}
		test.seed.Name += " again"
		again, err := d.RestoreBIP39(test.seed, words)
		if err != nil {
			t.Fatal(err)
		}
		if restored := mustChild(t, d, again, 7, test.hard); string(restored.Public) != string(made.Public) {
			t.Errorf("%s: another key", test.seed.Name)
		}
	}
	if _, err := d.GenerateSeed(scm.WalletSeed{Name: "nobody's"}); err != nil {
		t.Error(err)
	}
}

func mustChild(t *testing.T, d *Device, parent scm.Slot, index uint32, hard bool) scm.Key {
	t.Helper()
	s, chain, err := d.ChildKey(parent, scm.Child{Index: index, Hardened: hard})
	if err != nil || (len(chain) == 32) != hard {
		t.Fatalf("chain code of %d bytes, %v", len(chain), err)
	}
	k, err := d.PublicKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSeedErrors(t *testing.T) {
	f := newFake(t)
	d := f.device()
	mustPlant(t, f, "taken")
	for name, test := range map[string]struct {
		seed  scm.WalletSeed
		words string
		want  error
	}{
		"taken name":    {scm.WalletSeed{Name: "taken"}, sentence, scm.ErrName},
		"no name":       {scm.WalletSeed{}, sentence, scm.ErrInput},
		"strange name":  {scm.WalletSeed{Name: "a\x00b"}, sentence, scm.ErrInput},
		"no variant":    {scm.WalletSeed{Name: "w", Curve: scm.Ed25519}, sentence, scm.ErrInput},
		"a variant":     {scm.WalletSeed{Name: "w", Variant: scm.VariantCardano}, sentence, scm.ErrInput},
		"X25519":        {scm.WalletSeed{Name: "w", Curve: scm.X25519}, sentence, scm.ErrCurve},
		"cut words":     {scm.WalletSeed{Name: "w"}, sentence + "\x00", scm.ErrInput},
		"passphrase":    {scm.WalletSeed{Name: "w", Passphrase: "a\x00b"}, sentence, scm.ErrInput},
		"refused words": {scm.WalletSeed{Name: "w"}, "no such words", scm.ErrDevice},
	} {
		_, err := d.RestoreBIP39(test.seed, test.words)
		t.Run(name, func(t *testing.T) { wantError(t, err, test.want) })
	}
	if slots, err := f.Slots(); err != nil || len(slots) != scm.PermanentSlots+1 {
		t.Errorf("the errors left something: %v, %v", slots, err)
	}
	f.failures = []error{nil, errTimeout}
	_, err := d.GenerateSeed(scm.WalletSeed{Name: "w"})
	wantError(t, err, scm.ErrTimeout)
}

// TestSeedIsMadeOnce: making a wallet is not repeated, and one whose words nobody has
// is not kept.
func TestSeedIsMadeOnce(t *testing.T) {
	f := newFake(t)
	d := f.device()
	f.failures = []error{nil, nil, errTimeout} // slots, nodeSlot, newSeed
	_, err := d.GenerateSeed(scm.WalletSeed{Name: "w"})
	wantError(t, err, scm.ErrTimeout)
	if len(f.seeds) != 1 {
		t.Errorf("made %d times", len(f.seeds))
	}
	f.wordless = true
	_, _, err = d.GenerateSeedBIP39(scm.WalletSeed{Name: "w"})
	wantError(t, err, scm.ErrDevice)
	if slots, err := f.Slots(); err != nil || len(slots) != scm.PermanentSlots {
		t.Errorf("a wallet without words is kept: %v, %v", slots, err)
	}
}

func TestPassphraseForm(t *testing.T) {
	const text = "a passphrase"
	for _, base := range []bool{false, true} {
		f := newFake(t)
		d := f.device(func(o *Options) { o.PassphraseBase64 = base })
		if _, err := d.GenerateSeed(scm.WalletSeed{Name: "w", Passphrase: text}); err != nil {
			t.Fatal(err)
		}
		want := text
		if base {
			want = base64.StdEncoding.EncodeToString([]byte(text))
		}
		if got := f.seeds[0].Passphrase; got != want {
			t.Errorf("Base64 %v: %q", base, got)
		}
	}
}

// TestWalletsOverOldLibrary: an error names the function that is not there, before the
// module is asked anything.
func TestWalletsOverOldLibrary(t *testing.T) {
	f := newFake(t)
	d := f.device()
	w := scm.WalletSeed{Name: "w"}
	for _, test := range []struct {
		lacks string
		do    func() error
	}{
		{seedMake, func() error { _, err := d.GenerateSeed(w); return err }},
		{seedMake, func() error { _, _, err := d.GenerateSeedBIP39(w); return err }},
		{seedRestore, func() error { _, err := d.RestoreBIP39(w, sentence); return err }},
		{childMake, func() error { _, _, err := d.ChildKey(scm.FirstUser, scm.Child{}); return err }},
		{nodeOfSlot, func() error { _, _, err := d.ChildKey(scm.FirstUser, scm.Child{}); return err }},
		{slotOfNode, func() error { _, err := d.SlotOfNode("m", "w", -1); return err }},
		{sharesBegin, func() error { return d.BeginSLIP39(w, 1, 1, 0) }},
		{sharesMember, func() error { return d.BeginSLIP39(w, 1, 1, 0) }},
		{sharesGroup, func() error { return d.BeginSLIP39(w, 1, 1, 0) }},
		{sharesRestore, func() error { return d.BeginRestoreSLIP39(w) }},
		{sharesAdd, func() error { return d.BeginRestoreSLIP39(w) }},
		{sharesCancel, func() error { return d.CancelSLIP39() }},
	} {
		d.missing = []string{test.lacks}
		var err error
		calls := f.count(func() { err = test.do() })
		wantError(t, err, scm.ErrAbility)
		if calls != 0 || !strings.Contains(err.Error(), test.lacks) {
			t.Errorf("%d calls, and %v does not tell of %s", calls, err, test.lacks)
		}
	}
}
