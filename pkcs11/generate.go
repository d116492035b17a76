// SPDX-License-Identifier: Apache-2.0

package pkcs11

// The constants and their names come from the C headers, so that both languages have the same.
//
//go:generate go run ../scripts/gen
