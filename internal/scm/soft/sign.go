// SPDX-License-Identifier: Apache-2.0

package soft

import "libzk_pkcs11/internal/scm"

// capabilities of the soft SCM, by curve.
var capabilities = map[scm.Curve]scm.Capability{
	scm.P256:      {Generate: true, Sign: true, Agree: true, Message: 32},
	scm.Secp256k1: {Generate: true, Sign: true, Agree: true, Message: 32},
	scm.Ed25519:   {Generate: true, Sign: true},
	scm.X25519:    {Generate: true, Agree: true},
}

// Capability tells what the device can do with keys on the curve.
func (d *Device) Capability(c scm.Curve) scm.Capability { return capabilities[c] }

// Sign signs a digest of 32 bytes with an ECDSA key, or a message of any length
// with an Ed25519 key.
func (d *Device) Sign(s scm.Slot, message []byte) ([]byte, error) {
	k, err := d.private(s)
	if err != nil {
		return nil, err
	}
	return k.sign(message)
}

// Agree returns the secret shared with the owner of the public key peer.
func (d *Device) Agree(s scm.Slot, peer []byte) ([]byte, error) {
	k, err := d.private(s)
	if err != nil {
		return nil, err
	}
	return k.agree(peer)
}

// private returns the private key in the slot s, opened once and kept ready as
// long as the slot holds it.
func (d *Device) private(s scm.Slot) (private, error) {
	d.mu.RLock()
	k, ok := d.cached(s)
	ok = ok && d.fresh()
	d.mu.RUnlock()
	if ok {
		return k, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open(s)
}

// cached returns the private key in the slot s if it is ready. The caller holds
// mu.
func (d *Device) cached(s scm.Slot) (private, bool) {
	if s.Volatile() {
		k, ok := d.volatile.keys[s]
		return k.private, ok
	}
	k, ok := d.ready[s]
	return k, ok
}

// open is private for a key that is perhaps not ready. The caller holds mu for
// writing.
func (d *Device) open(s scm.Slot) (private, error) {
	if err := d.refresh(); err != nil {
		return nil, err
	}
	if d.root == nil {
		return nil, scm.ErrSealed
	}
	if s.Volatile() {
		k, err := d.volatile.key(s)
		return k.private, err
	}
	if p, ok := d.ready[s]; ok {
		return p, nil
	}
	k, err := d.flash.key(s)
	if err != nil {
		return nil, err
	}
	p, err := d.root.private(k)
	if err == nil {
		d.ready[s] = p
	}
	return p, err
}
