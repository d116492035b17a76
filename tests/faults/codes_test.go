// SPDX-License-Identifier: Apache-2.0

package faults

import "github.com/miekg/pkcs11"

// session are the codes of all functions that take a session whose token may go:
// the one that notices answers CKR_DEVICE_REMOVED, and the next finds no session.
var session = []pkcs11.Error{
	pkcs11.CKR_OK, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SESSION_HANDLE_INVALID,
}

// codes are what the functions may answer to these faults. The lists of section 5 of
// the specification are longer: not here are codes for faults of the caller, and the
// ones that tell nothing, such as CKR_GENERAL_ERROR.
var codes = map[string][]pkcs11.Error{
	"C_OpenSession":       {pkcs11.CKR_OK, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT},
	"C_CloseSession":      session,
	"C_Login":             append(session[:4:4], pkcs11.CKR_USER_PIN_NOT_INITIALIZED), // while the token is initialised anew
	"C_FindObjectsInit":   session,
	"C_FindObjects":       session,
	"C_FindObjectsFinal":  session,
	"C_GetAttributeValue": append(session[:4:4], pkcs11.CKR_OBJECT_HANDLE_INVALID),
	"C_SignInit":          append(session[:4:4], pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN),
	"C_Sign":              append(session[:4:4], pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_FUNCTION_FAILED), // the key is gone
	"C_GenerateKeyPair":   append(session[:4:4], pkcs11.CKR_DEVICE_MEMORY, pkcs11.CKR_USER_NOT_LOGGED_IN),
	"C_DestroyObject":     append(session[:4:4], pkcs11.CKR_OBJECT_HANDLE_INVALID),
}
