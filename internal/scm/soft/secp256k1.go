// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

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

func (k secp256k1Key) secret() []byte { return k.key.Serialize() }

func (k secp256k1Key) sign(random io.Reader, digest []byte) ([]byte, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	var extra []byte
	if random != nil {
		extra = make([]byte, 32)
		if _, err := io.ReadFull(random, extra); err != nil {
			return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
		}
	}
	rs := make([]byte, 64)
	for try := uint32(0); !k.signWith(k.nonce(digest, extra, try), digest, rs); try++ {
	}
	return rs, nil
}

// nonce returns a nonce by RFC 6979, which is a random one when the extra data of its
// section 3.6 are random bytes. Each try has another.
func (k secp256k1Key) nonce(digest, extra []byte, try uint32) *secp256k1.ModNScalar {
	secret := k.key.Key.Bytes()
	defer clear(secret[:])
	return secp256k1.NonceRFC6979(secret[:], digest, extra, nil, try)
}

// signWith puts the signature with the nonce into rs, and reports whether there is one.
// The library's own function for it takes no random bytes, and gives the lower of the
// two s that are valid. An SCM gives either of them.
func (k secp256k1Key) signWith(nonce *secp256k1.ModNScalar, digest, rs []byte) bool {
	defer nonce.Zero()
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(nonce, &point)
	point.ToAffine()
	var r, s, hash secp256k1.ModNScalar
	r.SetByteSlice(point.X.Bytes()[:])
	hash.SetByteSlice(digest)
	s.Mul2(&k.key.Key, &r).Add(&hash)
	s.Mul(new(secp256k1.ModNScalar).InverseValNonConst(nonce))
	r.PutBytesUnchecked(rs[:32])
	s.PutBytesUnchecked(rs[32:])
	return !r.IsZero() && !s.IsZero()
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
