/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions of PKCS#11 that this library has: one line each. An entry calls
 * the Go function of the same name, or, in a forked child, the same function of
 * a fresh copy of the library. What has no line here is in unsupported.c.
 */
#include "_cgo_export.h"
#include "crossing.h"
#include "fork.h"
#include "info.h"

#define ENTRY(NAME, ARGUMENTS, ...) ENTRY_OF(C_##NAME, NAME, ARGUMENTS, __VA_ARGS__)

#define ENTRY_OF(FUNCTION, NAME, ARGUMENTS, ...) \
	CK_RV FUNCTION(__VA_ARGS__) \
	{ \
		zk_crossing crossing; \
		CK_RV rv = zk_enter(&crossing); \
		if (rv != CKR_OK) \
			return rv; \
		if (crossing.copy) \
			return crossing.copy->C_##NAME ARGUMENTS; \
		rv = go##NAME ARGUMENTS; \
		zk_leave(&crossing); \
		return rv; \
	}

/* general purpose; the functions that find the lists are in lists.c */

CK_RV C_Initialize(CK_VOID_PTR arguments)
{
	zk_crossing crossing;
	CK_RV rv = zk_check_arguments(arguments);
	if (rv != CKR_OK)
		return rv;
	zk_fence(&crossing);
	rv = zk_initialize();
	zk_leave(&crossing);
	return rv;
}

CK_RV C_Finalize(CK_VOID_PTR reserved)
{
	zk_crossing crossing;
	if (reserved)
		return CKR_ARGUMENTS_BAD;
	CK_FUNCTION_LIST_3_2 *copy = NULL;
	zk_fence(&crossing);
	CK_RV rv = zk_interrupts(&crossing) ? CKR_FUNCTION_FAILED : zk_finalize(&copy);
	zk_leave(&crossing);
	return copy ? copy->C_Finalize(reserved) : rv;
}

static CK_RV unused_info(CK_INFO_PTR info)
{
	zk_crossing crossing;
	zk_fence(&crossing);
	CK_RV rv = zk_is_initialized() ? zk_info(info) : CKR_CRYPTOKI_NOT_INITIALIZED;
	zk_leave(&crossing);
	return rv;
}

static ENTRY_OF(get_info, GetInfo, (info), CK_INFO_PTR info)

/* Programs that load every module of the system ask for this, which is no reason to start a runtime. */
CK_RV C_GetInfo(CK_INFO_PTR info)
{
	return zk_image->open == ZK_ASK ? unused_info(info) : get_info(info);
}

