// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goCreateObject
func goCreateObject(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, object C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_CreateObject", sessionArg(h), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if to, list := destinationOf(&c, object, toULong), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.CreateObject(uint(h), list))
	}
	return rv
}

//export goCopyObject
func goCopyObject(h C.CK_SESSION_HANDLE, from C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, object C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_CopyObject", sessionArg(h), objectArg(from), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if to, list := destinationOf(&c, object, toULong), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.CopyObject(uint(h), uint(from), list))
	}
	return rv
}

//export goDestroyObject
func goDestroyObject(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_DestroyObject", sessionArg(h), objectArg(object))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.DestroyObject(uint(h), uint(object))
	}
	return rv
}

//export goGetObjectSize
func goGetObjectSize(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, size C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetObjectSize", sessionArg(h), objectArg(object))
	defer c.endWithin(&rv, h)
	if to := destinationOf(&c, size, toULong); c.accepted() {
		c.err = to.deliver(c.library.provider.GetObjectSize(uint(h), uint(object)))
	}
	return rv
}

//export goGetAttributeValue
func goGetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_GetAttributeValue", sessionArg(h), objectArg(object), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if list := queries(&c, t, n); c.accepted() {
		c.err = c.library.provider.GetAttributeValue(uint(h), uint(object), list)
	}
	return rv
}

//export goSetAttributeValue
func goSetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_SetAttributeValue", sessionArg(h), objectArg(object), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if list := template(&c, t, n); c.accepted() {
		c.err = c.library.provider.SetAttributeValue(uint(h), uint(object), list)
	}
	return rv
}

//export goFindObjectsInit
func goFindObjectsInit(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_FindObjectsInit", sessionArg(h), typesArg(t, n))
	defer c.endWithin(&rv, h)
	if list := template(&c, t, n); c.accepted() {
		c.err = c.library.provider.FindObjectsInit(uint(h), list)
	}
	return rv
}

//export goFindObjects
func goFindObjects(h C.CK_SESSION_HANDLE, objects C.CK_OBJECT_HANDLE_PTR, most C.CK_ULONG, count C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_FindObjects", sessionArg(h), lengthArg(most))
	defer c.endWithin(&rv, h)
	if found, to := handles(&c, objects, most), destinationOf(&c, count, toCount); c.accepted() {
		c.err = to.deliver(c.library.provider.FindObjects(uint(h), found))
	}
	return rv
}

//export goFindObjectsFinal
func goFindObjectsFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_FindObjectsFinal", sessionArg(h))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.FindObjectsFinal(uint(h))
	}
	return rv
}
