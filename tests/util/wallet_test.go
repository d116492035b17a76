// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// wallet is what making one prints.
type wallet struct {
	Name     string
	Slot     int
	Mnemonic string
	Shares   [][]string
}

// child is what deriving a key prints.
type child struct {
	Slot                   int
	Wallet, Address, Curve string
	PublicKey              string `json:"public_key"`
	ChainCode              string `json:"chain_code"`
	Xpub                   string
}

func (x *tool) child(wallet, address string) (c child) {
	x.t.Helper()
	x.parse(&c, "", "wallet", "child", wallet, address)
	return c
}

// abandon is the mnemonic that documents of wallets use, and its account 0 of
// Bitcoin.
const (
	abandon     = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	abandonXpub = "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj"
)

func TestRestoreKnownWallet(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	var w wallet
	x.parse(&w, "  "+strings.ReplaceAll(abandon, " ", "   ")+"\n", "wallet", "restore", "btc")
	if want := (wallet{Name: "btc", Slot: 16}); !reflect.DeepEqual(w, want) {
		t.Errorf("%+v, want %+v", w, want)
	}
	c := x.child("btc", "m/44h/0'/0h")
	if c.Xpub != abandonXpub || c.Address != "m/44'/0'/0'" || c.Slot != 19 || len(c.ChainCode) != 64 {
		t.Errorf("%+v", c)
	}
	// The same once more takes no slot, what is below it takes its steps only.
	if harness.OverVendor() {
		c.ChainCode, c.Xpub = "", "" // the vendor's C API tells the chain code of new keys
		if out := x.scm("wallet", "child", "btc", "m/44'/0'/0'"); !strings.Contains(out, "only when it makes the key") {
			t.Errorf("%s", out)
		}
	}
	if again := x.child("btc", "m/44'/0'/0'"); again != c {
		t.Errorf("%+v, before %+v", again, c)
	}
	below := x.child("btc", "m/44h/0h/0h/0/5")
	if below.Slot != 21 || below.Xpub != "" || below.ChainCode != "" || below.Curve != "secp256k1" {
		t.Errorf("%+v", below)
	}
}

// A wallet of Cardano has the first key that cardano-address tells of the words of SLIP-0014.
func TestRestoreCardano(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.answer(strings.Repeat("all ", 12)+"\n", "wallet", "restore", "ada", "--curve", "ed25519")
	const first = "5d010cf16fdeff40955633d6c565f3844a288a24967cf6b76acbeb271b4f13c1"
	c := x.child("ada", "m/1852h/1815h/0h/0/0")
	if c.PublicKey != first || c.Address != "m/1852'/1815'/0'/0/0" || c.Curve != "ed25519" || c.Slot != 21 {
		t.Errorf("%+v", c)
	}
}

// A key right below the topmost one has no xpub, and a line says why.
func TestNoXpub(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.answer(abandon+"\n", "wallet", "restore", "w")
	out := x.scm("wallet", "child", "w", "m/0h")
	if !strings.Contains(out, "Chain code") || strings.Contains(out, "Extended") || !strings.Contains(out, "does not give away") {
		t.Errorf("%s", out)
	}
}

func TestCreateAndRestore(t *testing.T) {
	t.Parallel()
	x, other := newAnyTool(t, ""), newAnyTool(t, "")
	for _, test := range []struct{ name, flags, input, again string }{
		{"plain words", "", "", ""},
		{"passphrase", "--passphrase", "secret\nsecret\n", "secret\n"},
		{"on nistp256", "--curve nistp256", "", ""},
		{"on ed25519", "--curve ed25519", "", ""},
	} {
		var w wallet
		x.parse(&w, test.input, append([]string{"wallet", "create", test.name}, words(test.flags)...)...)
		if n := len(words(w.Mnemonic)); n != 24 || w.Shares != nil {
			t.Errorf("%s: %d words, %d groups of shares", test.name, n, len(w.Shares))
		}
		other.answer(test.again+w.Mnemonic+"\n", append([]string{"wallet", "restore", test.name}, words(test.flags)...)...)
		mine, theirs := x.child(test.name, "m/1'"), other.child(test.name, "m/1'")
		if mine.PublicKey == "" || mine.PublicKey != theirs.PublicKey {
			t.Errorf("%s: %+v, restored %+v", test.name, mine, theirs)
		}
	}
	if out := x.scm("wallet", "create", "shown"); !strings.Contains(out, "not shown again") {
		t.Errorf("%s", out)
	}
}

