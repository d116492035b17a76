// SPDX-License-Identifier: Apache-2.0

package secret

import "hash"

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

// Make is make for what is private: the memory is overwritten when it is collected, should
// its owner not overwrite it before.
func Make(n int) (b []byte) {
	Do(func() { b = make([]byte, n) })
	return b
}

// Append is append for secrets: memory that became too small is overwritten.
func Append(b []byte, more ...byte) []byte {
	if len(b)+len(more) <= cap(b) {
		return append(b, more...)
	}
	longer := Make(2*len(b) + len(more))
	n := copy(longer, b)
	n += copy(longer[n:], more)
	clear(b)
	return longer[:n]
}
