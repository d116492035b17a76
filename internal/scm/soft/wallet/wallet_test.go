// SPDX-License-Identifier: Apache-2.0

package wallet_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/scm/soft/wallet"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// sentence is a mnemonic of the BIP39 test vectors, of 32 zero bytes; its seed with
// the passphrase TREZOR follows.
const (
	sentence = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " +
		"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"
	seedOfSentence = "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8"
)

func seedOf(c scm.Curve, name string) scm.WalletSeed {
	w := scm.WalletSeed{Curve: c, Name: name}
	if c == scm.Ed25519 {
		w.Variant = "cardano"
	}
	return w
}

var walletCurves = []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519}

// checkSigns checks one signature by the key in a slot.
func checkSigns(t *testing.T, d *wallet.Device, k scm.Key) {
	t.Helper()
	digest := bytes.Repeat([]byte{3}, 32)
	sig, err := d.Sign(k.Slot, digest)
	if err == nil {
		err = scmtest.Verify(k, digest, sig)
	}
	if err != nil {
		t.Errorf("slot %d: %v", k.Slot, err)
	}
}

// child derives a key and returns it.
func child(t *testing.T, d *wallet.Device, parent scm.Slot, index uint32, hardened bool) (scm.Key, []byte) {
	t.Helper()
	s, chain, err := d.ChildKey(parent, scm.Child{Index: index, Hardened: hardened})
	check(t, err)
	k, err := d.PublicKey(s)
	check(t, err)
	return k, chain
}

// TestWallet restores a wallet, and holds its keys against those that package hd
// derives from the same seed.
func TestWallet(t *testing.T) {
	for _, c := range walletCurves {
		t.Run(c.String(), func(t *testing.T) {
			dir := t.TempDir()
			d, other := open(t, dir, options), open(t, dir, options)
			w := seedOf(c, "my wallet")
			w.Passphrase = "TREZOR"
			top, err := d.RestoreBIP39(w, sentence)
			if err != nil || top != scm.FirstUser {
				t.Fatalf("RestoreBIP39: slot %d, %v", top, err)
			}
			_, err = other.PublicKey(top)
			wantError(t, "PublicKey of the topmost key", err, scm.ErrExport)
			want := topOf(t, c)
			parent, address := top, "m"
			for _, index := range []uint32{44, 0, 7} {
				want, err = want.Child(hd.Hardened + index)
				check(t, err)
				k, chain := child(t, d, parent, index, true)
				if !bytes.Equal(k.Public, want.Public) || !bytes.Equal(chain, want.Chain) {
					t.Errorf("child %d is %x, chain code %x; want %x, %x", index, k.Public, chain, want.Public, want.Chain)
				}
				checkSigns(t, other, k)
				parent, address = k.Slot, fmt.Sprintf("%s/%d'", address, index)
				checkNode(t, other, k.Slot, address, "my wallet", top)
			}
			check(t, seal(d, []byte("secret")))
			k, chain := child(t, d, parent, 5, true)
			want, err = want.Child(hd.Hardened + 5)
			if err != nil || !bytes.Equal(k.Public, want.Public) || !bytes.Equal(chain, want.Chain) {
				t.Errorf("child of a sealed key: %x, %v; want %x", k.Public, err, want.Public)
			}
		})
	}
}

// topOf is the topmost key of the wallet of sentence, with the passphrase TREZOR.
func topOf(t *testing.T, c scm.Curve) (n hd.Node) {
	t.Helper()
	var err error
	if c == scm.Ed25519 {
		n, err = hd.MasterIcarus(sentence, "TREZOR")
	} else {
		n, err = hd.Master(c, unhex(t, seedOfSentence), nil)
	}
	check(t, err)
	return n
}

