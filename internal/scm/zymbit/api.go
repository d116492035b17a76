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
	// binding tells whether the module is in production mode, and whether it is
	// bound to this host.
	binding() (production, bound bool, err error)
	volts() (float32, error)
	celsius() (float32, error)
	// breaches returns a time of each perimeter channel.
	breaches() ([]uint32, error)
	random(n int) ([]byte, error)

	// slots lists the allocated key slots.
	slots() ([]scm.Slot, error)
	publicKey(scm.Slot) ([]byte, error)
	sign(s scm.Slot, digest []byte) ([]byte, error)
	agree(s scm.Slot, peer []byte) ([]byte, error)
	generate(scm.Curve) (scm.Slot, error)
	remove(scm.Slot) error

	// The same for the public keys of others, in slots of their own.
	foreignSlots() ([]scm.Slot, error)
	foreignKey(scm.Slot) ([]byte, error)
	storeForeign(c scm.Curve, public []byte) (scm.Slot, error)
	removeForeign(scm.Slot) error
	// verify reports whether a key verifies a signature of 64 bytes.
	verify(s scm.Slot, digest, sig []byte) (bool, error)
	verifyForeign(s scm.Slot, digest, sig []byte) (bool, error)

	// lock and unlock are scm.Locker's. Unlock gives nil for data that the
	// module has not locked.
	lock(plain []byte, under scm.LockKey) ([]byte, error)
	unlock(locked []byte, under scm.LockKey) ([]byte, error)
	// time and nextSecond are scm.Clock's.
	time() (uint32, error)
	nextSecond() (uint32, error)

	// bootFiles returns the manifest of supervised boot.
	bootFiles() (string, error)
	addBootFile(path string, signer scm.Slot) error
	removeBootFile(path string) error

	// node returns the address of a key in its wallet, the wallet's name, and
	// the slot of its master key.
	node(scm.Slot) (address, name string, master scm.Slot, err error)
	// nodeSlot undoes node. The wallet is the one of that name, or of the master
	// key's slot where the name is "".
	nodeSlot(address, name string, master scm.Slot) (scm.Slot, error)
	// newSeed makes a wallet, and newSeedWithWords the words that recover it, too.
	newSeed(scm.WalletSeed) (scm.Slot, error)
	newSeedWithWords(scm.WalletSeed) (s scm.Slot, words string, err error)
	restoreSeed(w scm.WalletSeed, words string) (scm.Slot, error)
	// child derives a key, and tells the chain code of a hardened one.
	child(parent scm.Slot, c scm.Child) (s scm.Slot, chainCode []byte, err error)

	// The steps of a SLIP39 session. Those with a done make the wallet in the end.
	beginShares(w scm.WalletSeed, groups, threshold, exponent int) error
	setGroup(index, members, threshold int) error
	addShare(passphrase string) (words string, s scm.Slot, done bool, err error)
	beginRestore(scm.WalletSeed) error
	addRestore(passphrase, words string) (s scm.Slot, done bool, err error)
	cancelShares() error
}

// property is a string that describes the module.
type property int

const (
	model property = iota
	firmware
	serial
)
