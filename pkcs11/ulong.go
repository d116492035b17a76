// SPDX-License-Identifier: Apache-2.0

package pkcs11

// EncodeULong is a CK_ULONG as an attribute has it, for programs that make templates in Go.
func EncodeULong(v uint) []byte { return encodeULong(v) }

// DecodeULong reads what EncodeULong makes, and reports whether it is of that length.
func DecodeULong(b []byte) (uint, bool) { return decodeULong(b) }
