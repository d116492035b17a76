// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goGetSlotList
func goGetSlotList(present C.CK_BBOOL, list C.CK_SLOT_ID_PTR, count C.CK_ULONG_PTR) C.CK_RV {
	return lasting("C_GetSlotList", nil, func(p *pkcs11.Provider) error {
		return p.GetSlotList(present != C.CK_FALSE, output[uint](list, count))
	})
}

//export goGetSlotInfo
func goGetSlotInfo(slot C.CK_SLOT_ID, info C.CK_SLOT_INFO_PTR) C.CK_RV {
	return onSlot("C_GetSlotInfo", slot, args{slotArg(slot)}, func(p *pkcs11.Provider) error {
		return fill(info, slotInfoOf)(p.GetSlotInfo(uint(slot)))
	})
}

//export goGetTokenInfo
func goGetTokenInfo(slot C.CK_SLOT_ID, info C.CK_TOKEN_INFO_PTR) C.CK_RV {
	return onSlot("C_GetTokenInfo", slot, args{slotArg(slot)}, func(p *pkcs11.Provider) error {
		return fill(info, tokenInfoOf)(p.GetTokenInfo(uint(slot)))
	})
}

//export goWaitForSlotEvent
func goWaitForSlotEvent(flags C.CK_FLAGS, slot C.CK_SLOT_ID_PTR, reserved C.CK_VOID_PTR) C.CK_RV {
	return lasting("C_WaitForSlotEvent", args{flagsArg(flags)}, func(p *pkcs11.Provider) error {
		if reserved != nil {
			return pkcs11.CKR_ARGUMENTS_BAD
		}
		return fill(slot, ulong)(p.WaitForSlotEvent(uint(flags)))
	})
}

//export goGetMechanismList
func goGetMechanismList(slot C.CK_SLOT_ID, list C.CK_MECHANISM_TYPE_PTR, count C.CK_ULONG_PTR) C.CK_RV {
	return onSlot("C_GetMechanismList", slot, args{slotArg(slot)}, func(p *pkcs11.Provider) error {
		return p.GetMechanismList(uint(slot), output[uint](list, count))
	})
}

//export goGetMechanismInfo
func goGetMechanismInfo(slot C.CK_SLOT_ID, m C.CK_MECHANISM_TYPE, info C.CK_MECHANISM_INFO_PTR) C.CK_RV {
	return onSlot("C_GetMechanismInfo", slot, args{slotArg(slot), mechanismTypeArg(m)}, func(p *pkcs11.Provider) error {
		return fill(info, mechanismInfoOf)(p.GetMechanismInfo(uint(slot), uint(m)))
	})
}

//export goInitToken
func goInitToken(slot C.CK_SLOT_ID, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG, label C.CK_UTF8CHAR_PTR) C.CK_RV {
	return lasting("C_InitToken", args{slotArg(slot)}, func(p *pkcs11.Provider) error {
		return p.InitToken(uint(slot), view[byte](pin, n), view[byte](need(label), labelSize))
	})
}

//export goInitPIN
func goInitPIN(h C.CK_SESSION_HANDLE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return lastingWithin("C_InitPIN", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.InitPIN(uint(h), view[byte](pin, n))
	})
}

//export goSetPIN
func goSetPIN(h C.CK_SESSION_HANDLE, old C.CK_UTF8CHAR_PTR, nold C.CK_ULONG, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return lastingWithin("C_SetPIN", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.SetPIN(uint(h), view[byte](old, nold), view[byte](pin, n))
	})
}
