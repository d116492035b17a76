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
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// mostIterations bounds the work that a file asks for, in all: OpenSSL asks for 2048 today for each thing in it, others
// for some 100,000.
const mostIterations = 10_000_000

// mostScrypt bounds the memory that scrypt takes, 128 bytes for each of its n·r, and mostParallel how often it is taken.
const (
	mostScrypt   = 1 << 20
	mostParallel = 16
)

// password opens what is protected by it.
type password struct {
	text []byte // nil when none was given
	wide []byte // as PKCS #12 has it
	work int    // iterations that were asked for so far
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// change is how to make a file that can be read of one that cannot.
const change = "change it by openssl pkcs8 -topk8 -v2 aes256"

type pbes2Parameters struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2Parameters struct {
	Salt       []byte
	Iterations int
	Length     int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParameters struct {
	Salt   []byte
	N      int
	R      int
	P      int
	Length int `asn1:"optional"`
}

// unmarshal reads DER with nothing behind it. ErrDamaged.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case len(rest) > 0:
		return fmt.Errorf("%w: there are %d bytes more", ErrDamaged, len(rest))
	}
	return nil
}

// spend counts work, and refuses what asks for too much of it.
func (p *password) spend(iterations int) error {
	if iterations < 1 || iterations > mostIterations-p.work {
		return fmt.Errorf("it asks for %d iterations of work, and %d are the most", iterations, mostIterations)
	}
	p.work += iterations
	return nil
}

// open undoes the encryption of PKCS #5 or PKCS #12. ErrPassword, as far as that can be told.
func (p *password) open(a pkix.AlgorithmIdentifier, sealed []byte) ([]byte, error) {
	if p.text == nil {
		return nil, ErrNeeded
	}
	if row, known := pkcs12Ciphers[a.Algorithm.String()]; known {
		return p.openPKCS12(row, a.Parameters.FullBytes, sealed)
	}
	if !a.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("it is protected by %v, which is not known: %s", a.Algorithm, change)
	}
	var two pbes2Parameters
	if err := unmarshal(a.Parameters.FullBytes, &two); err != nil {
		return nil, err
	}
	size, newBlock := blockCipher(two.Cipher.Algorithm.String())
	if newBlock == nil {
		return nil, fmt.Errorf("it is protected by %v, which is not known: %s", two.Cipher.Algorithm, change)
	}
	key, err := p.derive(two.KDF, size)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := newBlock(key)
	if err != nil {
		return nil, err
	}
	return openCBC(block, two.Cipher.Parameters.Bytes, sealed)
}

// openCBC opens blocks with padding at their end.
func openCBC(block cipher.Block, iv, sealed []byte) ([]byte, error) {
	if len(iv) != block.BlockSize() || len(sealed) == 0 || len(sealed)%block.BlockSize() != 0 {
		return nil, fmt.Errorf("%w: no whole blocks", ErrDamaged)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed)
	return unpadded(plain, block.BlockSize())
}

// unpadded is unpad for what a password opens.
func unpadded(plain []byte, block int) ([]byte, error) {
	content, ok := unpad(plain, block)
	if !ok {
		clear(plain)
		return nil, ErrPassword
	}
	return content, nil
}

// unpad takes the padding of PKCS #7 away, and reports whether it was right.
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

// derive makes a key of the password as PKCS #5 does.
func (p *password) derive(a pkix.AlgorithmIdentifier, size int) ([]byte, error) {
	switch {
	case a.Algorithm.Equal(oidPBKDF2):
		var k pbkdf2Parameters
		if err := unmarshal(a.Parameters.FullBytes, &k); err != nil {
			return nil, err
		}
		return p.pbkdf2(k, size)
	case a.Algorithm.Equal(oidScrypt):
		var k scryptParameters
		if err := unmarshal(a.Parameters.FullBytes, &k); err != nil {
			return nil, err
		}
		return p.scrypt(k, size)
	}
	return nil, fmt.Errorf("its key comes from the password by %v, which is not known: %s", a.Algorithm, change)
}

func (p *password) pbkdf2(k pbkdf2Parameters, size int) ([]byte, error) {
	prf := prfOf(k.PRF.Algorithm.String())
	if prf == nil {
		return nil, fmt.Errorf("its key comes from the password by %v, which is not known: %s", k.PRF.Algorithm, change)
	}
	if err := p.spend(k.Iterations); err != nil {
		return nil, err
	}
	return pbkdf2.Key(prf, string(p.text), k.Salt, k.Iterations, size)
}

func (p *password) scrypt(k scryptParameters, size int) ([]byte, error) {
	if k.N < 2 || k.R < 1 || k.P < 1 || k.P > mostParallel || k.N > mostScrypt/k.R {
		return nil, errors.New("it asks for too much memory or work of scrypt: " + change)
	}
	if err := p.spend(k.N * k.R * k.P); err != nil {
		return nil, err
	}
	return scrypt.Key(p.text, k.Salt, k.N, k.R, k.P, size)
}

// blockCipher is a cipher that is used in CBC mode, and the length of its key.
func blockCipher(oid string) (size int, newBlock func([]byte) (cipher.Block, error)) {
	const aesOID = "2.16.840.1.101.3.4.1."
	switch oid {
	case aesOID + "2":
		return 16, aes.NewCipher
	case aesOID + "22":
		return 24, aes.NewCipher
	case aesOID + "42":
		return 32, aes.NewCipher
	case "1.2.840.113549.3.7":
		return 24, des.NewTripleDESCipher
	}
	return 0, nil
}

// hashes have one OID of their own, and one as those of an HMAC.
var hashes = [...]struct {
	own, hmac string
	new       func() hash.Hash
}{
	{"1.3.14.3.2.26", "1.2.840.113549.2.7", sha1.New},
	{"2.16.840.1.101.3.4.2.4", "1.2.840.113549.2.8", sha256.New224},
	{"2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9", sha256.New},
	{"2.16.840.1.101.3.4.2.2", "1.2.840.113549.2.10", sha512.New384},
	{"2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11", sha512.New},
}

// prfOf is the hash of an HMAC, SHA-1 where none is named, and nil of one that is not known.
func prfOf(oid string) func() hash.Hash {
	if oid == "" {
		return sha1.New
	}
	for _, h := range hashes {
		if h.hmac == oid {
			return h.new
		}
	}
	return nil
}

// digestOf is a hash by its own OID, nil of one that is not known.
func digestOf(oid string) func() hash.Hash {
	for _, h := range hashes {
		if h.own == oid {
			return h.new
		}
	}
	return nil
}
