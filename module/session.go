// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

// goOpenSession ignores the callback: nothing here has anything to notify of.
//
//export goOpenSession
func goOpenSession(slot C.CK_SLOT_ID, flags C.CK_FLAGS, _ C.CK_VOID_PTR, notify C.CK_NOTIFY, h C.CK_SESSION_HANDLE_PTR) C.CK_RV {
	return onSlot("C_OpenSession", slot, args{slotArg(slot), flagsArg(flags)}, func(p *pkcs11.Provider) error {
		return fill(h, ulong)(p.OpenSession(uint(slot), uint(flags)))
	})
}

//export goCloseSession
func goCloseSession(h C.CK_SESSION_HANDLE) C.CK_RV {
	return within("C_CloseSession", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.CloseSession(uint(h))
	})
}

//export goCloseAllSessions
func goCloseAllSessions(slot C.CK_SLOT_ID) C.CK_RV {
	return onSlot("C_CloseAllSessions", slot, args{slotArg(slot)}, func(p *pkcs11.Provider) error {
		return p.CloseAllSessions(uint(slot))
	})
}

//export goGetSessionInfo
func goGetSessionInfo(h C.CK_SESSION_HANDLE, info C.CK_SESSION_INFO_PTR) C.CK_RV {
	return within("C_GetSessionInfo", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return fill(info, sessionInfoOf)(p.GetSessionInfo(uint(h)))
	})
}

//export goSessionCancel
func goSessionCancel(h C.CK_SESSION_HANDLE, flags C.CK_FLAGS) C.CK_RV {
	return within("C_SessionCancel", h, args{sessionArg(h), flagsArg(flags)}, func(p *pkcs11.Provider) error {
		return p.SessionCancel(uint(h), uint(flags))
	})
}

//export goGetSessionValidationFlags
func goGetSessionValidationFlags(h C.CK_SESSION_HANDLE, kind C.CK_SESSION_VALIDATION_FLAGS_TYPE, flags C.CK_FLAGS_PTR) C.CK_RV {
	return within("C_GetSessionValidationFlags", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return fill(flags, ulong)(p.GetSessionValidationFlags(uint(h), uint(kind)))
	})
}

//export goGetOperationState
func goGetOperationState(h C.CK_SESSION_HANDLE, state C.CK_BYTE_PTR, n C.CK_ULONG_PTR) C.CK_RV {
	return within("C_GetOperationState", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.GetOperationState(uint(h), output[byte](state, n))
	})
}

//export goSetOperationState
func goSetOperationState(h C.CK_SESSION_HANDLE, state C.CK_BYTE_PTR, n C.CK_ULONG, cipher, auth C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_SetOperationState", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.SetOperationState(uint(h), view[byte](state, n), uint(cipher), uint(auth))
	})
}

//export goLogin
func goLogin(h C.CK_SESSION_HANDLE, user C.CK_USER_TYPE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return lastingWithin("C_Login", h, args{sessionArg(h), userArg(user)}, func(p *pkcs11.Provider) error {
		return p.Login(uint(h), uint(user), view[byte](pin, n))
	})
}

//export goLoginUser
func goLoginUser(h C.CK_SESSION_HANDLE, user C.CK_USER_TYPE, pin C.CK_UTF8CHAR_PTR, n C.CK_ULONG, name C.CK_UTF8CHAR_PTR, nname C.CK_ULONG) C.CK_RV {
	return lastingWithin("C_LoginUser", h, args{sessionArg(h), userArg(user)}, func(p *pkcs11.Provider) error {
		return p.LoginUser(uint(h), uint(user), view[byte](pin, n), view[byte](name, nname))
	})
}

//export goLogout
func goLogout(h C.CK_SESSION_HANDLE) C.CK_RV {
	return within("C_Logout", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.Logout(uint(h))
	})
}
