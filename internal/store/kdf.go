// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/rand"
	"runtime"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/secret"
)

// derivation is how a key is made from a PIN: Argon2id, RFC 9106. It is kept
// with each PIN, so that a later release can choose a harder one.
type derivation struct {
	passes uint32
	memory uint32 // KiB
	lanes  uint8
	salt   []byte
}

const saltSize = 16

// newDerivation makes a PIN cost an attacker 19 MiB and two passes a guess, and
// a Raspberry Pi well under a second.
func newDerivation() derivation {
	d := derivation{passes: 2, memory: 19 << 10, lanes: 1, salt: make([]byte, saltSize)}
	rand.Read(d.salt) // never fails
	return d
}

// valid reports whether the numbers are ones to work with: a changed file must not make a login
// use up all memory.
func (d derivation) valid() bool {
	const maxPasses, maxMemory, maxLanes = 64, 1 << 20, 16
	return d.passes >= 1 && d.passes <= maxPasses && d.memory <= maxMemory &&
		d.lanes >= 1 && d.lanes <= maxLanes && len(d.salt) == saltSize
}

// hugePage is the size of the pages that makeRoom asks for.
const hugePage = 2 << 20

// makeRoom has the memory in which a key will be derived consist of huge pages, where the
// system has them. A new process, such as each worker of a server, would otherwise spend
// more time on getting its pages one by one than on the PIN. The memory is free again when
// this returns, and what is free is taken from the lowest address.
func (d derivation) makeRoom() {
	room := make([]byte, int(d.memory)<<10+2*hugePage)
	_ = unix.Madvise(room, unix.MADV_HUGEPAGE) // a wish
	runtime.KeepAlive(room)
	room = nil
	runtime.GC()
}

// key takes some tens of milliseconds. Argon2 leaves the PIN in a buffer of its
// own, in which a forked child would find it.
func (d derivation) key(pin []byte) *secret.Buffer {
	var key *secret.Buffer
	secret.Do(func() { key = secret.From(argon2.IDKey(pin, d.salt, d.passes, d.memory, d.lanes, keySize)) })
	secret.Collect()
	return key
}
