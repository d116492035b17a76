// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/rand"
	"crypto/sha3"
	"fmt"
	"slices"

	"filippo.io/mldsa"
	"filippo.io/mldsa/mldsacrypto"

	"libzk_pkcs11/internal/secret"
)

// DSA is a parameter set of ML-DSA. The DSA of before is not in this package.
type DSA int

// The parameter sets.
const (
	MLDSA44 DSA = iota
	MLDSA65
	MLDSA87
)

var dsaRows = [...]func() mldsa.Parameters{MLDSA44: mldsa.MLDSA44, MLDSA65: mldsa.MLDSA65, MLDSA87: mldsa.MLDSA87}

// String returns the name of the parameter set.
func (p DSA) String() string {
	if p.validate() != nil {
		return fmt.Sprintf("ML-DSA %d", int(p))
	}
	return dsaRows[p]().String()
}

func (p DSA) validate() error {
	if p < 0 || int(p) >= len(dsaRows) {
		return fmt.Errorf("parameter set of ML-DSA: %w", ErrUnsupported)
	}
	return nil
}

// PublicSize is the length of a public key.
func (p DSA) PublicSize() int { return dsaRows[p]().PublicKeySize() }

// SignatureSize is the length of a signature.
func (p DSA) SignatureSize() int { return dsaRows[p]().SignatureSize() }

// MLDSA is a private key of ML-DSA (FIPS 204).
type MLDSA struct {
	set    DSA
	value  *value // the seed of 32 bytes
	key    *mldsa.PrivateKey
	public *MLDSAPublic
}

// MLDSAPublic is a public key of ML-DSA.
type MLDSAPublic struct {
	set DSA
	raw []byte
	key *mldsa.PublicKey
}

// GenerateMLDSA returns a new key.
func GenerateMLDSA(set DSA) (*MLDSA, error) {
	seed := make([]byte, mldsa.PrivateKeySize)
	defer clear(seed)
	rand.Read(seed)
	return NewMLDSA(set, seed)
}

// NewMLDSA returns a key that was made elsewhere, of its seed of 32 bytes (CKA_SEED). What the seed expands to
// (CKA_VALUE) cannot be read back, nor is it given out: the library does neither.
func NewMLDSA(set DSA, seed []byte) (*MLDSA, error) {
	if err := set.validate(); err != nil {
		return nil, err
	}
	if len(seed) != mldsa.PrivateKeySize {
		return nil, fmt.Errorf("seed of %d bytes for %s: %w", len(seed), set, ErrKey)
	}
	k, err := secret.ComputeWith(newMLDSA, set, seed)
	if err != nil {
		return nil, err
	}
	public := k.key.PublicKey()
	k.public = &MLDSAPublic{set, public.Bytes(), public}
	return k, nil
}

func newMLDSA(set DSA, seed []byte) (*MLDSA, error) {
	key, err := mldsa.NewPrivateKey(dsaRows[set](), seed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &MLDSA{set: set, value: newValue(seed), key: key}, nil
}

// NewMLDSAPublic returns a public key, of its encoding in FIPS 204.
func NewMLDSAPublic(set DSA, b []byte) (*MLDSAPublic, error) {
	if err := set.validate(); err != nil {
		return nil, err
	}
	key, err := mldsa.NewPublicKey(dsaRows[set](), b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &MLDSAPublic{set, bytes.Clone(b), key}, nil
}

// expandedMLDSA is the length of sk in FIPS 204.
var expandedMLDSA = [...]int{MLDSA44: 2560, MLDSA65: 4032, MLDSA87: 4896}

// Matches returns ErrKey if what a seed expands to, with which it came (CKA_VALUE), is of another key: sk of FIPS 204,
// algorithm 24. The library gives of it what is of the public key, and that is compared.
func (k *MLDSA) Matches(expanded []byte) error {
	if len(expanded) != expandedMLDSA[k.set] || !bytes.Equal(expanded[:32], k.public.raw[:32]) ||
		!bytes.Equal(expanded[64:128], sha3.SumSHAKE256(k.public.raw, 64)) {
		return fmt.Errorf("seed and value of %s: %w", k.set, ErrKey)
	}
	return nil
}

// Set is the parameter set.
func (k *MLDSA) Set() DSA { return k.set }

// Seed returns CKA_SEED, which the caller overwrites.
func (k *MLDSA) Seed() []byte { return k.value.copied() }

// Public returns the public key.
func (k *MLDSA) Public() PublicKey { return k.public }

// PublicMLDSA is Public as what it is.
func (k *MLDSA) PublicMLDSA() *MLDSAPublic { return k.public }

// Set is the parameter set.
func (k *MLDSAPublic) Set() DSA { return k.set }

// Raw returns CKA_VALUE: the encoding of the key in FIPS 204.
func (k *MLDSAPublic) Raw() []byte { return slices.Clone(k.raw) }

// SignHedged begins a signature with random bytes in it (CKH_HEDGE_PREFERRED, CKH_HEDGE_REQUIRED). The context
// is nil, or of up to 255 bytes.
func (k *MLDSA) SignHedged(context []byte) (Signer, error) {
	return k.signer(context, k.signHedged)
}

// SignDeterministic begins a signature that is always the same (CKH_DETERMINISTIC_REQUIRED).
func (k *MLDSA) SignDeterministic(context []byte) (Signer, error) {
	return k.signer(context, k.signDeterministic)
}

// signer hashes the message as it comes, with what FIPS 204 puts before it (algorithm 7, line 6).
func (k *MLDSA) signer(context []byte, sign func([]byte) ([]byte, error)) (Signer, error) {
	if len(context) > longestContext {
		return nil, fmt.Errorf("context of %d bytes: %w", len(context), ErrParameter)
	}
	s := newSigning(0, -1, k.set.SignatureSize(), sign)
	s.state = newRepresentative(k.public.raw, context)
	return s, nil
}

// representative is the hash μ that ML-DSA signs, as a hash.Hash that is used once.
type representative struct{ *sha3.SHAKE }

func newRepresentative(public, context []byte) representative {
	r := representative{sha3.NewSHAKE256()}
	r.Write(sha3.SumSHAKE256(public, 64))
	r.Write([]byte{0, byte(len(context))}) // no hash before this one
	r.Write(context)
	return r
}

func (r representative) Size() int { return 64 }

// Sum ends the message.
func (r representative) Sum(b []byte) []byte {
	var sum [64]byte
	r.Read(sum[:])
	return append(b, sum[:]...)
}

func (k *MLDSA) signHedged(hashed []byte) (signature []byte, err error) {
	secret.Do(func() { signature, err = k.key.Sign(nil, hashed, mldsacrypto.MLDSAMu) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return signature, nil
}

func (k *MLDSA) signDeterministic(hashed []byte) (signature []byte, err error) {
	secret.Do(func() { signature, err = k.key.SignDeterministic(hashed, mldsacrypto.MLDSAMu) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return signature, nil
}

// Verify begins the verification of both. It needs the whole message: the library has no other way.
func (k *MLDSAPublic) Verify(context []byte) (Verifier, error) {
	if len(context) > longestContext {
		return nil, fmt.Errorf("context of %d bytes: %w", len(context), ErrParameter)
	}
	verify := verifyMLDSA{k, &mldsa.Options{Context: string(context)}}
	return newVerifying(0, -1, k.set.SignatureSize(), verify.verify), nil
}

type verifyMLDSA struct {
	*MLDSAPublic
	options *mldsa.Options
}

func (v verifyMLDSA) verify(message, signature []byte) error {
	if mldsa.Verify(v.key, message, signature, v.options) != nil {
		return ErrSignature
	}
	return nil
}
