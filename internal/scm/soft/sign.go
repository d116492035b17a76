// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// digestSize is the length in bytes of what an SCM signs with an ECDSA key.
const digestSize = 32

// Capability tells what the device can do with keys on the curve.
func (d *Device) Capability(c scm.Curve) scm.Capability { return d.options.capability(c) }

func (o Options) capability(c scm.Curve) scm.Capability {
	switch c {
	case scm.P256, scm.Secp256k1:
		return scm.Capability{Generate: true, Sign: true, Agree: true, Message: digestSize}
	case scm.Ed25519:
		able := scm.Capability{Generate: true, Sign: o.Ed25519 != settings.Ed25519None}
		if o.Ed25519 == settings.Ed25519Digest {
			able.Message = digestSize
		}
		return able
	case scm.X25519:
		return scm.Capability{Generate: true, Agree: true}
	}
	return scm.Capability{}
}

// Sign signs a digest of 32 bytes with an ECDSA key, or a message of any length
// with an Ed25519 key.
func (d *Device) Sign(s scm.Slot, message []byte) ([]byte, error) {
	return d.signWith(s, func(k *private) ([]byte, error) { return k.signMessage(d.options.Nonce, message) })
}

// signWith makes a signature with the private key in the slot s.
func (d *Device) signWith(s scm.Slot, sign func(*private) ([]byte, error)) ([]byte, error) {
	if s == scm.EphemeralSlot && !d.options.EphemeralSigns {
		return nil, fmt.Errorf("signature with the ephemeral key: %w", scm.ErrAbility)
	}
	d.waitLatency(d.options.Latency.Sign)
	signature, err := d.usingKey(s, sign)
	if err == nil {
		err = d.faultOn(board.SignCall)
	}
	if err != nil {
		return nil, err
	}
	return signature, nil
}

// usingKey calls f with the private key in a slot, again when that was given up for another
// one, or opened anew, meanwhile.
func (d *Device) usingKey(s scm.Slot, f func(*private) ([]byte, error)) ([]byte, error) {
	for {
		k, err := d.private(s)
		if err != nil {
			return nil, err
		}
		result, err := f(k)
		if err != errHiddenGone {
			return result, err
		}
	}
}

// Agree returns the secret shared with the owner of the public key peer, which the caller
// overwrites.
func (d *Device) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	if s.Permanent() && d.options.PermanentSignOnly {
		return nil, fmt.Errorf("key agreement with slot %d: %w", s, scm.ErrAbility)
	}
	d.waitLatency(d.options.Latency.Sign)
	return d.usingKey(s, func(k *private) ([]byte, error) { return k.agreeWith(peer) })
}

// AgreeWith is Agree with the public key in another slot, which need not be one that
// is given away. ErrSlotRange and ErrSlotEmpty also of that one.
func (d *Device) AgreeWith(s, peer scm.Slot) ([]byte, error) {
	known, err := d.current(onlySlot(s), onlySlot(peer))
	if err != nil {
		return nil, err
	}
	theirs, err := known.keyIn(peer)
	return d.agreeWithKey(known, s, theirs.Key, peer, err)
}

// AgreeWithForeign is AgreeWith with the key in a foreign slot.
func (d *Device) AgreeWithForeign(s, peer scm.Slot) ([]byte, error) {
	known, err := d.current(onlySlot(s))
	if err != nil {
		return nil, err
	}
	theirs, err := known.foreignKey(peer)
	return d.agreeWithKey(known, s, theirs.Key, peer, err)
}

// agreeWithKey is Agree with a key that was looked for in the slot peer.
func (d *Device) agreeWithKey(known *snapshot, s scm.Slot, theirs scm.Key, peer scm.Slot, err error) ([]byte, error) {
	if err != nil {
		return nil, d.missing(known, peer, err)
	}
	ours, err := known.keyIn(s)
	if err != nil {
		return nil, d.missing(known, s, err)
	}
	if theirs.Curve != ours.Curve { // 32 bytes would pass for either kind
		return nil, fmt.Errorf("slot %d holds a key on %s, slot %d one on %s: %w", s, ours.Curve, peer, theirs.Curve, scm.ErrInput)
	}
	return d.Agree(s, theirs.Public)
}

// pauseFor sleeps as the process that has the device open wants it.
func (d *Device) pauseFor(t time.Duration) {
	if d.options.Process.Pause == nil {
		time.Sleep(t)
		return
	}
	d.options.Process.Pause(t)
}

// private returns the private key in a slot, opened once and kept ready as long as the
// slot holds it. With a key that is ready it waits for nobody, and reads no file.
func (d *Device) private(slot scm.Slot) (*private, error) {
	for {
		s, err := d.usable(onlySlot(slot))
		if err != nil {
			return nil, err
		}
		k, err := d.privateIn(s, slot)
		// The root key may have been given up for another one during this call.
		if errors.Is(err, scm.ErrSealed) && s.root != d.known.Load().root {
			continue
		}
		return k, err
	}
}

// privateIn returns the private key in a slot of s.
func (d *Device) privateIn(s *snapshot, slot scm.Slot) (*private, error) {
	if slot.Volatile() {
		k, err := s.volatile.keyIn(slot)
		return k.private, err
	}
	c := s.cellOf(slot)
	if c != nil {
		if k := c.ready.Load(); k != nil {
			return k, nil
		}
	}
	stored, err := s.keyIn(slot)
	if err != nil {
		return nil, d.missing(s, slot, err)
	}
	k, err := d.privateOf(s.root, &stored)
	if err == nil {
		c.ready.Store(k)
	}
	return k, err
}

// privateOf opens a key that is sealed under r, which masks it from then on.
func (d *Device) privateOf(r *root, k *sealedKey) (*private, error) {
	key, err := r.unsealKey(k)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if k.kind == watchKey {
		return nil, fmt.Errorf("slot %d has a public key only: %w", k.Slot, scm.ErrAbility)
	}
	p := newPrivate(k.Curve, k.Public, key[:k.kind.privateSize()], r.mask)
	p.use = d.options.Ed25519
	return p, nil
}
