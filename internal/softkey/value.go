// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"runtime"

	"libzk_pkcs11/internal/secret"
)

// value is the secret part of a key, in memory that is not part of a core dump or of a
// forked child. It is given back when the collector finds the key out of use: nobody has to
// know when the last operation with it has ended.
type value struct {
	buffer *secret.Buffer
}

// newValue returns a value with a copy of b, which stays where it is.
func newValue(b []byte) *value {
	v := &value{secret.New(len(b))}
	copy(v.buffer.Bytes(), b)
	runtime.AddCleanup(v, (*secret.Buffer).Destroy, v.buffer)
	return v
}

// size is its length in bytes.
func (v *value) size() int { return len(v.buffer.Bytes()) }

// copied returns a copy, which the caller overwrites.
func (v *value) copied() []byte {
	b := secret.Make(v.size())
	copy(b, v.buffer.Bytes())
	runtime.KeepAlive(v)
	return b
}
