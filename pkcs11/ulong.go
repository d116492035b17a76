// SPDX-License-Identifier: Apache-2.0

package pkcs11

// EncodeULong is a CK_ULONG as an attribute has it, for who makes templates in Go.
func EncodeULong(v uint) []byte { return encodeULong(v) }
