// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// sign signs through whatever happens, without another C_Initialize, and answers each
// question when all has worked.
func sign(c *client, questions <-chan struct{}) error {
	if err := c.initialize(); err != nil {
		return err
	}
	for {
		err := c.round()
		var rv pkcs11.Error
		switch {
		case err == nil:
			if done, err := c.answer(questions); done || err != nil {
				return err
			}
		case errors.As(err, &rv) || errors.Is(err, errLoggedOut):
			time.Sleep(time.Millisecond) // as hosts do, or the others come to nothing
		default:
			return err
		}
	}
}

// answer writes the report if there is a question, and reports whether there will be no more.
func (c *client) answer(questions <-chan struct{}) (done bool, err error) {
	select {
	case _, more := <-questions:
		if !more {
			return true, nil
		}
		return false, json.NewEncoder(os.Stdout).Encode(c.report)
	default:
		return false, nil
	}
}

// errLoggedOut: the token was initialised anew between C_Login and C_FindObjects.
var errLoggedOut = errors.New("no private keys are to be seen")

// round is what a host does: it signs with the keys that it finds, and with one that
// it makes and removes.
func (c *client) round() error {
	if err := c.open(); err != nil {
		return err
	}
	defer c.close()
	keys, err := c.find(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true))
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return errLoggedOut
	}
	for range 100 {
		if err := c.signAndVerify(keys[rand.N(len(keys))]); err != nil {
			return err
		}
	}
	key, err := c.generate("of a signer")
	if err != nil {
		return err
	}
	return errors.Join(c.signAndVerify(key), c.destroy(key))
}

// signAndVerify signs with a key and holds the signature against the public key
// that the object had before.
func (c *client) signAndVerify(key pkcs11.ObjectHandle) error {
	values, err := c.attributes(key, pkcs11.CKA_EC_PARAMS, pkcs11.CKA_EC_POINT)
	if err != nil {
		return err
	}
	var point []byte
	if _, err := asn1.Unmarshal(values[1], &point); err != nil {
		return err
	}
	mechanism, verify := uint(pkcs11.CKM_ECDSA), verifyP256
	if string(values[0]) == string(live.Ed25519) {
		mechanism, verify = live.CKM_EDDSA, verifyEd25519
	}
	data := make([]byte, 32)
	data[rand.N(32)] = byte(rand.N(256))
	sig, err := c.sign(mechanism, key, data)
	if err != nil {
		return err
	}
	if !verify(point, data, sig) {
		return fmt.Errorf("WRONG SIGNATURE %x of %x by the key %x", sig, data, point)
	}
	c.report.Signed++
	return nil
}

func verifyP256(point, digest, sig []byte) bool {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	return err == nil && len(sig) == 64 &&
		ecdsa.Verify(public, digest, new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

func verifyEd25519(point, message, sig []byte) bool {
	return len(point) == ed25519.PublicKeySize && ed25519.Verify(point, message, sig)
}
