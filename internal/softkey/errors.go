// SPDX-License-Identifier: Apache-2.0

package softkey

import "errors"

// What can be wrong. The layer above turns each into one code of PKCS#11, for which doc.go
// has the table; errors.Is finds them.
var (
	// ErrKey is of numbers that are no key: off the curve, out of range, p·q ≠ n.
	ErrKey = errors.New("no valid key")
	// ErrKeySize is of a key that is too short or too long.
	ErrKeySize = errors.New("size of key not supported")
	// ErrParameter is of a parameter of the mechanism: an IV, a salt, a length of tag.
	ErrParameter = errors.New("invalid parameter")
	// ErrLength is of data that are too long, too short, or no whole blocks.
	ErrLength = errors.New("invalid length of data")
	// ErrData is of data that are not what an encryption or a wrapping has made.
	ErrData = errors.New("invalid data")
	// ErrSignature is of a signature or code that is not one of the message.
	ErrSignature = errors.New("invalid signature")
	// ErrSignatureLength is of a signature or code of an impossible length.
	ErrSignatureLength = errors.New("invalid length of signature")
	// ErrUnsupported is of what this package does not know: a curve, a hash, an encoding.
	ErrUnsupported = errors.New("not supported")
	// ErrExhausted is of a generator that has no IV left.
	ErrExhausted = errors.New("no IV left")
	// ErrEnded is of an operation that has ended before.
	ErrEnded = errors.New("operation has ended")
)
