// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Output is a caller's buffer for a result of variable length, with the length
// convention of the specification (section 5.2): no buffer asks for the size, a
// buffer that is too small is told the size, and in every other case Length
// tells what was written.
type Output[T any] struct {
	Buffer []T   // the caller's buffer; nil when the caller only asks for the size
	Length *uint // where the caller reads the length; nil is a caller's mistake
}

// isWanted reports whether a result of n elements is wanted now. When it is not, the
// caller has been told n.
func (o Output[T]) isWanted(n int) (bool, error) {
	if o.Length == nil {
		return false, CKR_ARGUMENTS_BAD
	}
	if o.Buffer == nil {
		*o.Length = uint(n)
		return false, nil
	}
	if len(o.Buffer) < n {
		*o.Length = uint(n)
		return false, CKR_BUFFER_TOO_SMALL
	}
	return true, nil
}

// copyResult copies a result that is wanted into the buffer.
func (o Output[T]) copyResult(values []T) {
	*o.Length = uint(copy(o.Buffer, values))
}

// copyUnless is copyResult for a result that there is unless err is not nil.
func (o Output[T]) copyUnless(values []T, err error) error {
	if err == nil {
		o.copyResult(values)
	}
	return err
}

// writeResult is isWanted and copyResult for a result that is at hand.
func (o Output[T]) writeResult(values []T) error {
	ok, err := o.isWanted(len(values))
	if ok {
		o.copyResult(values)
	}
	return err
}
