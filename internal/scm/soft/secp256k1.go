// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
)

type secp256k1Key struct {
	key *secp256k1.PrivateKey
	pub *secp256k1.PublicKey
}

func parseSecp256k1(secret []byte) (private, error) {
	var k secp256k1.ModNScalar
	if overflow := k.SetByteSlice(secret); overflow || k.IsZero() {
		return nil, fmt.Errorf("scalar out of range: %w", scm.ErrInput)
	}
	key := secp256k1.NewPrivateKey(&k)
	return secp256k1Key{key, key.PubKey()}, nil
}

func (k secp256k1Key) public() []byte { return k.pub.SerializeUncompressed()[1:] }

func (k secp256k1Key) sign(digest []byte) ([]byte, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	sig := ecdsa.Sign(k.key, digest)
	r, s := sig.R(), sig.S()
	if r.IsOdd() {
		// The library returns the lower of the two s that are valid, an SCM
		// either of them.
		s.Negate()
	}
	rs := make([]byte, 64)
	r.PutBytesUnchecked(rs[:32])
	s.PutBytesUnchecked(rs[32:])
	return rs, nil
}

func (k secp256k1Key) agree(peer []byte) ([]byte, error) {
	if err := checkPeer(scm.Secp256k1, peer); err != nil {
		return nil, err
	}
	pub, err := secp256k1.ParsePubKey(uncompressed(peer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return secp256k1.GenerateSharedSecret(k.key, pub), nil
}
