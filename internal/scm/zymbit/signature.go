// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// readSignature returns the 64 bytes of a signature that the key verifies, which may come
// in DER. The error says what the bytes look like, and not which they are.
func readSignature(k scm.Key, digest, given []byte) ([]byte, error) {
	if isValid(k, digest, given) {
		return given, nil
	}
	if raw, ok := fromDER(given); ok && isValid(k, digest, raw) {
		return raw, nil
	}
	return nil, fmt.Errorf("a signature of %d bytes that the key does not verify (%s); report this with the version of the vendor's library: %w",
		len(given), describeSignature(k, digest, given), scm.ErrDevice)
}

// fromDER reads the r and s of an ECDSA signature, and reports whether sig is one.
func fromDER(sig []byte) (raw []byte, ok bool) {
	var rs struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(sig, &rs)
	if err != nil || len(rest) > 0 || rs.R.Sign() <= 0 || rs.S.Sign() <= 0 || rs.R.BitLen() > 256 || rs.S.BitLen() > 256 {
		return nil, false
	}
	raw = make([]byte, 64)
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	return raw, true
}

// describeSignature tells what is known of a signature that is not valid.
func describeSignature(k scm.Key, digest, sig []byte) string {
	if raw, ok := fromDER(sig); ok {
		sig = raw
	}
	switch {
	case len(sig) == 0:
		return "empty"
	case len(sig) == 65 && (isValid(k, digest, sig[:64]) || isValid(k, digest, sig[1:])):
		return "valid but for one byte at an end"
	case len(sig) != 64:
		return "of a length that no form has"
	case !slices.ContainsFunc(sig, func(b byte) bool { return b != 0 }):
		return "zeros"
	case isValid(k, digest, slices.Concat(sig[32:], sig[:32])):
		return "valid with its halves exchanged"
	case isValid(k, digest, backwards(sig)):
		return "valid with each half backwards"
	}
	return looksHashed(k, digest, sig)
}

// looksHashed reports whether the module has hashed once more what it was to sign.
func looksHashed(k scm.Key, digest, sig []byte) string {
	short, long := sha256.Sum256(digest), sha512.Sum512(digest)
	switch {
	case isValid(k, short[:], sig):
		return "valid over the SHA-256 of what was to be signed"
	case isValid(k, long[:], sig):
		return "valid over the SHA-512 of what was to be signed"
	}
	return "of the right length, over something else or by another key"
}

// backwards reverses each half of a signature.
func backwards(sig []byte) []byte {
	sig = slices.Clone(sig)
	slices.Reverse(sig[:32])
	slices.Reverse(sig[32:])
	return sig
}
