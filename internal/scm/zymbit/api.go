// SPDX-License-Identifier: Apache-2.0

package zymbit

import "libzk_pkcs11/internal/scm"

// api is what the driver asks of the vendor's library, with one context that is
// open between open and close. An error of a call that the library or the module
// refused is a *failure.
type api interface {
	open() error
	close()
	// missing names the functions that the library does not have.
	missing() []string

	// text returns one of the strings that describe the module.
	text(property) (string, error)
	random(n int) ([]byte, error)

	// slots lists the allocated key slots. A library that cannot tell lists
	// the permanent ones.
	slots() ([]scm.Slot, error)
	publicKey(scm.Slot) ([]byte, error)
	sign(s scm.Slot, digest []byte) ([]byte, error)
	agree(s scm.Slot, peer []byte) ([]byte, error)
	generate(scm.Curve) (scm.Slot, error)
	remove(scm.Slot) error

	// wallet returns the name of the wallet that a key belongs to.
	wallet(scm.Slot) (name string, err error)
	// master returns the slot of a wallet's master key.
	master(name string) (scm.Slot, error)
	newMaster(c scm.Curve, name string) (scm.Slot, error)
	// child derives a key that is not hardened.
	child(parent scm.Slot, index uint32) (scm.Slot, error)
}

// property is a string that describes the module.
type property int

const (
	model property = iota
	firmware
	serial
)
