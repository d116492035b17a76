// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goGetSlotList
func goGetSlotList(present C.CK_BBOOL, list C.CK_SLOT_ID_PTR, count C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetSlotList")
	defer c.end(&rv)
	if list := output[uint](&c, list, count); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return listSlots(p, present, list) })
	}
	return rv
}

func listSlots(p *pkcs11.Provider, present C.CK_BBOOL, list pkcs11.Output[uint]) error {
	if present == C.CK_FALSE {
		return p.GetSlotList(list)
	}
	return p.GetSlotListWithToken(list)
}

//export goGetSlotInfo
func goGetSlotInfo(slot C.CK_SLOT_ID, info C.CK_SLOT_INFO_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetSlotInfo", slotArg(slot))
	defer c.end(&rv)
	if to := destinationOf(&c, info, slotInfoOf); c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return to.deliver(p.GetSlotInfo(uint(slot))) })
	}
	return rv
}

//export goGetTokenInfo
func goGetTokenInfo(slot C.CK_SLOT_ID, info C.CK_TOKEN_INFO_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetTokenInfo", slotArg(slot))
	defer c.end(&rv)
	if to := destinationOf(&c, info, tokenInfoOf); c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return to.deliver(p.GetTokenInfo(uint(slot))) })
	}
	return rv
}

//export goWaitForSlotEvent
func goWaitForSlotEvent(flags C.CK_FLAGS, slot C.CK_SLOT_ID_PTR, reserved C.CK_VOID_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_WaitForSlotEvent", flagsArg(flags))
	defer c.end(&rv)
	c.mustBeNULL(reserved)
	if to := destinationOf(&c, slot, toULong); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return to.deliver(p.WaitForSlotEvent(uint(flags))) })
	}
	return rv
}

//export goGetMechanismList
func goGetMechanismList(slot C.CK_SLOT_ID, list C.CK_MECHANISM_TYPE_PTR, count C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetMechanismList", slotArg(slot))
	defer c.end(&rv)
	if list := output[uint](&c, list, count); c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return p.GetMechanismList(uint(slot), list) })
	}
	return rv
}

//export goGetMechanismInfo
func goGetMechanismInfo(slot C.CK_SLOT_ID, m C.CK_MECHANISM_TYPE, info C.CK_MECHANISM_INFO_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetMechanismInfo", slotArg(slot), mechanismTypeArg(m))
	defer c.end(&rv)
	if to := destinationOf(&c, info, mechanismInfoOf); c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return to.deliver(p.GetMechanismInfo(uint(slot), uint(m))) })
	}
	return rv
}

//export goInitToken
func goInitToken(slot C.CK_SLOT_ID, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG, label C.CK_UTF8CHAR_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_InitToken", slotArg(slot))
	defer c.end(&rv)
	if pin, label := sliceOf[byte](&c, pin, n), sliceOf[byte](&c, label, labelSize); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return p.InitToken(uint(slot), pin, label) })
	}
	return rv
}

//export goInitPIN
func goInitPIN(h C.CK_SESSION_HANDLE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_InitPIN", sessionArg(h))
	defer c.endWithin(&rv, h)
	if pin := sliceOf[byte](&c, pin, n); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return p.InitPIN(uint(h), pin) })
	}
	return rv
}

//export goSetPIN
func goSetPIN(h C.CK_SESSION_HANDLE, old C.CK_UTF8CHAR_PTR, nold C.CK_ULONG, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_SetPIN", sessionArg(h))
	defer c.endWithin(&rv, h)
	if old, pin := sliceOf[byte](&c, old, nold), sliceOf[byte](&c, pin, n); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return p.SetPIN(uint(h), old, pin) })
	}
	return rv
}
