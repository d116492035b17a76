// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"hash"
	"slices"
)

// longestBlock is that of SHA3-224, the longest of all hashes.
const longestBlock = 144

// Forget takes what was written to a hash out of its memory, and resets it. Reset alone
// leaves the bytes of the last block there.
func Forget(h hash.Hash) {
	var zeros [longestBlock]byte
	h.Reset()
	h.Write(zeros[:min(h.BlockSize(), longestBlock)-1])
	h.Reset()
}

// Append is append for secrets: memory that became too small is overwritten.
func Append(b []byte, more ...byte) []byte {
	if len(b)+len(more) <= cap(b) {
		return append(b, more...)
	}
	longer := append(slices.Grow([]byte(nil), 2*len(b)+len(more)), b...)
	clear(b)
	return append(longer, more...)
}
