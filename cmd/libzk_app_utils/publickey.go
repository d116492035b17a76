// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"encoding/asn1"
	"encoding/pem"

	"libzk_pkcs11/internal/scm"
)

//export goExportPubKey
func goExportPubKey(ctx context, pk **C.uint8_t, size *C.int, slot C.int, foreign C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, pk) || !required(&c, size) {
		return result
	}
	k, err := publicKey(c.device, slot, foreign)
	if c.succeeded(err) {
		giveSized(pk, size, k.Public)
	}
	return result
}

//export goGetECDSAPubKey
func goGetECDSAPubKey(ctx context, pk **C.uint8_t, size *C.int, slot C.int) C.int {
	return goExportPubKey(ctx, pk, size, slot, false)
}

//export goExportPubKey2File
func goExportPubKey2File(ctx context, filename *C.char, slot C.int, foreign C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	path := c.textOf(filename)
	if !c.accepted() {
		return result
	}
	k, err := publicKey(c.device, slot, foreign)
	if c.succeeded(err) {
		c.err = writePEM(path, k)
	}
	return result
}

func writePEM(path string, k scm.Key) error {
	encoded, err := encodePEM(k)
	if err != nil {
		return err
	}
	return writePublic(path, encoded)
}

//export goSaveECDSAPubKey2File
func goSaveECDSAPubKey2File(ctx context, filename *C.char, slot C.int) C.int {
	return goExportPubKey2File(ctx, filename, slot, false)
}

func publicKey(d *device, slot C.int, foreign C.bool) (scm.Key, error) {
	if foreign {
		return d.ForeignKey(slotOf(slot))
	}
	return d.PublicKey(slotOf(slot))
}

// keyInfo is the SubjectPublicKeyInfo of RFC 5280.
type keyInfo struct {
	Algorithm struct {
		Algorithm asn1.ObjectIdentifier
		Curve     asn1.ObjectIdentifier `asn1:"optional"`
	}
	Public asn1.BitString
}

// Object identifiers of RFC 5480, SEC 2 and RFC 8410.
var (
	ecPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	prime256v1  = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	secp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	idX25519    = asn1.ObjectIdentifier{1, 3, 101, 110}
	idEd25519   = asn1.ObjectIdentifier{1, 3, 101, 112}
)

// encodePEM returns a public key as a PEM file holds it.
func encodePEM(k scm.Key) ([]byte, error) {
	var info keyInfo
	point := append([]byte{4}, k.Public...)
	switch k.Curve {
	case scm.P256:
		info.Algorithm.Algorithm, info.Algorithm.Curve = ecPublicKey, prime256v1
	case scm.Secp256k1:
		info.Algorithm.Algorithm, info.Algorithm.Curve = ecPublicKey, secp256k1
	case scm.X25519:
		info.Algorithm.Algorithm, point = idX25519, k.Public
	default:
		info.Algorithm.Algorithm, point = idEd25519, k.Public
	}
	info.Public = asn1.BitString{Bytes: point, BitLength: 8 * len(point)}
	der, err := asn1.Marshal(info)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
