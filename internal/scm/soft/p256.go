// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
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

func (k p256Key) sign(digest []byte) ([]byte, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	der, err := ecdsa.SignASN1(rand.Reader, k.signer, digest)
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

var errSignature = errors.New("malformed ECDSA signature")

// flat turns the DER form of an ECDSA signature into r‖s. Reading the DER costs
// much less than the detour by big.Int that ecdsa.Sign takes.
func flat(der []byte) ([]byte, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var r, s []byte
	if !in.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&r) || !body.ReadASN1Integer(&s) ||
		!body.Empty() || !in.Empty() || len(r) > 32 || len(s) > 32 {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, errSignature)
	}
	rs := make([]byte, 64)
	copy(rs[32-len(r):], r)
	copy(rs[64-len(s):], s)
	return rs, nil
}
