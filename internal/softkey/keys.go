// SPDX-License-Identifier: Apache-2.0

package softkey

// PrivateKey is any private key of this package: *RSA, *EC, *Edwards, *Montgomery, *MLKEM or *MLDSA.
type PrivateKey interface {
	// Public returns the public key.
	Public() PublicKey
	// Marshal returns the key as a PKCS #8 PrivateKeyInfo, which the caller overwrites. It is what is
	// stored, sealed, and what C_WrapKey wraps.
	Marshal() ([]byte, error)
}

// PublicKey is any public key of this package: *RSAPublic, *ECPublic, *EdwardsPublic,
// *MontgomeryPublic, *MLKEMPublic or *MLDSAPublic.
type PublicKey interface {
	// Marshal returns the key as a SubjectPublicKeyInfo, which is CKA_PUBLIC_KEY_INFO.
	Marshal() ([]byte, error)
}
