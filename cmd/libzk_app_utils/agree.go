// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
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
func goDoRawECDH(ctx context, slot C.int, peer *C.uint8_t, size C.int, secret **C.uint8_t) C.int {
	return call(ctx, func(d *device) error {
		need(secret)
		s, err := d.Agree(slotOf(slot), view(peer, size))
		if err == nil {
			give(secret, s)
		}
		return err
	})
}

//export goDoRawECDHWithIntPeerPubkey
func goDoRawECDHWithIntPeerPubkey(ctx context, slot, peer C.int, foreign C.bool, secret **C.uint8_t) C.int {
	return call(ctx, func(d *device) error {
		need(secret)
		s, err := agreeWithin(d, slot, peer, foreign)
		if err == nil {
			give(secret, s)
		}
		return err
	})
}

//export goDoECDHAndKDF
func goDoECDHAndKDF(ctx context, kdf, slot C.int, peer *C.uint8_t, size C.int,
	salt *C.uint8_t, saltSize C.int, info *C.uint8_t, infoSize C.int, rounds, keySize C.int, key **C.uint8_t) C.int {
	return call(ctx, func(d *device) error {
		need(key)
		k := newDerivation(kdf, view(salt, saltSize), view(info, infoSize), rounds, keySize)
		s, err := d.Agree(slotOf(slot), view(peer, size))
		return k.give(key, s, err)
	})
}

//export goDoECDHAndKDFWithIntPeerPubkey
func goDoECDHAndKDFWithIntPeerPubkey(ctx context, kdf, slot, peer C.int, foreign C.bool,
	salt *C.uint8_t, saltSize C.int, info *C.uint8_t, infoSize C.int, rounds, keySize C.int, key **C.uint8_t) C.int {
	return call(ctx, func(d *device) error {
		need(key)
		k := newDerivation(kdf, view(salt, saltSize), view(info, infoSize), rounds, keySize)
		s, err := agreeWithin(d, slot, peer, foreign)
		return k.give(key, s, err)
	})
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

func newDerivation(kdf C.int, salt, info []byte, rounds, size C.int) derivation {
	check(kdf >= 0 && kdf <= 3 && len(salt) <= maxSalt && len(info) <= maxInfo && size > 0)
	k := derivation{hash: sha256.New, pbkdf2: kdf >= 2, salt: salt, info: info, rounds: int(rounds), size: int(size)}
	if kdf%2 == 1 {
		k.hash = sha512.New
	}
	blocks := k.size/k.hash().Size() + 1
	if k.pbkdf2 {
		check(rounds > 0 && k.rounds <= maxRounds/blocks)
	} else {
		check(blocks <= maxBlocks)
	}
	return k
}

func (k derivation) derive(secret []byte) ([]byte, error) {
	if k.pbkdf2 {
		return pbkdf2.Key(k.hash, string(secret), k.salt, k.rounds, k.size)
	}
	return hkdf.Key(k.hash, secret, k.salt, string(k.info), k.size)
}

// give hands over the key that is made of a secret, unless there was an error.
func (k derivation) give(to **C.uint8_t, secret []byte, err error) error {
	if err != nil {
		return err
	}
	key, err := k.derive(secret)
	if err == nil {
		give(to, key)
	}
	return err
}