// checkNode checks both directions between slots and addresses.
func checkNode(t *testing.T, d *wallet.Device, s scm.Slot, address, wallet string, top scm.Slot) {
	t.Helper()
	a, w, m, err := d.NodeAddress(s)
	if err != nil || a != address || w != wallet || m != top {
		t.Errorf("NodeAddress(%d) = %q, %q, %d, %v; want %q, %q, %d", s, a, w, m, err, address, wallet, top)
	}
	if got, err := d.SlotOfNode(address, wallet, -1); err != nil || got != s {
		t.Errorf("SlotOfNode by name = %d, %v; want %d", got, err, s)
	}
	if got, err := d.SlotOfNode(address, "", top); err != nil || got != s {
		t.Errorf("SlotOfNode by slot = %d, %v; want %d", got, err, s)
	}
}

// TestPlainChildren derives children without hardening, twice.
func TestPlainChildren(t *testing.T) {
	d := open(t, t.TempDir(), options)
	for _, c := range walletCurves {
		top, err := d.GenerateSeed(seedOf(c, c.String()))
		check(t, err)
		a, chain := child(t, d, top, 3, false)
		if chain != nil {
			t.Error("the chain code of a plain child is given away")
		}
		again, _ := child(t, d, top, 3, false)
		hardened, _ := child(t, d, top, 3, true)
		if again.Slot != a.Slot || hardened.Slot == a.Slot || bytes.Equal(hardened.Public, a.Public) {
			t.Errorf("children in slots %d, %d, %d", a.Slot, again.Slot, hardened.Slot)
		}
		checkSigns(t, d, a)
	}
}

func TestRemoveWallet(t *testing.T) {
	d := open(t, t.TempDir(), options)
	top, err := d.GenerateSeed(seedOf(scm.P256, "w"))
	check(t, err)
	a, _ := child(t, d, top, 0, true)
	b, _ := child(t, d, a.Slot, 0, false)
	c, _ := child(t, d, b.Slot, 1, false)
	sibling, _ := child(t, d, a.Slot, 1, false)
	check(t, d.Remove(b))
	slots, err := d.Slots()
	check(t, err)
	if slices.Contains(slots, b.Slot) || slices.Contains(slots, c.Slot) || !slices.Contains(slots, sibling.Slot) {
		t.Errorf("slots %v after Remove of %d", slots, b.Slot)
	}
	check(t, d.Remove(scm.Key{Slot: top}))
	if slots, err = d.Slots(); err != nil || len(slots) != scm.PermanentSlots {
		t.Errorf("slots %v, %v after Remove of the wallet", slots, err)
	}
	again, err := d.GenerateSeed(seedOf(scm.P256, "w"))
	if err != nil || again != top {
		t.Errorf("GenerateSeed with the name of a removed wallet: slot %d, %v", again, err)
	}
}

// TestMnemonic makes a wallet with a mnemonic, and the same wallet from it.
func TestMnemonic(t *testing.T) {
	for _, c := range walletCurves {
		d := open(t, t.TempDir(), options)
		w := seedOf(c, "first")
		w.Passphrase, w.GeneratorKey = "passphrase", []byte("generator")
		first, mnemonic, err := d.GenerateSeedBIP39(w)
		check(t, err)
		a, _ := child(t, d, first, 1, true)
		for _, test := range []struct {
			passphrase, generator string
			same                  bool
		}{
			{"passphrase", "generator", true}, {"other", "generator", false}, {"passphrase", "", false},
		} {
			w.Name += "+"
			w.Passphrase, w.GeneratorKey = test.passphrase, []byte(test.generator)
			s, err := d.RestoreBIP39(w, mnemonic)
			check(t, err)
			b, _ := child(t, d, s, 1, true)
			if bytes.Equal(a.Public, b.Public) != test.same {
				t.Errorf("%s: %+v: restored key %x, first %x", c, test, b.Public, a.Public)
			}
		}
	}
}

