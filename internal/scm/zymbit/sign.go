// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// digestSize is the length in bytes of all that the library signs: it is told
// none. With an Ed25519 key it signs these bytes as the message.
const digestSize = 32

// Capability tells what the device can do with keys on the curve.
func (d *Device) Capability(c scm.Curve) scm.Capability {
	able := scm.Capability{
		Generate: d.has("zkGenKeyPair"),
		Sign:     c != scm.X25519,
		Agree:    c != scm.Ed25519 && d.has("zkDoRawECDH"),
	}
	if able.Sign {
		able.Message = digestSize
	}
	if d.inWallet() {
		able.Generate = d.has("zkGenWalletChildKey") && (c == scm.P256 || c == scm.Secp256k1)
	}
	return able
}

// Sign signs 32 bytes: a digest with an ECDSA key, a message with an Ed25519 key.
// No signature is given out that the slot's public key does not verify.
func (d *Device) Sign(s scm.Slot, digest []byte) ([]byte, error) {
	k, err := d.key(s)
	switch {
	case err != nil:
		return nil, err
	case k.Curve == scm.X25519:
		return nil, fmt.Errorf("slot %d: signature with %s: %w", s, k.Curve, scm.ErrCurve)
	case len(digest) != digestSize:
		return nil, fmt.Errorf("%d bytes to sign, not %d: %w", len(digest), digestSize, scm.ErrInput)
	}
	given, err := d.use(s, func() ([]byte, error) { return d.api.sign(s, digest) })
	if err != nil {
		return nil, err
	}
	sig, err := readSignature(k, digest, given)
	if err != nil {
		return nil, d.whySigned(k, err)
	}
	d.sawKey(k)
	return sig, nil
}

// whySigned tells a slot that holds another key than before from a module whose signatures
// are of no use.
func (d *Device) whySigned(k scm.Key, wrong error) error {
	var now []byte
	err := d.retry(func() (err error) {
		now, err = d.asRead(k.Slot, k.Curve)
		return err
	})
	d.forgetSlot(k.Slot)
	if err == nil && bytes.Equal(now, k.Public) {
		return fmt.Errorf("key slot %d: %w", int(k.Slot), wrong)
	}
	return fmt.Errorf("slot %d: %w", k.Slot, errSwap)
}

// Agree returns the secret shared with the owner of the public key peer.
func (d *Device) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	k, err := d.key(s)
	switch {
	case err != nil:
		return nil, err
	case k.Curve == scm.Ed25519:
		return nil, fmt.Errorf("slot %d: agreement with %s: %w", s, k.Curve, scm.ErrCurve)
	case !isPeer(k.Curve, peer):
		return nil, fmt.Errorf("peer is no public key on %s: %w", k.Curve, scm.ErrInput)
	}
	return d.use(s, func() ([]byte, error) { return d.api.agree(s, peer) })
}

// use calls f, which uses the key in a slot, and finds out what a failure is: the
// key may be gone.
func (d *Device) use(s scm.Slot, f func() ([]byte, error)) (out []byte, err error) {
	err = d.retry(func() error {
		out, err = f()
		return err
	})
	if !unable(err) {
		return out, err
	}
	if _, now := d.key(s); now != nil {
		return nil, fmt.Errorf("%w: %w", now, err)
	}
	return nil, fmt.Errorf("slot %d: %w", s, err)
}

// isPeer tells whether the bytes are a public key to agree with, which the library
// is not known to check.
func isPeer(c scm.Curve, public []byte) bool {
	return isPublic(c, public) && (c != scm.X25519 || onX25519(public))
}
