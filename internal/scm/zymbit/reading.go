// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/elliptic"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// errNoCurve is what is wrong with bytes that are no public key in any form known.
var errNoCurve = fmt.Errorf("is on no curve in a form that is known: %w", scm.ErrDevice)

// readings are the keys that the bytes can be which a library gives for a public key. x‖y and
// the 32 bytes of the 25519 curves are the forms that users of it have seen; the others are
// those of SEC 1, and of OpenPGP for 25519.
func readings(shown []byte) []scm.Key {
	var all []scm.Key
	for _, c := range scm.Curves {
		if public, err := publicOn(c, shown); err == nil {
			all = append(all, scm.Key{Curve: c, Public: public})
		}
	}
	return all
}

// publicOn reads a public key on a curve that is known.
func publicOn(c scm.Curve, shown []byte) ([]byte, error) {
	public := shown
	switch size := c.PublicSize(); {
	case len(shown) == 65 && size == 64 && shown[0] == 4:
		public = shown[1:]
	case len(shown) == 33 && size == 64 && (shown[0] == 2 || shown[0] == 3):
		public = decompress(c, shown)
	case len(shown) == 33 && size == 32 && shown[0] == 0x40:
		public = shown[1:]
	}
	if !isPublic(c, public) {
		return nil, errNoCurve
	}
	return public, nil
}

// decompress returns x‖y of a compressed point, nil when there is no such point.
func decompress(c scm.Curve, point []byte) []byte {
	if c == scm.Secp256k1 {
		key, err := secp256k1.ParsePubKey(point)
		if err != nil {
			return nil
		}
		return key.SerializeUncompressed()[1:]
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), point)
	if x == nil {
		return nil
	}
	xy := make([]byte, 64)
	x.FillBytes(xy[:32])
	y.FillBytes(xy[32:])
	return xy
}

// askKey is asRead in as many tries as it takes. The caller holds calls.
func (d *Device) askKey(s scm.Slot, c scm.Curve) (public []byte, err error) {
	for t := d.newTries(); t.next(&err); {
		public, err = d.asRead(s, c)
	}
	return public, err
}

// asRead is the public key that a library shows for a slot, on the curve that is known.
func (d *Device) asRead(s scm.Slot, c scm.Curve) ([]byte, error) {
	shown, err := d.api.publicKey(s)
	if err != nil {
		return nil, err
	}
	public, err := publicOn(c, shown)
	if errors.Is(err, errNoCurve) {
		err = fmt.Errorf("a public key of %d bytes for one on %s %w", len(shown), c, err)
	}
	return public, err
}