/* slots and tokens */
ENTRY(GetSlotList, (present, list, count), CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
ENTRY(GetSlotInfo, (slot, info), CK_SLOT_ID slot, CK_SLOT_INFO_PTR info)
ENTRY(GetTokenInfo, (slot, info), CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
ENTRY(WaitForSlotEvent, (flags, slot, reserved), CK_FLAGS flags, CK_SLOT_ID_PTR slot, CK_VOID_PTR reserved)
ENTRY(GetMechanismList, (slot, list, count), CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count)
ENTRY(GetMechanismInfo, (slot, type, info), CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
ENTRY(InitToken, (slot, pin, n, label), CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG n, CK_UTF8CHAR_PTR label)
ENTRY(InitPIN, (h, pin, n), CK_SESSION_HANDLE h, CK_UTF8CHAR_PTR pin, CK_ULONG n)
ENTRY(SetPIN, (h, old, nold, pin, n), CK_SESSION_HANDLE h, CK_UTF8CHAR_PTR old, CK_ULONG nold, CK_UTF8CHAR_PTR pin, CK_ULONG n)

/* sessions */
ENTRY(OpenSession, (slot, flags, app, notify, h), CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR app, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR h)
ENTRY(CloseSession, (h), CK_SESSION_HANDLE h)
ENTRY(CloseAllSessions, (slot), CK_SLOT_ID slot)
ENTRY(GetSessionInfo, (h, info), CK_SESSION_HANDLE h, CK_SESSION_INFO_PTR info)
ENTRY(SessionCancel, (h, flags), CK_SESSION_HANDLE h, CK_FLAGS flags)
ENTRY(GetSessionValidationFlags, (h, kind, flags), CK_SESSION_HANDLE h, CK_SESSION_VALIDATION_FLAGS_TYPE kind, CK_FLAGS_PTR flags)
ENTRY(GetOperationState, (h, state, n), CK_SESSION_HANDLE h, CK_BYTE_PTR state, CK_ULONG_PTR n)
ENTRY(SetOperationState, (h, state, n, cipher, auth), CK_SESSION_HANDLE h, CK_BYTE_PTR state, CK_ULONG n, CK_OBJECT_HANDLE cipher, CK_OBJECT_HANDLE auth)
ENTRY(Login, (h, user, pin, n), CK_SESSION_HANDLE h, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG n)
ENTRY(LoginUser, (h, user, pin, n, name, nname), CK_SESSION_HANDLE h, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG n, CK_UTF8CHAR_PTR name, CK_ULONG nname)
ENTRY(Logout, (h), CK_SESSION_HANDLE h)

/* objects */
ENTRY(CreateObject, (h, t, n, object), CK_SESSION_HANDLE h, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR object)
ENTRY(CopyObject, (h, from, t, n, object), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE from, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR object)
ENTRY(DestroyObject, (h, object), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object)
ENTRY(GetObjectSize, (h, object, size), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ULONG_PTR size)
ENTRY(GetAttributeValue, (h, object, t, n), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR t, CK_ULONG n)
ENTRY(SetAttributeValue, (h, object, t, n), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR t, CK_ULONG n)
ENTRY(FindObjectsInit, (h, t, n), CK_SESSION_HANDLE h, CK_ATTRIBUTE_PTR t, CK_ULONG n)
ENTRY(FindObjects, (h, objects, max, n), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE_PTR objects, CK_ULONG max, CK_ULONG_PTR n)
ENTRY(FindObjectsFinal, (h), CK_SESSION_HANDLE h)

/* encryption */
ENTRY(EncryptInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(Encrypt, (h, data, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(EncryptUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(EncryptFinal, (h, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(Decrypt, (h, data, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptFinal, (h, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR out, CK_ULONG_PTR nout)

/* digests */
ENTRY(DigestInit, (h, m), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m)
ENTRY(Digest, (h, data, n, digest, nd), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR digest, CK_ULONG_PTR nd)
ENTRY(DigestUpdate, (h, part, n), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n)
ENTRY(DigestKey, (h, key), CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key)
ENTRY(DigestFinal, (h, digest, nd), CK_SESSION_HANDLE h, CK_BYTE_PTR digest, CK_ULONG_PTR nd)

/* signatures */
ENTRY(SignInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(Sign, (h, data, n, sig, ns), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR ns)
ENTRY(SignUpdate, (h, part, n), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n)
ENTRY(SignFinal, (h, sig, ns), CK_SESSION_HANDLE h, CK_BYTE_PTR sig, CK_ULONG_PTR ns)

/* verification */
ENTRY(VerifyInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(Verify, (h, data, n, sig, ns), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG ns)
ENTRY(VerifyUpdate, (h, part, n), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n)
ENTRY(VerifyFinal, (h, sig, ns), CK_SESSION_HANDLE h, CK_BYTE_PTR sig, CK_ULONG ns)
ENTRY(VerifySignatureInit, (h, m, key, sig, ns), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key, CK_BYTE_PTR sig, CK_ULONG ns)
ENTRY(VerifySignature, (h, data, n), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n)
ENTRY(VerifySignatureUpdate, (h, part, n), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n)
ENTRY(VerifySignatureFinal, (h), CK_SESSION_HANDLE h)

/* signatures that have the data in them */
ENTRY(SignRecoverInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(SignRecover, (h, data, n, sig, ns), CK_SESSION_HANDLE h, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR ns)
ENTRY(VerifyRecoverInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(VerifyRecover, (h, sig, ns, data, n), CK_SESSION_HANDLE h, CK_BYTE_PTR sig, CK_ULONG ns, CK_BYTE_PTR data, CK_ULONG_PTR n)

/* messages that follow one another: encryption, decryption */
ENTRY(MessageEncryptInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(EncryptMessage, (h, p, np, aad, na, data, n, out, nout), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR aad, CK_ULONG na, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(EncryptMessageBegin, (h, p, np, aad, na), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR aad, CK_ULONG na)
ENTRY(EncryptMessageNext, (h, p, np, part, n, out, nout, flags), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout, CK_FLAGS flags)
ENTRY(MessageEncryptFinal, (h), CK_SESSION_HANDLE h)
ENTRY(MessageDecryptInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(DecryptMessage, (h, p, np, aad, na, text, n, out, nout), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR aad, CK_ULONG na, CK_BYTE_PTR text, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptMessageBegin, (h, p, np, aad, na), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR aad, CK_ULONG na)
ENTRY(DecryptMessageNext, (h, p, np, part, n, out, nout, flags), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout, CK_FLAGS flags)
ENTRY(MessageDecryptFinal, (h), CK_SESSION_HANDLE h)

/* messages that follow one another: signatures, verification */
ENTRY(MessageSignInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(SignMessage, (h, p, np, data, n, sig, ns), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR ns)
ENTRY(SignMessageBegin, (h, p, np), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np)
ENTRY(SignMessageNext, (h, p, np, part, n, sig, ns), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR ns)
ENTRY(MessageSignFinal, (h), CK_SESSION_HANDLE h)
ENTRY(MessageVerifyInit, (h, m, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
ENTRY(VerifyMessage, (h, p, np, data, n, sig, ns), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG ns)
ENTRY(VerifyMessageBegin, (h, p, np), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np)
ENTRY(VerifyMessageNext, (h, p, np, part, n, sig, ns), CK_SESSION_HANDLE h, CK_VOID_PTR p, CK_ULONG np, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG ns)
ENTRY(MessageVerifyFinal, (h), CK_SESSION_HANDLE h)

/* two operations at a time */
ENTRY(DigestEncryptUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptDigestUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(SignEncryptUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(DecryptVerifyUpdate, (h, part, n, out, nout), CK_SESSION_HANDLE h, CK_BYTE_PTR part, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout)

/* keys */
ENTRY(GenerateKey, (h, m, t, n, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR key)
ENTRY(GenerateKeyPair, (h, m, tpub, npub, tpriv, npriv, pub, priv), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_ATTRIBUTE_PTR tpub, CK_ULONG npub, CK_ATTRIBUTE_PTR tpriv, CK_ULONG npriv, CK_OBJECT_HANDLE_PTR pub, CK_OBJECT_HANDLE_PTR priv)
ENTRY(WrapKey, (h, m, wrapping, key, out, nout), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(UnwrapKey, (h, m, unwrapping, wrapped, nwrapped, t, n, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE unwrapping, CK_BYTE_PTR wrapped, CK_ULONG nwrapped, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR key)
ENTRY(WrapKeyAuthenticated, (h, m, wrapping, key, aad, na, out, nout), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key, CK_BYTE_PTR aad, CK_ULONG na, CK_BYTE_PTR out, CK_ULONG_PTR nout)
ENTRY(UnwrapKeyAuthenticated, (h, m, unwrapping, wrapped, nwrapped, t, n, aad, na, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE unwrapping, CK_BYTE_PTR wrapped, CK_ULONG nwrapped, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_BYTE_PTR aad, CK_ULONG na, CK_OBJECT_HANDLE_PTR key)
ENTRY(EncapsulateKey, (h, m, public, t, n, out, nout, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE public, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_BYTE_PTR out, CK_ULONG_PTR nout, CK_OBJECT_HANDLE_PTR key)
ENTRY(DecapsulateKey, (h, m, private, t, n, text, ntext, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE private, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_BYTE_PTR text, CK_ULONG ntext, CK_OBJECT_HANDLE_PTR key)
ENTRY(DeriveKey, (h, m, base, t, n, key), CK_SESSION_HANDLE h, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE base, CK_ATTRIBUTE_PTR t, CK_ULONG n, CK_OBJECT_HANDLE_PTR key)

/* random numbers, parallel functions */
ENTRY(SeedRandom, (h, seed, n), CK_SESSION_HANDLE h, CK_BYTE_PTR seed, CK_ULONG n)
ENTRY(GenerateRandom, (h, out, n), CK_SESSION_HANDLE h, CK_BYTE_PTR out, CK_ULONG n)
ENTRY(GetFunctionStatus, (h), CK_SESSION_HANDLE h)
ENTRY(CancelFunction, (h), CK_SESSION_HANDLE h)
