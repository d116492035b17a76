// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import (
	"unsafe"

	"libzk_pkcs11/pkcs11"
)

// nestedTemplate converts the value of an attribute that is a template. What is in it is taken as it is, so that templates
// in templates do not go on.
func nestedTemplate(c *call, a *C.CK_ATTRIBUTE) []byte {
	if a.ulValueLen%C.sizeof_CK_ATTRIBUTE != 0 {
		return []byte{0} // refused where the attribute is looked at
	}
	inner := innerAttributes(c, a)
	list := make([]pkcs11.Attribute, len(inner))
	for i := range inner {
		x := &inner[i]
		list[i] = pkcs11.Attribute{Type: uint(x._type), Value: sliceOf[byte](c, (*byte)(x.pValue), x.ulValueLen)}
	}
	if !c.accepted() {
		return nil
	}
	return pkcs11.EncodeTemplate(list)
}

// nestedQueries shows where the attributes of such a template go.
func nestedQueries(c *call, a *C.CK_ATTRIBUTE) []pkcs11.NestedQuery {
	inner := innerAttributes(c, a)
	list := make([]pkcs11.NestedQuery, len(inner))
	for i := range inner {
		x := &inner[i]
		list[i] = pkcs11.NestedQuery{
			Type:   (*uint)(unsafe.Pointer(&x._type)),
			Buffer: bufferOf[byte](c, (*byte)(x.pValue), x.ulValueLen),
			Length: (*uint)(unsafe.Pointer(&x.ulValueLen)),
		}
	}
	return list
}

// innerAttributes shows the attributes that are the value of one. What lies where no CK_ATTRIBUTE can is none.
func innerAttributes(c *call, a *C.CK_ATTRIBUTE) []C.CK_ATTRIBUTE {
	if uintptr(a.pValue)%unsafe.Alignof(*a) != 0 {
		c.refuse(pkcs11.CKR_ARGUMENTS_BAD)
		return nil
	}
	return attributes(c, C.CK_ATTRIBUTE_PTR(a.pValue), a.ulValueLen/C.sizeof_CK_ATTRIBUTE)
}
