// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"libzk_pkcs11/pkcs11"
)

// signer is a private key on the token.
type signer struct {
	ring   *Ring
	key    uint
	public crypto.PublicKey
}

// Signer returns the private key as one that signs requests and certificates.
func (r *Ring) Signer(k *Key) (crypto.Signer, error) {
	switch {
	case k.Secret:
		return nil, fmt.Errorf("the key %q is of the type %s, for which there are no certificates", k.Label, k.Type)
	case k.Public == nil:
		return nil, fmt.Errorf("the key %q does not tell its public key, without which there is no certificate", k.Label)
	case k.Private == 0:
		return nil, fmt.Errorf("the private key of %q is not on this token", k.Label)
	}
	public, err := x509.ParsePKIXPublicKey(k.Public.DER)
	if err != nil {
		return nil, fmt.Errorf("certificates are made for keys on P-256, P-384 and P-521, of Ed25519 and of RSA, and not for one of the type %s", k.Type)
	}
	switch public.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey, *rsa.PublicKey:
		return &signer{ring: r, key: k.Private, public: public}, nil
	}
	return nil, fmt.Errorf("a key of the type %s signs nothing: it only agrees on secrets", k.Type)
}

// Public returns the public key.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign signs a digest, or with Ed25519 a message.
func (s *signer) Sign(_ io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	switch s.public.(type) {
	case ed25519.PublicKey:
		signature, err := s.sign(pkcs11.CKM_EDDSA, digest)
		if errors.Is(err, pkcs11.CKR_DATA_LEN_RANGE) {
			err = fmt.Errorf("this SCM signs messages of 32 bytes with Ed25519 and no others, which no certificate is; take a key on P-256 (%w)", err)
		}
		return signature, err
	case *rsa.PublicKey:
		return s.signRSA(digest, options)
	}
	raw, err := s.sign(pkcs11.CKM_ECDSA, digest)
	if err != nil {
		return nil, err
	}
	half := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
}

// signRSA signs by PKCS #1 v1.5, which is what certificates are signed by where nothing else is asked for.
func (s *signer) signRSA(digest []byte, options crypto.SignerOpts) ([]byte, error) {
	if _, pss := options.(*rsa.PSSOptions); pss {
		return nil, errors.New("signatures by PSS are not made here")
	}
	oid, known := digestOIDs()[options.HashFunc()]
	if !known {
		return nil, fmt.Errorf("signatures with %v are not made here", options.HashFunc())
	}
	var info struct {
		Algorithm struct {
			OID  asn1.ObjectIdentifier
			Null asn1.RawValue
		}
		Digest []byte
	}
	info.Algorithm.OID, info.Algorithm.Null, info.Digest = oid, asn1.NullRawValue, digest
	encoded, err := asn1.Marshal(info)
	if err != nil {
		return nil, err
	}
	return s.sign(pkcs11.CKM_RSA_PKCS, encoded)
}

func digestOIDs() map[crypto.Hash]asn1.ObjectIdentifier {
	return map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	}
}

// longestSignature has room for that of RSA with 4096 bits.
const longestSignature = 512

// sign signs what a mechanism takes.
func (s *signer) sign(mechanism uint, data []byte) ([]byte, error) {
	p := s.ring.Provider
	if err := p.SignInit(s.ring.Session, &pkcs11.Mechanism{Type: mechanism}, s.key); err != nil {
		return nil, err
	}
	if err := s.authenticate(); err != nil {
		return nil, err
	}
	signature := make([]byte, longestSignature)
	n := uint(len(signature))
	err := p.Sign(s.ring.Session, data, pkcs11.Output[byte]{Buffer: signature, Length: &n})
	return signature[:n], err
}

// authenticate logs in for the signature that was begun, if the key wants that.
func (s *signer) authenticate() error {
	v, err := s.ring.read(s.key, pkcs11.CKA_ALWAYS_AUTHENTICATE)
	if err != nil || !v.isTrue(pkcs11.CKA_ALWAYS_AUTHENTICATE) {
		return err
	}
	pin, err := s.ring.PIN()
	if err != nil {
		return err
	}
	defer clear(pin)
	return s.ring.Provider.Login(s.ring.Session, pkcs11.CKU_CONTEXT_SPECIFIC, pin)
}
