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
		Generate: d.hasFunction("zkGenKeyPair"),
		Sign:     c != scm.X25519,
		Agree:    c != scm.Ed25519 && d.hasFunction("zkDoRawECDH"),
	}
	if able.Sign {
		able.Message = digestSize
	}
	if d.inWallet() {
		able.Generate = d.hasFunction("zkGenWalletChildKey") && (c == scm.P256 || c == scm.Secp256k1)
	}
	return able
}

// Sign signs 32 bytes: a digest with an ECDSA key, a message with an Ed25519 key.
// No signature is given out that the slot's public key does not verify.
func (d *Device) Sign(s scm.Slot, digest []byte) ([]byte, error) {
	k, err := d.lookUpKey(s)
	switch {
	case err != nil:
		return nil, err
	case k.Curve == scm.X25519:
		return nil, fmt.Errorf("slot %d: signature with %s: %w", s, k.Curve, scm.ErrCurve)
	case len(digest) != digestSize:
		return nil, fmt.Errorf("%d bytes to sign, not %d: %w", len(digest), digestSize, scm.ErrInput)
	}
	given, err := d.askSignature(s, digest)
	if err != nil {
		return nil, d.whyUnused(s, err)
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
	now, err := d.readAgain(k)
	d.forgetSlot(k.Slot)
	if err == nil && bytes.Equal(now, k.Public) {
		return fmt.Errorf("key slot %d: %w", int(k.Slot), wrong)
	}
	return fmt.Errorf("slot %d: %w", k.Slot, errSwap)
}

func (d *Device) readAgain(k scm.Key) ([]byte, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	return d.askKey(k.Slot, k.Curve)
}

// Agree returns the secret shared with the owner of the public key peer.
func (d *Device) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	k, err := d.lookUpKey(s)
	switch {
	case err != nil:
		return nil, err
	case k.Curve == scm.Ed25519:
		return nil, fmt.Errorf("slot %d: agreement with %s: %w", s, k.Curve, scm.ErrCurve)
	case !isPeer(k.Curve, peer):
		return nil, fmt.Errorf("peer is no public key on %s: %w", k.Curve, scm.ErrInput)
	}
	agreed, err := d.askSecret(s, peer)
	if err != nil {
		return nil, d.whyUnused(s, err)
	}
	return agreed, nil
}

func (d *Device) askSignature(s scm.Slot, digest []byte) (given []byte, err error) {
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		given, err = d.api.sign(s, digest)
	}
	return given, err
}

func (d *Device) askSecret(s scm.Slot, peer []byte) (agreed []byte, err error) {
	d.takeTurn()
	defer d.calls.Unlock()
	for t := d.newTries(); t.next(&err); {
		agreed, err = d.api.agree(s, peer)
	}
	return agreed, err
}

// whyUnused finds out what it means that the key in a slot could not be used: it may be gone.
func (d *Device) whyUnused(s scm.Slot, failure error) error {
	if !unable(failure) {
		return failure
	}
	if _, now := d.lookUpKey(s); now != nil {
		return fmt.Errorf("%w: %w", now, failure)
	}
	return fmt.Errorf("slot %d: %w", s, failure)
}

// isPeer reports whether the bytes are a public key to agree with, which the library
// is not known to check.
func isPeer(c scm.Curve, public []byte) bool {
	return isPublic(c, public) && (c != scm.X25519 || onX25519(public))
}
