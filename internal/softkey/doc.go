// SPDX-License-Identifier: Apache-2.0

// Package softkey computes with the keys that no key slot of an SCM can hold: RSA, further curves, AES, generic
// secrets, ML-KEM and ML-DSA. It knows nothing of sessions, handles, templates and files. A key comes out of bytes
// and goes back into bytes; where these are kept, and sealed under what, is for the layer above.
//
// # Keys
//
// A private key is generated (GenerateRSA and its like), imported by its numbers (NewRSA), unwrapped (ParsePrivate), or read
// back from the store (ReopenPrivate, which looks no second time whether primes are prime). Marshal gives the PKCS #8
// PrivateKeyInfo that is stored, sealed, and that C_WrapKey wraps; Public().Marshal gives CKA_PUBLIC_KEY_INFO. What the attributes
// need are methods: RSA.Numbers, Curve.Params, ECPublic.Point, EC.Value, MLKEM.Seed. A secret key is its value: NewSecret,
// NewAES and Value. Keys may be used by many goroutines at once; what they begin is for one at a time.
//
// Nobody closes a key. Its secret lies in a secret.Buffer, and what computes with it on the heap in memory that the
// collector overwrites; both go when the last user of the key is gone. After C_Logout the layer above drops its keys and
// calls secret.CollectKeys. Slices that functions return are the caller's: those that hold a secret say so, and are overwritten
// by him.
//
// # Operations
//
// Each Init function of PKCS#11 is one call here, which checks the parameters, and what it returns is the operation:
//
//	C_EncryptInit, C_DecryptInit         Stream    AES.EncryptGCM(...), RSA.DecryptOAEP(...)
//	C_WrapKey, C_UnwrapKey               Stream    the same, and AES.Wrap, AES.UnwrapPadded
//	C_SignInit                           Signer    RSA.SignPSS(...), EC.Sign(...), Secret.HMAC(...)
//	C_VerifyInit, C_VerifySignatureInit  Verifier  RSAPublic.VerifyPSS(...), ...
//	C_MessageEncryptInit                 Messages  AES.Messages()
//	C_DeriveKey, C_EncapsulateKey        bytes     Secret.HKDF(...), EC.Agree(...), MLKEMPublic.Encapsulate()
//	C_SignRecover, C_VerifyRecover                 RSA.SignPKCS1(0) and SignRaw, RSAPublic.RecoverPKCS1 and RecoverRaw
//
// The steps map one to one:
//
//	C_Encrypt          Whole     a size query, or too small a buffer: WholeSize, and nothing else
//	C_EncryptUpdate    Update    UpdateSize
//	C_EncryptFinal     Final     FinalSize
//	C_SignUpdate       Update
//	C_SignFinal        Sign      Size; C_Sign is Update and Sign
//	C_VerifyFinal      Verify    C_Verify is Update and Verify
//
// Sizes are exact, but where only the decryption can tell: of paddings and of RSA they are upper bounds, as section 5.2 of
// the specification allows. Results are appended to a slice. The layer above may pass the caller's buffer as dst[:0:room], also
// where it is the buffer of the input, and copies only if the result has come to lie elsewhere. An error ends the operation, and so
// does Whole, Final, Sign or Verify; what comes after that is ErrEnded. An operation that is given up is just dropped.
//
// Which mechanisms are for single parts only is for the layer above to say: here RSA takes parts up to the length of the modulus, and ECDSA
// without a hash, too. GCM, key wrapping, Ed25519 and the verification of ML-DSA hold the whole message until the end; all
// other operations hold a block. C_EncryptUpdate of GCM gives nothing, and C_EncryptFinal all, so that
// nothing is given out of a message that is not authentic, and the order is the same both ways.
//
// Hashes are numbers of package crypto. The hash 0 stands for none: CKM_RSA_PKCS is SignPKCS1(0), CKM_ECDSA is Sign(0),
// CKD_NULL is Agreement.KDF 0. CKM_RSA_PKCS_PSS, whose message is a hash, is SignDigestPSS. A length of 0 for a derived key
// stands for all that there is.
//
// CKM_AES_KEY_WRAP pads a secret key with zeros to a multiple of 8, CKM_AES_ECB and CKM_AES_CBC to one of 16, and C_UnwrapKey cuts them off by
// CKA_VALUE_LEN: both is done by the layer above, for C_Encrypt must not do it. TrimPrivate cuts them off a private key.
// CKM_AES_KEY_WRAP_PAD, which the specification has given up, is what SoftHSM2 makes of it: WrapPadded. C_UnwrapKey by CKM_RSA_PKCS is RSA.UnwrapPKCS1 where the template
// tells how long the key is.
//
// # Errors
//
// All errors are one of the sentinels by errors.Is, and no input makes a panic:
//
//	ErrKey              CKR_ATTRIBUTE_VALUE_INVALID; of an unwrapped key CKR_WRAPPED_KEY_INVALID, of a peer's point
//	                    CKR_MECHANISM_PARAM_INVALID, of CKA_EC_PARAMS CKR_DOMAIN_PARAMS_INVALID
//	ErrKeySize          CKR_KEY_SIZE_RANGE; of a derived key CKR_TEMPLATE_INCONSISTENT
//	ErrParameter        CKR_MECHANISM_PARAM_INVALID
//	ErrLength           CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_WRAPPED_KEY_LEN_RANGE
//	ErrData             CKR_DATA_INVALID, CKR_ENCRYPTED_DATA_INVALID, CKR_WRAPPED_KEY_INVALID; of GCM CKR_AEAD_DECRYPT_FAILED where a
//	                    function may return it
//	ErrSignature        CKR_SIGNATURE_INVALID
//	ErrSignatureLength  CKR_SIGNATURE_LEN_RANGE
//	ErrUnsupported      CKR_MECHANISM_PARAM_INVALID of a hash, CKR_CURVE_NOT_SUPPORTED of a curve, else CKR_TEMPLATE_INCONSISTENT
//	ErrExhausted        CKR_DATA_LEN_RANGE
//	ErrEnded            CKR_OPERATION_NOT_INITIALIZED: a mistake of the layer above
//
// An error says nothing of a decrypted message but that it is none, after a time that depends on lengths alone. A wrong padding of PKCS #1 v1.5
// is no error at all (rsareject.go). CBC_PAD and OAEP have to be refused: somebody who can ask for many
// decryptions by CBC_PAD learns of the message, which is the specification's to mend.
package softkey
