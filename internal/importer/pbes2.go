// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
)

// mostIterations bounds the work that a file asks for: OpenSSL asks for 2048 today, others for
// some 100,000.
const mostIterations = 10_000_000

// encryptedKey is an EncryptedPrivateKeyInfo of PKCS #8.
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Parameters struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	Length     int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptPKCS8 reads a private key that is protected by PBES2 of PKCS #5, as openssl makes it.
func decryptPKCS8(der, password []byte) (any, error) {
	if password == nil {
		return nil, ErrNeeded
	}
	var e encryptedKey
	if rest, err := asn1.Unmarshal(der, &e); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("the private key %w", ErrDamaged)
	}
	mode, err := pbes2(e.Algorithm, password)
	if err != nil {
		return nil, err
	}
	if len(e.Data) == 0 || len(e.Data)%mode.BlockSize() != 0 {
		return nil, fmt.Errorf("the private key %w", ErrDamaged)
	}
	plain := make([]byte, len(e.Data))
	defer clear(plain)
	mode.CryptBlocks(plain, e.Data)
	content, ok := unpad(plain, mode.BlockSize())
	if !ok {
		return nil, ErrPassword
	}
	key, err := x509.ParsePKCS8PrivateKey(content)
	if err != nil {
		return nil, ErrPassword // or padding that was right by chance
	}
	return key, nil
}

// unpad takes the padding of PKCS #7 away.
func unpad(b []byte, block int) ([]byte, bool) {
	n := int(b[len(b)-1])
	if n == 0 || n > block || n > len(b) {
		return nil, false
	}
	for _, x := range b[len(b)-n:] {
		if int(x) != n {
			return nil, false
		}
	}
	return b[:len(b)-n], true
}

func pbes2(a pkix.AlgorithmIdentifier, password []byte) (cipher.BlockMode, error) {
	var p pbes2Parameters
	var k pbkdf2Parameters
	if !a.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}) {
		return nil, fmt.Errorf("the private key is protected by %v, and not by PBES2: change it by openssl pkcs8 -topk8 -v2 aes256", a.Algorithm)
	}
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &p); err != nil {
		return nil, fmt.Errorf("the private key %w", ErrDamaged)
	}
	if !p.KDF.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}) {
		return nil, fmt.Errorf("the key comes from the password by %v, and not by PBKDF2: change it by openssl pkcs8 -topk8 -v2 aes256", p.KDF.Algorithm)
	}
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &k); err != nil {
		return nil, fmt.Errorf("the private key %w", ErrDamaged)
	}
	if k.Iterations < 1 || k.Iterations > mostIterations {
		return nil, fmt.Errorf("it asks for %d iterations, more than %d", k.Iterations, mostIterations)
	}
	return p.cipher(k, password)
}

func (p pbes2Parameters) cipher(k pbkdf2Parameters, password []byte) (cipher.BlockMode, error) {
	size, triple := cipherSize(p.Cipher.Algorithm.String())
	prf := prfOf(k.PRF.Algorithm.String())
	if size == 0 || prf == nil {
		return nil, fmt.Errorf("the private key is protected by %v, which is not known", p.Cipher.Algorithm)
	}
	key, err := pbkdf2.Key(prf, string(password), k.Salt, k.Iterations, size)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if triple {
		block, err = des.NewTripleDESCipher(key)
	}
	if err != nil {
		return nil, err
	}
	if len(p.Cipher.Parameters.Bytes) != block.BlockSize() {
		return nil, fmt.Errorf("the private key %w", ErrDamaged)
	}
	return cipher.NewCBCDecrypter(block, p.Cipher.Parameters.Bytes), nil
}

// cipherSize is the length of the key of a cipher in CBC mode, which is triple DES or AES.
func cipherSize(oid string) (size int, triple bool) {
	const aesOID = "2.16.840.1.101.3.4.1."
	switch oid {
	case aesOID + "2":
		return 16, false
	case aesOID + "22":
		return 24, false
	case aesOID + "42":
		return 32, false
	case "1.2.840.113549.3.7":
		return 24, true
	}
	return 0, false
}

func prfOf(oid string) func() hash.Hash {
	const hmacOID = "1.2.840.113549.2."
	switch oid {
	case "", hmacOID + "7":
		return sha1.New
	case hmacOID + "9":
		return sha256.New
	case hmacOID + "10":
		return sha512.New384
	case hmacOID + "11":
		return sha512.New
	}
	return nil
}