// TestGenerators has both readings of the generator key.
func TestGenerators(t *testing.T) {
	seed := unhex(t, seedOfSentence)
	for generator, want := range map[string]func() (hd.Node, error){
		settings.GeneratorKeyed:    func() (hd.Node, error) { return hd.Master(scm.P256, seed, []byte("key")) },
		settings.GeneratorAppended: func() (hd.Node, error) { return hd.Master(scm.P256, append(seed, "key"...), nil) },
	} {
		d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{Generator: generator}})
		top, err := d.RestoreBIP39(scm.WalletSeed{Name: "w", Passphrase: "TREZOR", GeneratorKey: []byte("key")}, sentence)
		check(t, err)
		got, _ := child(t, d, top, 0, true)
		n, err := want()
		check(t, err)
		n, err = n.Child(hd.Hardened)
		if err != nil || !bytes.Equal(n.Public, got.Public) {
			t.Errorf("%s: %x, %v; want %x", generator, got.Public, err, n.Public)
		}
	}
}

func TestOversight(t *testing.T) {
	for _, c := range walletCurves {
		d, watcher := open(t, t.TempDir(), options), open(t, t.TempDir(), options)
		top, err := d.GenerateSeed(seedOf(c, "w"))
		check(t, err)
		account, chain := child(t, d, top, 44, true)
		s, err := watcher.OversightWallet(seedOf(c, "watch"), account.Public, chain, "m/44'")
		check(t, err)
		checkNode(t, watcher, s, "m/44'", "watch", s)
		if k, err := watcher.PublicKey(s); err != nil || !bytes.Equal(k.Public, account.Public) {
			t.Errorf("PublicKey: %v, %v", k, err)
		}
		a, _ := child(t, d, account.Slot, 0, false)
		b, _ := child(t, watcher, s, 0, false)
		deepA, _ := child(t, d, a.Slot, 9, false)
		deepB, _ := child(t, watcher, b.Slot, 9, false)
		if !bytes.Equal(a.Public, b.Public) || !bytes.Equal(deepA.Public, deepB.Public) {
			t.Errorf("%s: watched keys differ", c)
		}
		checkNode(t, watcher, deepB.Slot, "m/44'/0/9", "watch", s)
		_, err = watcher.Sign(b.Slot, make([]byte, 32))
		wantError(t, "Sign", err, scm.ErrAbility)
		_, _, err = watcher.ChildKey(s, scm.Child{Hardened: true})
		wantError(t, "hardened ChildKey", err, scm.ErrAbility)
	}
}

func TestWalletErrors(t *testing.T) {
	d := open(t, t.TempDir(), options)
	top, err := d.GenerateSeed(seedOf(scm.Ed25519, "taken"))
	check(t, err)
	public, err := d.PublicKey(0)
	check(t, err)
	long := string(bytes.Repeat([]byte{'x'}, 65))
	for _, test := range []struct {
		name string
		seed scm.WalletSeed
		want error
	}{
		{"taken name", scm.WalletSeed{Name: "taken"}, scm.ErrName},
		{"no name", scm.WalletSeed{}, scm.ErrInput},
		{"long name", scm.WalletSeed{Name: long}, scm.ErrInput},
		{"name with control characters", scm.WalletSeed{Name: "a\n"}, scm.ErrInput},
		{"name that is not ASCII", scm.WalletSeed{Name: "é"}, scm.ErrInput},
		{"variant", scm.WalletSeed{Name: "w", Variant: "cardano"}, scm.ErrInput},
		{"no variant", scm.WalletSeed{Name: "w", Curve: scm.Ed25519}, scm.ErrInput},
		{"X25519", scm.WalletSeed{Name: "w", Curve: scm.X25519}, scm.ErrCurve},
		{"curve", scm.WalletSeed{Name: "w", Curve: 9}, scm.ErrCurve},
	} {
		_, err := d.GenerateSeed(test.seed)
		wantError(t, test.name, err, test.want)
		_, _, err = d.GenerateSeedBIP39(test.seed)
		wantError(t, test.name, err, test.want)
		_, err = d.RestoreBIP39(test.seed, sentence)
		wantError(t, test.name, err, test.want)
		_, err = d.OversightWallet(test.seed, public.Public, make([]byte, 32), "m")
		wantError(t, test.name, err, test.want)
		if test.want != scm.ErrName { // that shows with the last share only
			wantError(t, test.name, d.BeginSLIP39(test.seed, 1, 1, 0), test.want)
			wantError(t, test.name, d.BeginRestoreSLIP39(test.seed), test.want)
		}
	}
	w := scm.WalletSeed{Name: "w"}
	_, err = d.RestoreBIP39(w, sentence+" art")
	wantError(t, "mnemonic", err, scm.ErrInput)
	_, err = d.OversightWallet(w, public.Public[1:], make([]byte, 32), "m")
	wantError(t, "public key", err, scm.ErrInput)
	_, err = d.OversightWallet(w, public.Public, make([]byte, 31), "m")
	wantError(t, "chain code", err, scm.ErrInput)
	_, err = d.OversightWallet(w, public.Public, make([]byte, 32), "44'")
	wantError(t, "address", err, scm.ErrInput)
	_, err = d.OversightWallet(seedOf(scm.Ed25519, "w"), public.Public, make([]byte, 32), "m")
	wantError(t, "public key of another curve", err, scm.ErrInput)
	checkNodeErrors(t, d, top)
}

