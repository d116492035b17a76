// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

// TestEphemeral uses the one ephemeral key from two devices, as from two
// processes, and across sealing.
func TestEphemeral(t *testing.T) {
	dir := t.TempDir()
	d, other := open(t, dir, options), open(t, dir, options)
	_, err := d.Agree(scm.EphemeralSlot, make([]byte, 64))
	wantError(t, "Agree with nothing there", err, scm.ErrSlotEmpty)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.X25519} {
		check(t, d.GenerateEphemeral(c))
		mine, err := other.PublicKey(scm.EphemeralSlot)
		check(t, err)
		peer := generate(t, d, c)
		a, err := other.Agree(scm.EphemeralSlot, peer.Public)
		check(t, err)
		b, err := d.Agree(peer.Slot, mine.Public)
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: secrets %x and %x, %v", c, a, b, err)
		}
	}
	keys, err := d.Keys()
	check(t, err)
	if keys[0].Slot != 0 {
		t.Errorf("Keys lists slot %d", keys[0].Slot)
	}
	_, err = d.Sign(scm.EphemeralSlot, make([]byte, 32))
	wantError(t, "Sign", err, scm.ErrAbility)
	check(t, seal(d, []byte("secret")))
	_, err = d.PublicKey(scm.EphemeralSlot)
	check(t, err)
	check(t, other.InvalidateEphemeral())
	_, err = d.PublicKey(scm.EphemeralSlot)
	wantError(t, "PublicKey after InvalidateEphemeral", err, scm.ErrSlotEmpty)
	check(t, other.InvalidateEphemeral())
	wantError(t, "GenerateEphemeral on no curve", d.GenerateEphemeral(4), scm.ErrCurve)
}

func TestEphemeralSigns(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{EphemeralSigns: true}})
	check(t, d.GenerateEphemeral(scm.P256))
	sig, err := d.Sign(scm.EphemeralSlot, make([]byte, 32))
	check(t, err)
	if ok, err := d.Verify(scm.EphemeralSlot, make([]byte, 32), sig); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

func TestPermanentSignOnly(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{PermanentSignOnly: true}})
	peer := generate(t, d, scm.P256)
	_, err := d.Agree(0, peer.Public)
	wantError(t, "Agree", err, scm.ErrAbility)
	_, err = d.Agree(peer.Slot, peer.Public)
	check(t, err)
}
