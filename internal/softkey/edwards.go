// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"

	"filippo.io/edwards25519"

	"libzk_pkcs11/internal/secret"
)

// Edwards is a private key for Ed25519.
type Edwards struct {
	value  *value // the seed
	public []byte
	once   sync.Once
	key    ed25519.PrivateKey // once the key has signed
}

// EdwardsPublic is a public key for Ed25519.
type EdwardsPublic struct {
	key []byte
}

// GenerateEdwards returns a new key.
func GenerateEdwards() *Edwards {
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	rand.Read(seed)
	return newEdwards(seed)
}

// NewEdwards returns a key that was made elsewhere, of the 32 bytes of RFC 8032.
func NewEdwards(seed []byte) (*Edwards, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("private key of %d bytes for Ed25519: %w", len(seed), ErrKey)
	}
	return newEdwards(seed), nil
}

func newEdwards(seed []byte) (k *Edwards) {
	secret.Do(func() {
		key := ed25519.NewKeyFromSeed(seed)
		k = &Edwards{value: newValue(seed), public: bytes.Clone(key[ed25519.SeedSize:])}
		clear(key)
	})
	return k
}

// NewEdwardsPublic returns a public key of 32 bytes, or of these in an OCTET STRING or BIT STRING.
func NewEdwardsPublic(b []byte) (*EdwardsPublic, error) {
	b = rawPoint(b, ed25519.PublicKeySize)
	if len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("public key of %d bytes for Ed25519: %w", len(b), ErrKey)
	}
	if _, err := new(edwards25519.Point).SetBytes(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &EdwardsPublic{bytes.Clone(b)}, nil
}

// Curve is Ed25519.
func (k *Edwards) Curve() Curve { return Ed25519 }

// Value returns CKA_VALUE: the 32 bytes of the seed, which the caller overwrites.
func (k *Edwards) Value() []byte { return k.value.copied() }

// Public returns the public key.
func (k *Edwards) Public() PublicKey { return k.PublicEdwards() }

// PublicEdwards is Public as what it is.
func (k *Edwards) PublicEdwards() *EdwardsPublic { return &EdwardsPublic{k.public} }

// Curve is Ed25519.
func (k *EdwardsPublic) Curve() Curve { return Ed25519 }

// Raw returns the 32 bytes of the key.
func (k *EdwardsPublic) Raw() []byte { return slices.Clone(k.key) }

// Point returns CKA_EC_POINT in the form of an OCTET STRING.
func (k *EdwardsPublic) Point() []byte { return octetString(k.key) }

// EdDSA says which of the signatures of RFC 8032 is meant. Without it that is Ed25519 itself; with a
// Context, which must not be longer than 255 bytes, Ed25519ctx.
type EdDSA struct {
	Prehash bool   // Ed25519ph: the message is hashed first
	Context []byte // or nil
}

// longestContext is that of RFC 8032, and of FIPS 204.
const longestContext = 255

func (p *EdDSA) validate() (crypto.Hash, *ed25519.Options, error) {
	if len(p.Context) > longestContext {
		return 0, nil, fmt.Errorf("context of %d bytes: %w", len(p.Context), ErrParameter)
	}
	options := &ed25519.Options{Context: string(p.Context)}
	if p.Prehash {
		options.Hash = crypto.SHA512
	}
	return options.Hash, options, nil
}

// Sign begins a signature. But for Ed25519ph it needs the whole message.
func (k *Edwards) Sign(p EdDSA) (Signer, error) {
	h, options, err := p.validate()
	if err != nil {
		return nil, err
	}
	return newSigning(h, -1, ed25519.SignatureSize, eddsa{options, k, nil}.signMessage), nil
}

// Verify begins the verification of Sign.
func (k *EdwardsPublic) Verify(p EdDSA) (Verifier, error) {
	h, options, err := p.validate()
	if err != nil {
		return nil, err
	}
	return newVerifying(h, -1, ed25519.SignatureSize, eddsa{options, nil, k}.verify), nil
}

// eddsa is options with one of the two keys.
type eddsa struct {
	options *ed25519.Options
	private *Edwards
	public  *EdwardsPublic
}

func (e eddsa) signMessage(message []byte) (signature []byte, err error) {
	e.private.once.Do(e.private.expand)
	secret.Do(func() { signature, err = e.private.key.Sign(nil, message, e.options) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameter, err)
	}
	return signature, nil
}

// expand makes a key of the library, which keeps what it computes of it for the next signature. It is on
// the heap, and overwritten when the collector finds the key out of use.
func (k *Edwards) expand() {
	seed := k.Value()
	defer clear(seed)
	secret.Do(func() { k.key = ed25519.NewKeyFromSeed(seed) })
}

func (e eddsa) verify(message, signature []byte) error {
	if ed25519.VerifyWithOptions(e.public.key, message, signature, e.options) != nil {
		return ErrSignature
	}
	return nil
}
