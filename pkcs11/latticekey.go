// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// The parameter sets of ML-DSA and ML-KEM, by their numbers in CKA_PARAMETER_SET.
var (
	signatureSets = map[uint]softkey.DSA{
		CKP_ML_DSA_44: softkey.MLDSA44, CKP_ML_DSA_65: softkey.MLDSA65, CKP_ML_DSA_87: softkey.MLDSA87,
	}
	encapsulationSets = map[uint]softkey.KEM{CKP_ML_KEM_768: softkey.MLKEM768, CKP_ML_KEM_1024: softkey.MLKEM1024}
)

// setOf reads the parameter set of a key.
func setOf[S any](sets map[uint]S, a attributes) (S, error) {
	set, known := sets[a.number(CKA_PARAMETER_SET)]
	if !known {
		return set, refuse(CKR_PARAMETER_SET_NOT_SUPPORTED, CKA_PARAMETER_SET, "is none that is known here")
	}
	return set, nil
}

// numberOfSet is the CKA_PARAMETER_SET of a parameter set.
func numberOfSet[S comparable](sets map[uint]S, set S) []byte {
	for n, s := range sets {
		if s == set {
			return encodeULong(n)
		}
	}
	return encodeULong(0)
}

// latticePublicOf reads a public key of ML-DSA or ML-KEM.
func latticePublicOf(a attributes) (k softkey.PublicKey, err error) {
	if a.number(CKA_KEY_TYPE) == CKK_ML_DSA {
		set, err := setOf(signatureSets, a)
		if err != nil {
			return nil, err
		}
		return orNoKey(softkey.NewMLDSAPublic(set, a[CKA_VALUE]))
	}
	set, err := setOf(encapsulationSets, a)
	if err != nil {
		return nil, err
	}
	return orNoKey(softkey.NewMLKEMPublic(set, a[CKA_VALUE]))
}

// orNoKey is a key, or nil with an error.
func orNoKey[K softkey.PublicKey](k K, err error) (softkey.PublicKey, error) {
	if err != nil {
		return nil, err
	}
	return k, nil
}

// seeded is a private key that a seed expands to.
type seeded interface {
	softkey.PrivateKey
	Matches(expanded []byte) error
}

// latticePrivateOf reads a private key of ML-DSA or ML-KEM of its seed.
func latticePrivateOf(a attributes) (softkey.PrivateKey, error) {
	k, err := seededOf(a)
	if err != nil {
		return nil, err
	}
	if expanded := a[CKA_VALUE]; len(expanded) > 0 {
		if err := k.Matches(expanded); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func seededOf(a attributes) (seeded, error) {
	if a.number(CKA_KEY_TYPE) == CKK_ML_DSA {
		set, err := setOf(signatureSets, a)
		if err != nil {
			return nil, err
		}
		return softkey.NewMLDSA(set, a[CKA_SEED])
	}
	set, err := setOf(encapsulationSets, a)
	if err != nil {
		return nil, err
	}
	return softkey.NewMLKEM(set, a[CKA_SEED])
}
