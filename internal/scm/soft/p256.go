// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte/asn1"

	"libzk_pkcs11/internal/scm"
)

// p256Key holds the pair twice, once for each of the packages that use it.
type p256Key struct {
	signer *ecdsa.PrivateKey
	agreer *ecdh.PrivateKey
}

func parseP256(secret []byte) (private, error) {
	signer, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	agreer, err := signer.ECDH()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return p256Key{signer, agreer}, nil
}

func (k p256Key) public() []byte { return k.agreer.PublicKey().Bytes()[1:] }

func (k p256Key) secret() []byte { return k.agreer.Bytes() }

func (k p256Key) sign(random io.Reader, digest []byte) ([]byte, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	der, err := k.signer.Sign(random, digest, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return flat(der)
}

func (k p256Key) agree(peer []byte) ([]byte, error) {
	if err := checkPeer(scm.P256, peer); err != nil {
		return nil, err
	}
	pub, err := ecdh.P256().NewPublicKey(uncompressed(peer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	secret, err := k.agreer.ECDH(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return secret, nil
}

var errSignature = fmt.Errorf("malformed ECDSA signature: %w", scm.ErrDevice)

// flat turns the DER form of an ECDSA signature into r‖s. It is done by hand
// because a parser for any DER takes ten times as long, and ecdsa.Sign longer.
func flat(der []byte) ([]byte, error) {
	if len(der) < 2 || der[0] != byte(asn1.SEQUENCE) || int(der[1]) != len(der)-2 {
		return nil, errSignature
	}
	rs := make([]byte, 64)
	rest, okR := takeInteger(der[2:], rs[:32])
	rest, okS := takeInteger(rest, rs[32:])
	if !okR || !okS || len(rest) != 0 {
		return nil, errSignature
	}
	return rs, nil
}

// takeInteger writes the positive INTEGER that der begins with to out, with
// zeros in front, and returns what follows it.
func takeInteger(der, out []byte) (rest []byte, ok bool) {
	if len(der) < 2 || der[0] != byte(asn1.INTEGER) || int(der[1]) > len(der)-2 {
		return nil, false
	}
	value, rest := der[2:2+int(der[1])], der[2+int(der[1]):]
	if len(value) > 0 && value[0] == 0 { // the sign
		value = value[1:]
	}
	if len(value) > len(out) {
		return nil, false
	}
	copy(out[len(out)-len(value):], value)
	return rest, true
}
