// SPDX-License-Identifier: Apache-2.0

package wallet_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// The wallet of SLIP-0014 on Cardano: the words, the public key at m/1852'/1815'/0'/0/0 by
// cardano-address, and the signature that cardano-cli made with it over a transaction's hash.
var (
	everyWord = strings.TrimSpace(strings.Repeat("all ", 12))
	payment   = "5d010cf16fdeff40955633d6c565f3844a288a24967cf6b76acbeb271b4f13c1"
	hashed    = "bb1eb401cd03b0cd8caa08997df0a2ab226772c4d3a08adfb5a60ba34de12dfb"
	witness   = "e6766adf71231ec80faddbe12dcea623fd6bc31982cdbc69e90fb8c4dd937d4cdc87c2d3287a1c62be928a4ec01b970099410301adba27ca20fee0c08f68e50a"
)

// descend derives the key at the end of an address below a slot.
func descend(t *testing.T, d *wallet.Device, from scm.Slot, address string) (k scm.Key, chain []byte) {
	t.Helper()
	indices, err := hd.ParseAddress(address)
	check(t, err)
	k.Slot = from
	for _, i := range indices {
		k, chain = child(t, d, k.Slot, i&^hd.Hardened, i >= hd.Hardened)
	}
	return k, chain
}

// TestCardano restores a wallet that other programs have, at the vendor's example address, and
// watches it from m/1852'/1815'/0'.
func TestCardano(t *testing.T) {
	d, watcher := open(t, t.TempDir(), options), open(t, t.TempDir(), options)
	top, err := d.RestoreBIP39(seedOf(scm.Ed25519, "ada"), everyWord)
	check(t, err)
	account, chain := descend(t, d, top, "m/1852'/1815'/0'")
	k, _ := descend(t, d, account.Slot, "m/0/0")
	if !bytes.Equal(k.Public, unhex(t, payment)) {
		t.Errorf("public key %x, want %s", k.Public, payment)
	}
	checkNode(t, d, k.Slot, "m/1852'/1815'/0'/0/0", "ada", top)
	signature, err := d.Sign(k.Slot, unhex(t, hashed))
	if err != nil || !bytes.Equal(signature, unhex(t, witness)) {
		t.Errorf("signature %x, %v; want %s", signature, err, witness)
	}
	s, err := watcher.OversightWallet(seedOf(scm.Ed25519, "watch"), account.Public, chain, "m/1852'/1815'/0'")
	check(t, err)
	watched, _ := descend(t, watcher, s, "m/0/0")
	if !bytes.Equal(watched.Public, k.Public) {
		t.Errorf("watched public key %x, want %x", watched.Public, k.Public)
	}
}

// TestCardanoReboot signs with a key of a wallet that was read from the flash, after the root
// key was exchanged.
func TestCardanoReboot(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	top, err := d.RestoreBIP39(seedOf(scm.Ed25519, "ada"), everyWord)
	check(t, err)
	k, _ := descend(t, d, top, "m/1852'/1815'/0'/0/0")
	check(t, seal(d, []byte("secret")))
	other := open(t, dir, options)
	check(t, other.Unseal([]byte("secret")))
	signature, err := other.Sign(k.Slot, unhex(t, hashed))
	if err != nil || !ed25519.Verify(k.Public, unhex(t, hashed), signature) {
		t.Errorf("signature %x, %v", signature, err)
	}
	checkSigns(t, other, k)
}

// TestOlderEd25519 goes on with a wallet of version 0.1.0, which derived by SLIP-0010.
func TestOlderEd25519(t *testing.T) {
	d := open(t, t.TempDir(), options)
	n, err := hd.Master(scm.Ed25519, unhex(t, seedOfSentence), nil)
	check(t, err)
	top, err := d.AddTop(soft.Node{
		Key: scm.Key{Curve: scm.Ed25519, Public: n.Public}, Private: n.Private, Chain: n.Chain, Address: hd.Top,
	}, "older")
	check(t, err)
	k, _ := child(t, d, top, 7, true)
	n, err = n.Child(hd.Hardened + 7)
	if err != nil || !bytes.Equal(n.Public, k.Public) {
		t.Errorf("child %x, %v; want %x", k.Public, err, n.Public)
	}
	checkSigns(t, d, k)
	_, _, err = d.ChildKey(top, scm.Child{Index: 1})
	wantError(t, "child that is not hardened", err, scm.ErrCurve)
}
