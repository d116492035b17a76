// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// numberOf is the number that SLIP-0023 writes in base 10, as a private key has it.
func numberOf(t *testing.T, decimal string) []byte {
	t.Helper()
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		t.Fatalf("%q is no number", decimal)
	}
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

// TestSLIP23 has the test vectors of SLIP-0023.
func TestSLIP23(t *testing.T) {
	for _, v := range []struct{ seed, left, right, public, chain string }{
		{
			"578d685d20b602683dc5171df411d3e2",
			"38096432269777187972282727382530464140043628323029465813805073381215192153792",
			"4064253ffefc4127489bce1b825a47329010c5afb4d21154ef949ef786204405",
			"83e3ecaf57f90f022c45e10d1b8cb78499c30819515ad9a81ad82139fdb12a90",
			"22c12755afdd192742613b3062069390743ea232bc1b366c8f41e37292af9305",
		},
		{
			"a055b781aac0c9dc1bfb7d803bc8ffd5d4392e506db2e4a5a93f0aba958c5be7",
			"35870817594148037193235249761081259065186522922583196642112477624627719791504",
			"f9d99bf3cd9c7e12663e8646afa40cb3aecf15d91f2abc15d21056c6bccb3414",
			"eea170f0ef97b59d22907cb429888029721ed67d3e7a1b56b81731086ab7db64",
			"04f1de750b62725fcc1ae1b93ca4063acb53c486b959cadaa100ebd7828e5460",
		},
	} {
		n := MasterCardano(unhex(t, v.seed), nil)
		want := Node{scm.Ed25519, append(numberOf(t, v.left), unhex(t, v.right)...), unhex(t, v.public), unhex(t, v.chain)}
		checkNode(t, v.seed, n, want)
	}
}

func checkNode(t *testing.T, what string, got, want Node) {
	t.Helper()
	if !bytes.Equal(got.Private, want.Private) || !bytes.Equal(got.Public, want.Public) || !bytes.Equal(got.Chain, want.Chain) {
		t.Errorf("%s: %+x, want %+x", what, got, want)
	}
}

// The sentences of the vectors below.
var (
	ring = "ring crime symptom enough erupt lady behave ramp apart settle citizen junk"
	all  = strings.TrimSpace(strings.Repeat("all ", 12)) // that of SLIP-0014
)

// TestIcarus has what other programs derive: the first ones are the tests of trezor-crypto, the
// last two the keys of SLIP-0014 by cardano-address, one of them at the vendor's example.
func TestIcarus(t *testing.T) {
	for _, v := range []struct{ sentence, address, private, public, chain string }{
		{
			ring, "m",
			"08a14df748e477a69d21c97c56db151fc19e2521f31dd0ac5360f269e5b6ea46daeb991f2d2128e2525415c56a07f4366baa26c1e48572a5e073934b6de35fbc",
			"9a1d04808b4c0682816961cf666e82a7fd35949658aba5354c517eccf12aacb4",
			"affbc325d9027c0f2d9f925b1dcf6c12bf5c1dd08904474066a4f2c00db56173",
		},
		{
			ring, "m/0'/1'/2'/2'/1000000000'",
			"488f34840bba516f7920f91676b8681d0dd833b4ce14468e0810b255f9b6ea4601eccef768a79859f824a1d3c3e35e131184e2940c3fca9a4c9b307741f65363",
			"148605be54585773b44ba87e79265149ae444c4cc37cb1f8db8c08482fba293b",
			"ff77c08d37471c1d4cedd3fae2642c009324d9712492efc74dedab09c9bf973c",
		},
		{
			all, "m",
			"78fe04891cbda885b3ee9b7a60bb5991c3209b07f16324c2d68cb9c7c328ed512a18cdf9b5c0fa98e7d620ae9d851a58aca7e4e0ab46f607c03e78498b345b1b",
			"80def65319d69eb65c59d6a67b18b27f03c9c005f5499f75bdb8ac5ba4b5104b",
			"7c0b5c44c1ddb9049bfcaf4ec5d73236392321c69979bbcff1f7c1b6d74c9c5a",
		},
		{
			all, "m/1852'/1815'/0'/0/0",
			"286821b9f84458fe1644723e9f0bc6ee75d71efff96512168a3f62cbdc28ed519e5976fcff6ac1801e04ca66051584abbcef38f16a411763af8c3dc14a9727d5",
			"5d010cf16fdeff40955633d6c565f3844a288a24967cf6b76acbeb271b4f13c1",
			"f123474e140a2c360b01f0fa66f2f22e2e965a5b07a80358cf75f77abbd66088",
		},
	} {
		n, err := MasterIcarus(v.sentence, "")
		must(t, err)
		want := Node{scm.Ed25519, unhex(t, v.private), unhex(t, v.public), unhex(t, v.chain)}
		checkNode(t, v.address, below(t, n, v.address), want)
	}
}

// below returns the node at an address below the topmost one.
func below(t *testing.T, n Node, address string) Node {
	t.Helper()
	indices, err := ParseAddress(address)
	must(t, err)
	for _, i := range indices {
		n, err = n.Child(i)
		must(t, err)
	}
	return n
}

// TestIcarusErrors has passphrases make other trees, and no tree of what is no sentence.
func TestIcarusErrors(t *testing.T) {
	plain, err := MasterIcarus(ring, "")
	must(t, err)
	other, err := MasterIcarus(ring, "TREZOR")
	must(t, err)
	if bytes.Equal(plain.Public, other.Public) {
		t.Error("a passphrase makes no other tree")
	}
	_, err = MasterIcarus(ring+" junk", "")
	wantError(t, "13 words", err, ErrMnemonic)
	_, err = MasterIcarus(strings.Replace(ring, "junk", "ring", 1), "")
	wantError(t, "checksum", err, ErrMnemonic)
}

// TestPublicCardano derives public keys by themselves, as an oversight wallet does.
func TestPublicCardano(t *testing.T) {
	parent := MasterCardano([]byte("a seed of this test"), nil)
	_, err := parent.Neuter().Child(Hardened)
	wantError(t, "hardened child of a public key", err, ErrHardened)
	for index := range uint32(32) {
		a, err := parent.Child(index)
		must(t, err)
		b, err := parent.Neuter().Child(index)
		must(t, err)
		a.Private = b.Private // nil
		checkNode(t, "public child", b, a)
		parent, err = parent.Child(index)
		must(t, err)
	}
	_, err = Node{Curve: scm.Ed25519, Public: make([]byte, 31), Chain: make([]byte, 32)}.Child(1)
	wantError(t, "child of no point", err, ErrKey)
}
