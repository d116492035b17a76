// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"crypto/fips140"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// Limits of key derivation, in bytes and rounds. The documentation sets those of
// salt, info and the output of HKDF; the others keep a call from taking hours.
const (
	maxSalt   = 128
	maxInfo   = 128
	maxBlocks = 255        // of the hash, that HKDF can put out; the output has to be shorter
	maxRounds = 10_000_000 // of PBKDF2, for all blocks together
)

//export goDoRawECDH
func goDoRawECDH(ctx context, slot C.int, peer *C.uint8_t, size C.int, secret **C.uint8_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, secret)
	if peer := c.bytesOf(peer, size); c.accepted() {
		s, err := c.device.Agree(slotOf(slot), peer)
		if c.succeeded(err) {
			giveBytes(secret, s)
		}
	}
	return result
}

//export goDoRawECDHWithIntPeerPubkey
func goDoRawECDHWithIntPeerPubkey(ctx context, slot, peer C.int, foreign C.bool, secret **C.uint8_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, secret) {
		return result
	}
	s, err := agreeWithin(c.device, slot, peer, foreign)
	if c.succeeded(err) {
		giveBytes(secret, s)
	}
	return result
}

//export goDoECDHAndKDF
func goDoECDHAndKDF(ctx context, kdf, slot C.int, peer *C.uint8_t, size C.int,
	salt *C.uint8_t, saltSize C.int, info *C.uint8_t, infoSize C.int, rounds, keySize C.int, key **C.uint8_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, key)
	k := c.derivation(kdf, c.bytesOf(salt, saltSize), c.bytesOf(info, infoSize), rounds, keySize)
	if peer := c.bytesOf(peer, size); c.accepted() {
		s, err := c.device.Agree(slotOf(slot), peer)
		if c.succeeded(err) {
			c.giveDerived(key, k, s)
		}
	}
	return result
}

//export goDoECDHAndKDFWithIntPeerPubkey
func goDoECDHAndKDFWithIntPeerPubkey(ctx context, kdf, slot, peer C.int, foreign C.bool,
	salt *C.uint8_t, saltSize C.int, info *C.uint8_t, infoSize C.int, rounds, keySize C.int, key **C.uint8_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, key)
	k := c.derivation(kdf, c.bytesOf(salt, saltSize), c.bytesOf(info, infoSize), rounds, keySize)
	if !c.accepted() {
		return result
	}
	s, err := agreeWithin(c.device, slot, peer, foreign)
	if c.succeeded(err) {
		c.giveDerived(key, k, s)
	}
	return result
}

// agreeWithin agrees with the public key in another slot of either numbering.
func agreeWithin(d *device, slot, peer C.int, foreign C.bool) ([]byte, error) {
	if foreign {
		return d.AgreeWithForeign(slotOf(slot), slotOf(peer))
	}
	return d.AgreeWith(slotOf(slot), slotOf(peer))
}

// derivation makes a key of a shared secret, by the numbers of ZK_ECDH_KDF_TYPE.
type derivation struct {
	hash         func() hash.Hash
	pbkdf2       bool
	salt, info   []byte
	rounds, size int
}

// derivation is that which a caller asks for. It is refused where its numbers make no sense.
func (c *call) derivation(kdf C.int, salt, info []byte, rounds, size C.int) derivation {
	if kdf < 0 || kdf > 3 || len(salt) > maxSalt || len(info) > maxInfo || size <= 0 {
		c.refuse(errArgument)
		return derivation{}
	}
	k := derivation{hash: sha256.New, pbkdf2: kdf >= 2, salt: salt, info: info, rounds: int(rounds), size: int(size)}
	if kdf%2 == 1 {
		k.hash = sha512.New
	}
	if !k.sensible() {
		c.refuse(errArgument)
	}
	return k
}

// sensible reports whether the derivation keeps within its limits.
func (k derivation) sensible() bool {
	blocks := k.size/k.hash().Size() + 1
	if k.pbkdf2 {
		return k.rounds > 0 && k.rounds <= maxRounds/blocks
	}
	return blocks <= maxBlocks
}

// derive makes the key of a secret. Package fips140 lets it be of any length, and of few
// rounds, also with GODEBUG=fips140=only in the environment.
func (k derivation) derive(secret []byte) (key []byte, err error) {
	fips140.WithoutEnforcement(func() {
		if k.pbkdf2 {
			key, err = pbkdf2.Key(k.hash, string(secret), k.salt, k.rounds, k.size)
		} else {
			key, err = hkdf.Key(k.hash, secret, k.salt, string(k.info), k.size)
		}
	})
	return key, err
}

// giveDerived hands over the key that is made of a secret.
func (c *call) giveDerived(to **C.uint8_t, k derivation, secret []byte) {
	key, err := k.derive(secret)
	if c.succeeded(err) {
		giveBytes(to, key)
	}
}
