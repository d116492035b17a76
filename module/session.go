// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

// goOpenSession ignores the callback: nothing here has anything to notify of.
//
//export goOpenSession
func goOpenSession(slot C.CK_SLOT_ID, flags C.CK_FLAGS, _ C.CK_VOID_PTR, notify C.CK_NOTIFY, h C.CK_SESSION_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_OpenSession", slotArg(slot), flagsArg(flags))
	defer c.end(&rv)
	if to := destinationOf(&c, h, toULong); c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return to.deliver(p.OpenSession(uint(slot), uint(flags))) })
	}
	return rv
}

//export goCloseSession
func goCloseSession(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_CloseSession", sessionArg(h))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.CloseSession(uint(h))
	}
	return rv
}

//export goCloseAllSessions
func goCloseAllSessions(slot C.CK_SLOT_ID) (rv C.CK_RV) {
	var c call
	c.begin("C_CloseAllSessions", slotArg(slot))
	defer c.end(&rv)
	if c.accepted() {
		c.onSlot(slot, func(p *pkcs11.Provider) error { return p.CloseAllSessions(uint(slot)) })
	}
	return rv
}

//export goGetSessionInfo
func goGetSessionInfo(h C.CK_SESSION_HANDLE, info C.CK_SESSION_INFO_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetSessionInfo", sessionArg(h))
	defer c.endWithin(&rv, h)
	if to := destinationOf(&c, info, sessionInfoOf); c.accepted() {
		c.err = to.deliver(c.library.provider.GetSessionInfo(uint(h)))
	}
	return rv
}

//export goSessionCancel
func goSessionCancel(h C.CK_SESSION_HANDLE, flags C.CK_FLAGS) (rv C.CK_RV) {
	var c call
	c.begin("C_SessionCancel", sessionArg(h), flagsArg(flags))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.SessionCancel(uint(h), uint(flags))
	}
	return rv
}

//export goGetSessionValidationFlags
func goGetSessionValidationFlags(h C.CK_SESSION_HANDLE, kind C.CK_SESSION_VALIDATION_FLAGS_TYPE, flags C.CK_FLAGS_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetSessionValidationFlags", sessionArg(h))
	defer c.endWithin(&rv, h)
	if to := destinationOf(&c, flags, toULong); c.accepted() {
		c.err = to.deliver(c.library.provider.GetSessionValidationFlags(uint(h), uint(kind)))
	}
	return rv
}

//export goGetOperationState
func goGetOperationState(h C.CK_SESSION_HANDLE, state C.CK_BYTE_PTR, n C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetOperationState", sessionArg(h))
	defer c.endWithin(&rv, h)
	if state := output[byte](&c, state, n); c.accepted() {
		c.err = c.library.provider.GetOperationState(uint(h), state)
	}
	return rv
}

//export goSetOperationState
func goSetOperationState(h C.CK_SESSION_HANDLE, state C.CK_BYTE_PTR, n C.CK_ULONG, cipher, auth C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_SetOperationState", sessionArg(h), lengthArg(n))
	defer c.endWithin(&rv, h)
	if state := sliceOf[byte](&c, state, n); c.accepted() {
		c.err = c.library.provider.SetOperationState(uint(h), state, uint(cipher), uint(auth))
	}
	return rv
}

//export goLogin
func goLogin(h C.CK_SESSION_HANDLE, user C.CK_USER_TYPE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_Login", sessionArg(h), userArg(user))
	defer c.endWithin(&rv, h)
	if pin := sliceOf[byte](&c, pin, n); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return p.Login(uint(h), uint(user), pin) })
	}
	return rv
}

//export goLoginUser
func goLoginUser(h C.CK_SESSION_HANDLE, user C.CK_USER_TYPE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG, name C.CK_UTF8CHAR_PTR, nname C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_LoginUser", sessionArg(h), userArg(user))
	defer c.endWithin(&rv, h)
	if pin, name := sliceOf[byte](&c, pin, n), sliceOf[byte](&c, name, nname); c.accepted() {
		c.elsewhere(func(p *pkcs11.Provider) error { return p.LoginUser(uint(h), uint(user), pin, name) })
	}
	return rv
}

//export goLogout
func goLogout(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_Logout", sessionArg(h))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.Logout(uint(h))
	}
	return rv
}