// A library that takes passphrases as Base64 makes the keys of one that takes them as
// they are.
func TestPassphraseForm(t *testing.T) {
	t.Parallel()
	key := func(settings string) string {
		x := newAnyTool(t, settings)
		x.answer("TREZOR\n"+abandon+"\n", "wallet", "restore", "w", "--passphrase")
		return x.child("w", "m/0'").PublicKey
	}
	plain := key("")
	if got := key("passphrase_base64 = true\n[zymbit]\npassphrase_base64 = true\n"); got != plain {
		t.Errorf("%s, plain %s", got, plain)
	}
	if got := key("[zymbit]\npassphrase_base64 = true\n"); (got != plain) != harness.OverVendor() {
		t.Errorf("%s where the library does not know Base64, plain %s", got, plain)
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	x, other := newAnyTool(t, ""), newAnyTool(t, "")
	var w wallet
	x.parse(&w, "", words("wallet create w --recovery slip39 --groups 1of1,2of3,3of5 --threshold 2")...)
	if len(w.Shares) != 3 || len(w.Shares[1]) != 3 || len(w.Shares[2]) != 5 || w.Mnemonic != "" {
		t.Fatalf("%+v", w)
	}
	other.answer(w.Shares[1][2]+"\n"+w.Shares[1][0]+"\n"+w.Shares[0][0]+"\n", words("wallet restore w --recovery slip39")...)
	if mine, theirs := x.child("w", "m/0"), other.child("w", "m/0"); mine != theirs {
		t.Errorf("%+v, restored %+v", mine, theirs)
	}
	restore := words("wallet restore v --recovery slip39")
	other.fails(w.Shares[0][0]+"\n", restore, "Share 2")
	other.fails("no share\n", restore, "share 1: share of 2 words: malformed")
	// What was given up leaves no session behind.
	if out := x.scm(words("wallet create text --recovery slip39")...); !strings.Contains(out, "group 1, share 3 of 3: ") {
		t.Errorf("%s", out)
	}
}

func TestWalletList(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	if out := x.scm("wallet", "list"); out != "There are no wallets\n" {
		t.Errorf("%q", out)
	}
	x.scm(words("wallet create a --recovery none")...)
	x.scm(words("wallet create b --recovery none --curve nistp256")...)
	x.scm(words("wallet child a m/0")...)
	type key struct {
		Slot           int
		Address, Curve string
	}
	type row struct {
		Name       string
		MasterSlot int `json:"master_slot"`
		Keys       []key
	}
	var list []row
	x.parse(&list, "", "wallet", "list")
	want := []row{
		{"a", 16, []key{{16, "m", ""}, {18, "m/0", "secp256k1"}}},
		{"b", 17, []key{{17, "m", ""}}},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v, want %+v", list, want)
	}
	if out := x.scm("wallet", "list"); !strings.Contains(out, "a       18    m/0      secp256k1") {
		t.Errorf("%s", out)
	}
}

func TestWalletMistakes(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.scm("wallet", "create", "w")
	for _, test := range []struct {
		input, line string
		part        string
	}{
		{"", "wallet create w", "scm wallet list"},
		{"", "wallet create v --curve x25519", "nistp256, secp256k1 or ed25519"},
		{"", "wallet create v --recovery luck", "bip39, slip39 or none"},
		{"", "wallet create v --recovery slip39 --groups 5of3", "wrong form"},
		{"", "wallet create v --recovery slip39 --groups x", "2of3"},
		{"a\nb\n", "wallet create v --passphrase", "not the same"},
		{"", "wallet restore v --recovery none", "bip39 or slip39"},
		{"no such words\n", "wallet restore v", "malformed"},
		{"", "wallet restore v", "standard input"},
		{"", "wallet child v m/0", "scm wallet list"},
		{"", "wallet child w m", "wallet itself"},
		{"", "wallet child w 0/1", "does not begin with m"},
		{"", "wallet child w m/x", "no index"},
	} {
		x.fails(test.input, words(test.line), test.part)
	}
	if out := x.scm("wallet", "list"); strings.Count(out, "\n") != 2 {
		t.Errorf("the mistakes left something:\n%s", out)
	}
}

// A wallet whose words nobody could read is not kept.
func TestUnreadWords(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no output that takes nothing: %v", err)
	}
	defer full.Close()
	for _, args := range []string{"scm wallet create w", "scm wallet create w --json", "scm wallet create w --recovery slip39"} {
		cmd := x.home.Command(harness.Build(t, "zk_pkcs11-util"), words(args)...)
		cmd.Stdout = full
		if err := cmd.Run(); err == nil {
			t.Errorf("%s ended well", args)
		}
	}
	if out := x.scm("wallet", "list"); out != "There are no wallets\n" {
		t.Errorf("%s", out)
	}
}

// A sealed SCM makes and derives keys for a user who knows the PIN.
func TestSealed(t *testing.T) {
	t.Parallel()
	x := newTool(t, "")
	x.home.Init()
	x.bootFile("kernel", "1")
	x.fails("", words("wallet create w"), "User PIN", "standard input")
	x.fails("00000000\n", words("wallet create w"), "wrong PIN")
	x.answer(harness.UserPIN+"\n", "wallet", "create", "w")
	x.scm("wallet", "child", "w", "m/0", "--pin", harness.UserPIN)
	x.answer(abandon+"\n"+harness.UserPIN+"\n", "wallet", "restore", "v")
	x.answer(harness.UserPIN+"\n", "manifest", "add", "kernel")
	// What needs no private key needs no PIN.
	for _, line := range []string{"status", "slots", "wallet list", "manifest list", "manifest verify", "inject boot"} {
		x.scm(words(line)...)
	}
	for range 10 {
		x.fails("", words("wallet create u --pin 00000000"), "PIN")
	}
	x.fails("", words("wallet create u --pin "+harness.UserPIN), "locked", "SO")
}
