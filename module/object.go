// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goCreateObject
func goCreateObject(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, object C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return within("C_CreateObject", h, args{sessionArg(h), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return fill(object, ulong)(p.CreateObject(uint(h), template(t, n)))
	})
}

//export goCopyObject
func goCopyObject(h C.CK_SESSION_HANDLE, from C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, object C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return within("C_CopyObject", h, args{sessionArg(h), objectArg(from), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return fill(object, ulong)(p.CopyObject(uint(h), uint(from), template(t, n)))
	})
}

//export goDestroyObject
func goDestroyObject(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_DestroyObject", h, args{sessionArg(h), objectArg(object)}, func(p *pkcs11.Provider) error {
		return p.DestroyObject(uint(h), uint(object))
	})
}

//export goGetObjectSize
func goGetObjectSize(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, size C.CK_ULONG_PTR) C.CK_RV {
	return within("C_GetObjectSize", h, args{sessionArg(h), objectArg(object)}, func(p *pkcs11.Provider) error {
		return fill(size, ulong)(p.GetObjectSize(uint(h), uint(object)))
	})
}

//export goGetAttributeValue
func goGetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return within("C_GetAttributeValue", h, args{sessionArg(h), objectArg(object), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return p.GetAttributeValue(uint(h), uint(object), queries(t, n))
	})
}

//export goSetAttributeValue
func goSetAttributeValue(h C.CK_SESSION_HANDLE, object C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return within("C_SetAttributeValue", h, args{sessionArg(h), objectArg(object), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return p.SetAttributeValue(uint(h), uint(object), template(t, n))
	})
}

//export goFindObjectsInit
func goFindObjectsInit(h C.CK_SESSION_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) C.CK_RV {
	return within("C_FindObjectsInit", h, args{sessionArg(h), typesArg(t, n)}, func(p *pkcs11.Provider) error {
		return p.FindObjectsInit(uint(h), template(t, n))
	})
}

//export goFindObjects
func goFindObjects(h C.CK_SESSION_HANDLE, objects C.CK_OBJECT_HANDLE_PTR, most C.CK_ULONG, count C.CK_ULONG_PTR) C.CK_RV {
	return within("C_FindObjects", h, args{sessionArg(h), lengthArg(most)}, func(p *pkcs11.Provider) error {
		if most > 0 {
			need(objects)
		}
		return fill(count, number)(p.FindObjects(uint(h), room[uint](objects, most)))
	})
}

//export goFindObjectsFinal
func goFindObjectsFinal(h C.CK_SESSION_HANDLE) C.CK_RV {
	return within("C_FindObjectsFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.FindObjectsFinal(uint(h))
	})
}
