// SPDX-License-Identifier: Apache-2.0

// Package certificate makes requests and certificates with a key that never leaves its token, and
// writes public keys in the forms that programs read. It knows crypto.Signer and nothing of PKCS #11.
package certificate
