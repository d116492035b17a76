// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// TestSecp256k1Nonce compares signatures by RFC 6979 with those of the library, which
// gives the lower s only.
func TestSecp256k1Nonce(t *testing.T) {
	const secret = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
	key := mustParse(t, scm.Secp256k1, secret)
	plain := secp256k1.PrivKeyFromBytes(unhex(t, secret))
	for i := range 64 {
		digest := sha256.Sum256([]byte{byte(i)})
		got, err := key.signMessage(settings.NonceRFC6979, digest[:])
		must(t, err)
		want := ecdsa.Sign(plain, digest[:])
		r, s, lower := want.R(), want.S(), scalar(got[32:])
		if lower.IsOverHalfOrder() {
			lower.Negate()
		}
		if r := r.Bytes(); !bytes.Equal(got[:32], r[:]) || !lower.Equals(&s) {
			t.Errorf("digest %d: %x, want r %x and s %v or its negative", i, got, r, s)
		}
	}
}

func scalar(b []byte) *secp256k1.ModNScalar {
	s := new(secp256k1.ModNScalar)
	s.SetByteSlice(b)
	return s
}

// TestNonces signs one digest with every kind of key, as programs do that sign again
// until a signature suits them: with random nonces they come to an end.
func TestNonces(t *testing.T) {
	for setting, random := range map[string]bool{"": true, settings.NonceRandom: true, settings.NonceRFC6979: false} {
		b := newBench(t, Options{Settings: Settings{Nonce: setting, EphemeralSigns: true}})
		for name, slot := range b.ecdsaKeys() {
			first, high := b.signature(slot), 0
			differ := false
			for range 64 {
				sig := b.signature(slot)
				differ = differ || !bytes.Equal(sig, first)
				if sig[32] >= 0x80 {
					high++
				}
			}
			if differ != random {
				t.Errorf("%q, %s: signatures differ: %v, want %v", setting, name, differ, random)
			}
			if random && (high == 0 || high == 64) {
				t.Errorf("%q, %s: %d of 64 signatures have a high s", setting, name, high)
			}
		}
	}
}

// ecdsaKeys returns slots with an ECDSA key of every kind.
func (b *bench) ecdsaKeys() map[string]scm.Slot {
	b.t.Helper()
	slots := map[string]scm.Slot{"permanent": 0, "ephemeral": scm.EphemeralSlot}
	must(b.t, b.d.GenerateEphemeral(scm.P256))
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1} {
		k, err := b.d.Generate(c)
		must(b.t, err)
		slots["user "+c.String()] = k.Slot
		k, err = b.d.GenerateVolatile(c)
		must(b.t, err)
		slots["session "+c.String()] = k.Slot
		top, err := b.d.addWallet(c)
		must(b.t, err)
		slots["wallet "+c.String()] = top
		child, err := b.d.addChild(top)
		must(b.t, err)
		slots["child "+c.String()] = child
	}
	return slots
}

// signature signs a digest that is always the same, and checks the signature.
func (b *bench) signature(s scm.Slot) []byte {
	b.t.Helper()
	digest := sha256.Sum256([]byte("again and again"))
	sig, err := b.d.Sign(s, digest[:])
	must(b.t, err)
	k, err := b.d.private(s)
	must(b.t, err)
	pub := scm.Key{Curve: k.curve, Public: k.public}
	must(b.t, scmtest.Verify(pub, digest[:], sig))
	return sig
}
