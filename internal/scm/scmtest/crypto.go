// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"libzk_pkcs11/internal/scm"
)

// Verify reports whether sig is k's signature over message, which is the digest
// for P-256 and secp256k1. It has nothing in common with any device.
func Verify(k scm.Key, message, sig []byte) error {
	if len(sig) != 64 {
		return fmt.Errorf("signature of %d bytes", len(sig))
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	good := false
	switch k.Curve {
	case scm.P256:
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, k.Public...))
		if err != nil {
			return err
		}
		good = ecdsa.Verify(pub, message, r, s)
	case scm.Secp256k1:
		good = koblitzVerify(k.Public, message, r, s)
	case scm.Ed25519:
		good = ed25519.Verify(k.Public, message, sig)
	}
	if !good {
		return errors.New("signature is not valid")
	}
	return nil
}

// peer is the other side of a key agreement.
type peer struct {
	public []byte
	secret func(public []byte) ([]byte, error) // shared with the owner of public
}

func newPeer(c scm.Curve) (peer, error) {
	switch c {
	case scm.P256:
		return newStandardPeer(ecdh.P256(), []byte{4})
	case scm.X25519:
		return newStandardPeer(ecdh.X25519(), nil)
	case scm.Secp256k1:
		return newKoblitzPeer()
	}
	return peer{}, scm.ErrCurve
}

// newStandardPeer makes a peer on a curve of crypto/ecdh, which writes public
// keys with the given prefix.
func newStandardPeer(c ecdh.Curve, prefix []byte) (peer, error) {
	k, err := c.GenerateKey(rand.Reader)
	if err != nil {
		return peer{}, err
	}
	secret := func(public []byte) ([]byte, error) {
		p, err := c.NewPublicKey(bytes.Join([][]byte{prefix, public}, nil))
		if err != nil {
			return nil, err
		}
		return k.ECDH(p)
	}
	return peer{bytes.TrimPrefix(k.PublicKey().Bytes(), prefix), secret}, nil
}

// message returns something that a key on the curve signs.
func message(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return digest[:]
}