func checkNodeErrors(t *testing.T, d *wallet.Device, top scm.Slot) {
	t.Helper()
	for _, test := range []struct {
		name   string
		parent scm.Slot
		index  uint32
		want   error
	}{
		{"great index", top, 1 << 31, scm.ErrInput},
		{"no wallet", 0, 1, scm.ErrInput},
		{"empty slot", top + 1, 1, scm.ErrSlotEmpty},
		{"no slot", 528, 1, scm.ErrSlotRange},
	} {
		_, _, err := d.ChildKey(test.parent, scm.Child{Index: test.index})
		wantError(t, test.name, err, test.want)
	}
	_, _, _, err := d.NodeAddress(3)
	wantError(t, "NodeAddress", err, scm.ErrInput)
	for _, test := range []struct {
		address, wallet string
		master          scm.Slot
		want            error
	}{
		{"m/1", "taken", -1, scm.ErrSlotEmpty},
		{"m", "other", -1, scm.ErrSlotEmpty},
		{"m", "", 0, scm.ErrSlotEmpty},
		{"m", "", -1, scm.ErrInput},
		{"x", "taken", -1, scm.ErrInput},
	} {
		_, err := d.SlotOfNode(test.address, test.wallet, test.master)
		wantError(t, "SlotOfNode", err, test.want)
	}
}

func TestWalletFull(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{UserSlots: 2}})
	top, err := d.GenerateSeed(seedOf(scm.P256, "w"))
	check(t, err)
	child(t, d, top, 0, false)
	_, _, err = d.ChildKey(top, scm.Child{Index: 1})
	wantError(t, "ChildKey", err, scm.ErrFull)
	child(t, d, top, 0, false)
}

// TestSlowRemoval removes a wallet that takes longer than the host waits.
func TestSlowRemoval(t *testing.T) {
	for _, slow := range []bool{false, true} {
		o := soft.Options{Group: -1}
		if slow {
			o.Firmware = "00.00.34beta"
		}
		d := open(t, t.TempDir(), o)
		top, err := d.GenerateSeed(seedOf(scm.P256, "w"))
		check(t, err)
		for i := range uint32(20) {
			child(t, d, top, i, false)
		}
		want := scm.ErrTimeout
		if !slow {
			want = nil
		}
		wantError(t, "Remove", d.Remove(scm.Key{Slot: top}), want)
		wantError(t, "second Remove", d.Remove(scm.Key{Slot: top}), scm.ErrSlotEmpty)
	}
}

// TestWalletOutlastsBoot checks that firmware which loses generated keys keeps those
// of wallets.
func TestWalletOutlastsBoot(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{Firmware: "01.02.02release"}})
	top, err := d.GenerateSeed(seedOf(scm.P256, "w"))
	check(t, err)
	k, _ := child(t, d, top, 0, false)
	lost := generate(t, d, scm.P256)
	r, err := d.Boot()
	if err != nil || !slices.Equal(r.LostKeys, []scm.Slot{lost.Slot}) {
		t.Errorf("Boot: %+v, %v", r, err)
	}
	checkSigns(t, d, k)
}
