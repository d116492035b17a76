// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// KEM is a parameter set of ML-KEM. ML-KEM-512 is none of them: the library has it not.
type KEM int

// The parameter sets.
const (
	MLKEM768 KEM = iota
	MLKEM1024
)

// kemRow is what there is to know of a parameter set.
type kemRow struct {
	name               string
	public, ciphertext int
}

var kemRows = [...]kemRow{
	MLKEM768:  {"ML-KEM-768", mlkem.EncapsulationKeySize768, mlkem.CiphertextSize768},
	MLKEM1024: {"ML-KEM-1024", mlkem.EncapsulationKeySize1024, mlkem.CiphertextSize1024},
}

// String returns the name of the parameter set.
func (p KEM) String() string {
	if p.validate() != nil {
		return fmt.Sprintf("ML-KEM %d", int(p))
	}
	return kemRows[p].name
}

func (p KEM) validate() error {
	if p < 0 || int(p) >= len(kemRows) {
		return fmt.Errorf("parameter set of ML-KEM: %w", ErrUnsupported)
	}
	return nil
}

// PublicSize is the length of a public key.
func (p KEM) PublicSize() int { return kemRows[p].public }

// CiphertextSize is the length of an encapsulated secret.
func (p KEM) CiphertextSize() int { return kemRows[p].ciphertext }

// SharedMLKEM is the length of the secret that two have in the end.
const SharedMLKEM = mlkem.SharedKeySize

// decapsulator is what the keys of both parameter sets can do.
type decapsulator interface {
	Decapsulate(ciphertext []byte) ([]byte, error)
}

// encapsulator is what the public keys of both parameter sets can do.
type encapsulator interface {
	Encapsulate() (shared, ciphertext []byte)
}

// MLKEM is a private key of ML-KEM (FIPS 203).
type MLKEM struct {
	set    KEM
	value  *value // the seed d‖z of 64 bytes
	public []byte
	key    decapsulator
}

// MLKEMPublic is a public key of ML-KEM.
type MLKEMPublic struct {
	set KEM
	raw []byte
	key encapsulator
}

// GenerateMLKEM returns a new key.
func GenerateMLKEM(set KEM) (*MLKEM, error) {
	seed := make([]byte, mlkem.SeedSize)
	defer clear(seed)
	rand.Read(seed)
	return NewMLKEM(set, seed)
}

// NewMLKEM returns a key that was made elsewhere, of its seed d‖z of 64 bytes (CKA_SEED). What the seed expands
// to (CKA_VALUE) cannot be read back, nor is it given out: the library does neither.
func NewMLKEM(set KEM, seed []byte) (*MLKEM, error) {
	if err := set.validate(); err != nil {
		return nil, err
	}
	if len(seed) != mlkem.SeedSize {
		return nil, fmt.Errorf("seed of %d bytes for %s: %w", len(seed), set, ErrKey)
	}
	return secret.ComputeWith(newMLKEM, set, seed)
}

func newMLKEM(set KEM, seed []byte) (*MLKEM, error) {
	k := &MLKEM{set: set, value: newValue(seed)}
	if err := k.expand(seed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k, nil
}

func (k *MLKEM) expand(seed []byte) error {
	if k.set == MLKEM768 {
		key, err := mlkem.NewDecapsulationKey768(seed)
		if err != nil {
			return err
		}
		k.key, k.public = key, key.EncapsulationKey().Bytes()
		return nil
	}
	key, err := mlkem.NewDecapsulationKey1024(seed)
	if err != nil {
		return err
	}
	k.key, k.public = key, key.EncapsulationKey().Bytes()
	return nil
}

// NewMLKEMPublic returns a public key, of its encoding in FIPS 203.
func NewMLKEMPublic(set KEM, b []byte) (*MLKEMPublic, error) {
	if err := set.validate(); err != nil {
		return nil, err
	}
	k := &MLKEMPublic{set: set, raw: bytes.Clone(b)}
	var err error
	if set == MLKEM768 {
		k.key, err = mlkem.NewEncapsulationKey768(b)
	} else {
		k.key, err = mlkem.NewEncapsulationKey1024(b)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k, nil
}

// Matches returns ErrKey if what a seed expands to, with which it came (CKA_VALUE), is of another key: dk of FIPS 203,
// algorithm 16. The library does not give the first part of it, which is not compared.
func (k *MLKEM) Matches(expanded []byte) error {
	seed := k.Seed()
	defer clear(seed)
	hashed := sha3.Sum256(k.public)
	end := slices.Concat(k.public, hashed[:], seed[len(seed)/2:])
	defer clear(end)
	first := len(k.public) - 32 // as many bytes as the other vector
	if len(expanded) != first+len(end) || !equalTime(expanded[first:], end) {
		return fmt.Errorf("seed and value of %s: %w", k.set, ErrKey)
	}
	return nil
}

// Set is the parameter set.
func (k *MLKEM) Set() KEM { return k.set }

// Seed returns CKA_SEED, which the caller overwrites.
func (k *MLKEM) Seed() []byte { return k.value.copied() }

// Public returns the public key.
func (k *MLKEM) Public() PublicKey { return k.PublicMLKEM() }

// PublicMLKEM is Public as what it is.
func (k *MLKEM) PublicMLKEM() *MLKEMPublic {
	public, err := NewMLKEMPublic(k.set, k.public)
	if err != nil {
		panic("softkey: " + err.Error()) // of what the library has made
	}
	return public
}

// Decapsulate returns the secret that the other one has encapsulated, which the caller overwrites. A
// ciphertext that was changed gives another secret, and no error (FIPS 203, section 6.3).
func (k *MLKEM) Decapsulate(ciphertext []byte) ([]byte, error) {
	if len(ciphertext) != k.set.CiphertextSize() {
		return nil, ErrLength
	}
	shared, err := secret.Compute(k.key.Decapsulate, ciphertext)
	if err != nil {
		return nil, ErrData
	}
	return shared, nil
}

// Set is the parameter set.
func (k *MLKEMPublic) Set() KEM { return k.set }

// Raw returns CKA_VALUE: the encoding of the key in FIPS 203.
func (k *MLKEMPublic) Raw() []byte { return slices.Clone(k.raw) }

// Encapsulate returns a new secret, which the caller overwrites, and what gives it to the owner of the key.
func (k *MLKEMPublic) Encapsulate() (shared, ciphertext []byte) {
	secret.Do(func() { shared, ciphertext = k.key.Encapsulate() })
	return shared, ciphertext
}
