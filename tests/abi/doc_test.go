// SPDX-License-Identifier: Apache-2.0

// Package abi holds include/pkcs11.h against other people's definitions of the
// same interface, and against a written table of sizes and offsets. Its tests
// run C compilers.
package abi
