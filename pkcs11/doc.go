// SPDX-License-Identifier: Apache-2.0

// Package pkcs11 is the provider: what the functions of PKCS#11 3.2 mean for
// the key slots of a Secure Compute Module. It is pure Go. It knows no C, opens
// no file and reads no environment; package main in module/ translates between
// it and the C interface, package scm is the device below it and package store
// keeps what the device cannot.
//
// A [Provider] has a method for each function of the specification, with the
// same name and the same order of arguments, and two for C_GetSlotList; the sections that comments name are
// those of PKCS#11 3.2. Handles are numbers that are never used twice. An error
// is an [Error], the CK_RV that the caller gets; everything else that can go
// wrong below is turned into one in a single place (errors.go).
//
// docs/ARCHITECTURE.md has the order in which locks are taken, and the words.
package pkcs11
