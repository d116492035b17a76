/* SPDX-License-Identifier: Apache-2.0 */

/*
 * pointers MODULE good: calls every function as one should.
 * pointers MODULE bad [FUNCTION]: calls every function with addresses that lead nowhere, or to what is not
 * the caller's to write, in place of each of its pointers, one at a time. Each function has a process of
 * its own. The answer has to be an error, nothing may be made, and the session has to work afterwards.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "host.h"
#include "zk_pkcs11.h"

enum { POINTERS = 8, PAGE = 4096 };

static CK_FUNCTION_LIST_3_2 *M;
static void *library;
static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE private, public, data;
static CK_ULONG objects, sessions; /* how many there are */
static int good;		   /* only */

/* What the other side of a fork is told of: where the child is. */
static struct {
	char where[200];
} *report;

/* ---- the calls: p[i] is the address to use for the i-th pointer, NULL for a good one ------------ */

#define OR(I, GOOD) (p[I] ? p[I] : (void *)(GOOD))
#define MECHANISM(NAME, TYPE) CK_MECHANISM NAME = {TYPE, NULL, 0}
#define CALL(NAME) static CK_RV call_##NAME(void **p)

static CK_BYTE bytes[64] = {1}, out[4096], signature[64];
static CK_ULONG n, one;

CALL(GetFunctionList) { return ((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(OR(0, out)); }
CALL(GetInterfaceList)
{
	n = 3;
	return ((CK_C_GetInterfaceList)dlsym(library, "C_GetInterfaceList"))(OR(0, out), OR(1, &n));
}
CALL(GetInterface)
{
	CK_VERSION v = {3, 2};
	return ((CK_C_GetInterface)dlsym(library, "C_GetInterface"))(OR(0, "PKCS 11"), OR(1, &v), OR(2, out), 0);
}
CALL(Initialize)
{
	CK_C_INITIALIZE_ARGS a = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv = M->C_Initialize(OR(0, &a));
	return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}
CALL(GetInfo) { return M->C_GetInfo(OR(0, out)); }
CALL(GetSlotList) { n = 8; return M->C_GetSlotList(CK_TRUE, OR(0, out), OR(1, &n)); }
CALL(GetSlotInfo) { return M->C_GetSlotInfo(0, OR(0, out)); }
CALL(GetTokenInfo) { return M->C_GetTokenInfo(0, OR(0, out)); }
CALL(GetMechanismList) { n = sizeof out / sizeof(CK_ULONG); return M->C_GetMechanismList(0, OR(0, out), OR(1, &n)); }
CALL(GetMechanismInfo) { return M->C_GetMechanismInfo(0, CKM_ECDSA, OR(0, out)); }
CALL(WaitForSlotEvent)
{
	CK_RV rv = M->C_WaitForSlotEvent(CKF_DONT_BLOCK, OR(0, &one), p[1]);
	return rv == CKR_NO_EVENT ? CKR_OK : rv;
}
/* With a session the PIN is not looked at; without one it is, but a wrong PIN would be one more of those that count. */
CALL(InitToken)
{
	if (!p[0] && !p[1])
		return CKR_OK;
	M->C_CloseAllSessions(0);
	CK_RV rv = M->C_InitToken(0, OR(0, getenv("ZK_TEST_SO_PIN")), strlen(getenv("ZK_TEST_SO_PIN")), OR(1, bytes));
	h = session(F);
	login(F, h);
	return rv;
}
CALL(SetPIN)
{
	char *pin = getenv("ZK_TEST_PIN");
	return M->C_SetPIN(h, OR(0, pin), strlen(pin), OR(1, pin), strlen(pin));
}
CALL(InitPIN)
{
	if (!p[0])
		return CKR_OK;
	M->C_Logout(h);
	MUST(M->C_Login(h, CKU_SO, (CK_UTF8CHAR *)getenv("ZK_TEST_SO_PIN"), strlen(getenv("ZK_TEST_SO_PIN"))));
	CK_RV rv = M->C_InitPIN(h, p[0], 8);
	MUST(M->C_Logout(h));
	login(F, h);
	return rv;
}
CALL(OpenSession)
{
	CK_SESSION_HANDLE s = 0;
	CK_RV rv = M->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, OR(0, &s));
	return rv == CKR_OK ? M->C_CloseSession(s) : rv;
}
CALL(GetSessionInfo) { return M->C_GetSessionInfo(h, OR(0, out)); }
CALL(GetSessionValidationFlags) { return M->C_GetSessionValidationFlags(h, CKS_LAST_VALIDATION_OK, OR(0, out)); }
CALL(Login)
{
	char *pin = getenv("ZK_TEST_PIN");
	MUST(M->C_Logout(h));
	CK_RV rv = M->C_Login(h, CKU_USER, OR(0, pin), strlen(pin));
	if (rv != CKR_OK)
		login(F, h);
	return rv;
}
CALL(LoginUser)
{
	char *pin = getenv("ZK_TEST_PIN");
	MUST(M->C_Logout(h));
	CK_RV rv = M->C_LoginUser(h, CKU_USER, OR(0, pin), strlen(pin), NULL, 0);
	if (rv != CKR_OK)
		login(F, h);
	return rv;
}
CALL(OperationState)
{
	MECHANISM(m, CKM_SHA256);
	static CK_BYTE state[512];
	CK_ULONG size = sizeof state;
	M->C_DigestInit(h, &m);
	CK_RV rv = M->C_GetOperationState(h, OR(0, state), OR(1, &size));
	if (rv == CKR_OK)
		rv = M->C_SetOperationState(h, OR(2, state), size, 0, 0);
	M->C_DigestInit(h, NULL);
	return rv;
}

static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_BBOOL yes = 1;

static CK_RV create(void **p, CK_BBOOL on_token)
{
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &data_class, sizeof data_class}, {CKA_TOKEN, &on_token, 1}, {CKA_VALUE, OR(2, bytes), 32}};
	CK_RV rv = M->C_CreateObject(h, OR(0, t), 3, OR(1, &o));
	return rv == CKR_OK ? M->C_DestroyObject(h, o) : rv;
}
CALL(CreateObject) { return create(p, CK_FALSE); }
CALL(CreateTokenObject) { return create(p, CK_TRUE); }
CALL(CopyObject)
{
	CK_OBJECT_HANDLE o = 0;
	CK_ATTRIBUTE t[] = {{CKA_LABEL, OR(2, bytes), 32}};
	CK_RV rv = M->C_CopyObject(h, data, OR(0, t), 1, OR(1, &o));
	return rv == CKR_OK ? M->C_DestroyObject(h, o) : rv;
}
CALL(GetObjectSize) { return M->C_GetObjectSize(h, data, OR(0, &n)); }
CALL(GetAttributeValue)
{
	CK_ATTRIBUTE t[] = {{CKA_VALUE, OR(1, out), 64}};
	return M->C_GetAttributeValue(h, data, OR(0, t), 1);
}
CALL(SetAttributeValue)
{
	CK_ATTRIBUTE t[] = {{CKA_LABEL, OR(1, bytes), 32}};
	return M->C_SetAttributeValue(h, data, OR(0, t), 1);
}
CALL(FindObjects)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, OR(1, &data_class), sizeof data_class}};
	CK_RV rv = M->C_FindObjectsInit(h, OR(0, t), 1);
	if (rv == CKR_OK)
		rv = M->C_FindObjects(h, OR(2, out), 1, OR(3, &n));
	M->C_FindObjectsFinal(h);
	return rv;
}
/* Locks and unlocks; what is locked is longer than what is not. */
CALL(Encrypt)
{
	MECHANISM(m, CKM_ZK_LOCK);
	static CK_BYTE locked[512];
	CK_ULONG size = sizeof locked;
	CK_RV rv = M->C_EncryptInit(h, OR(0, &m), CK_INVALID_HANDLE);
	if (rv == CKR_OK)
		rv = M->C_Encrypt(h, OR(1, bytes), 32, OR(2, locked), OR(3, &size));
	if (rv != CKR_OK)
		return rv;
	MUST(M->C_DecryptInit(h, &m, CK_INVALID_HANDLE));
	n = sizeof out;
	return M->C_Decrypt(h, OR(4, locked), size, OR(5, out), &n);
}
CALL(EncryptParts)
{
	MECHANISM(m, CKM_ZK_LOCK);
	static CK_BYTE locked[512];
	CK_ULONG size = sizeof locked, none = 0;
	MUST(M->C_EncryptInit(h, &m, CK_INVALID_HANDLE));
	CK_RV rv = M->C_EncryptUpdate(h, OR(0, bytes), 32, out, OR(1, &none));
	if (rv == CKR_OK)
		rv = M->C_EncryptFinal(h, OR(2, locked), OR(3, &size));
	if (rv != CKR_OK)
		return M->C_EncryptInit(h, NULL, 0), rv;
	MUST(M->C_DecryptInit(h, &m, CK_INVALID_HANDLE));
	n = sizeof out;
	rv = M->C_DecryptUpdate(h, OR(4, locked), size, out, &n);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_DecryptFinal(h, OR(5, out), &n);
	return rv;
}
static CK_RV digest(CK_MECHANISM_TYPE type, void **p)
{
	CK_MECHANISM m = {type, NULL, 0};
	CK_RV rv = M->C_DigestInit(h, OR(0, &m));
	n = sizeof out;
	return rv != CKR_OK ? rv : M->C_Digest(h, OR(1, bytes), 64, OR(2, out), OR(3, &n));
}
CALL(Digest) { return digest(CKM_SHA256, p); }
CALL(DigestSHA1) { return digest(CKM_SHA_1, p); }
CALL(DigestSHA512) { return digest(CKM_SHA512, p); }
CALL(DigestSHA3) { return digest(CKM_SHA3_256, p); }
CALL(DigestParts)
{
	MECHANISM(m, CKM_SHA256);
	MUST(M->C_DigestInit(h, &m));
	CK_RV rv = M->C_DigestUpdate(h, OR(0, bytes), 64);
	n = sizeof out;
	return rv != CKR_OK ? rv : M->C_DigestFinal(h, OR(1, out), OR(2, &n));
}
static CK_RV sign(CK_MECHANISM_TYPE type, void **p)
{
	CK_MECHANISM m = {type, NULL, 0};
	CK_RV rv = M->C_SignInit(h, OR(0, &m), private);
	n = sizeof out;
	return rv != CKR_OK ? rv : M->C_Sign(h, OR(1, bytes), 32, OR(2, out), OR(3, &n));
}
CALL(Sign) { return sign(CKM_ECDSA, p); }
CALL(SignHash) { return sign(CKM_ECDSA_SHA384, p); }
CALL(SignParts)
{
	MECHANISM(m, CKM_ECDSA_SHA256);
	MUST(M->C_SignInit(h, &m, private));
	CK_RV rv = M->C_SignUpdate(h, OR(0, bytes), 64);
	n = sizeof out;
	return rv != CKR_OK ? rv : M->C_SignFinal(h, OR(1, out), OR(2, &n));
}
CALL(Verify)
{
	MECHANISM(m, CKM_ECDSA);
	CK_RV rv = M->C_VerifyInit(h, OR(0, &m), public);
	return rv != CKR_OK ? rv : M->C_Verify(h, OR(1, bytes), 32, OR(2, signature), 64);
}
CALL(VerifyParts)
{
	MECHANISM(m, CKM_ECDSA_SHA256);
	MUST(M->C_SignInit(h, &m, private));
	n = sizeof out;
	MUST(M->C_Sign(h, bytes, 32, out, &n));
	MUST(M->C_VerifyInit(h, &m, public));
	CK_RV rv = M->C_VerifyUpdate(h, OR(0, bytes), 32);
	return rv != CKR_OK ? rv : M->C_VerifyFinal(h, OR(1, out), 64);
}
CALL(VerifySignature)
{
	MECHANISM(m, CKM_ECDSA);
	CK_RV rv = M->C_VerifySignatureInit(h, OR(0, &m), public, OR(1, signature), 64);
	return rv != CKR_OK ? rv : M->C_VerifySignature(h, OR(2, bytes), 32);
}
CALL(VerifySignatureParts)
{
	MECHANISM(m, CKM_ECDSA_SHA256);
	MUST(M->C_SignInit(h, &m, private));
	n = sizeof out;
	MUST(M->C_Sign(h, bytes, 32, out, &n));
	MUST(M->C_VerifySignatureInit(h, &m, public, out, n));
	CK_RV rv = M->C_VerifySignatureUpdate(h, OR(0, bytes), 32);
	return rv != CKR_OK ? rv : M->C_VerifySignatureFinal(h);
}
static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static CK_RV generate(void **p, CK_BBOOL on_token)
{
	MECHANISM(m, CKM_EC_KEY_PAIR_GEN);
	CK_OBJECT_HANDLE a = 0, b = 0;
	CK_ATTRIBUTE pub[] = {{CKA_EC_PARAMS, OR(5, p256), sizeof p256}, {CKA_TOKEN, &on_token, 1}}, prv[] = {{CKA_TOKEN, &on_token, 1}};
	CK_RV rv = M->C_GenerateKeyPair(h, OR(0, &m), OR(1, pub), 2, OR(2, prv), 1, OR(3, &a), OR(4, &b));
	if (rv == CKR_OK)
		rv = M->C_DestroyObject(h, a);
	return rv == CKR_OK ? M->C_DestroyObject(h, b) : rv;
}
CALL(DecryptInit)
{
	MECHANISM(m, CKM_ZK_LOCK);
	CK_RV rv = M->C_DecryptInit(h, OR(0, &m), CK_INVALID_HANDLE);
	M->C_DecryptInit(h, NULL, 0);
	return rv;
}
static CK_ULONG aes_length = 16;
CALL(GenerateKey)
{
	MECHANISM(m, CKM_AES_KEY_GEN);
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, OR(3, &aes_length), sizeof aes_length}};
	CK_RV rv = M->C_GenerateKey(h, OR(0, &m), OR(1, t), 1, OR(2, &key));
	return rv == CKR_OK ? M->C_DestroyObject(h, key) : rv;
}
/* Keys of the session that two functions need, made when one of them is called first. */
static CK_OBJECT_HANDLE rsa_public, rsa_private, aes;
static CK_ULONG count_objects(void);
static void make_keys(void)
{
	static CK_ULONG bits = 2048;
	CK_ATTRIBUTE pub[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}, {CKA_VERIFY_RECOVER, &yes, 1}}, prv[] = {{CKA_SIGN_RECOVER, &yes, 1}};
	CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, &aes_length, sizeof aes_length}, {CKA_ENCRYPT, &yes, 1}, {CKA_DECRYPT, &yes, 1},
		{CKA_WRAP, &yes, 1}, {CKA_UNWRAP, &yes, 1}};
	MECHANISM(pair, CKM_RSA_PKCS_KEY_PAIR_GEN);
	MECHANISM(one, CKM_AES_KEY_GEN);
	if (aes)
		return;
	MUST(M->C_GenerateKeyPair(h, &pair, pub, 2, prv, 1, &rsa_public, &rsa_private));
	MUST(M->C_GenerateKey(h, &one, t, 5, &aes));
	objects = count_objects();
}
CALL(Recover)
{
	MECHANISM(m, CKM_RSA_PKCS);
	static CK_BYTE recoverable[256];
	CK_ULONG size = sizeof recoverable;
	make_keys();
	CK_RV rv = M->C_SignRecoverInit(h, OR(0, &m), rsa_private);
	if (rv == CKR_OK)
		rv = M->C_SignRecover(h, OR(1, bytes), 32, OR(2, recoverable), OR(3, &size));
	if (rv == CKR_OK)
		rv = M->C_VerifyRecoverInit(h, OR(4, &m), rsa_public);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_VerifyRecover(h, OR(5, recoverable), size, OR(6, out), OR(7, &n));
	if (rv == CKR_OK)
		CHECK(n == 32 && memcmp(out, bytes, 32) == 0);
	return rv;
}
CALL(WrapKey)
{
	MECHANISM(m, CKM_AES_KEY_WRAP);
	static CK_BYTE wrapped[64];
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, OR(7, &class), sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}};
	CK_ULONG size = sizeof wrapped;
	CK_OBJECT_HANDLE key = 0;
	make_keys();
	CK_RV rv = M->C_WrapKey(h, OR(0, &m), aes, aes, OR(1, wrapped), OR(2, &size));
	if (rv == CKR_OK)
		rv = M->C_UnwrapKey(h, OR(3, &m), aes, OR(4, wrapped), size, OR(5, t), 2, OR(6, &key));
	return rv == CKR_OK ? M->C_DestroyObject(h, key) : rv;
}
CALL(WrapKeyAuthenticated)
{
	static CK_BYTE wrapped[64], iv[12], tag[16];
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE type = CKK_AES;
	CK_GCM_MESSAGE_PARAMS w = {OR(6, iv), sizeof iv, 0, CKG_GENERATE, OR(8, tag), 128};
	CK_MECHANISM m = {CKM_AES_GCM, OR(5, &w), sizeof w};
	CK_ULONG size = sizeof wrapped;
	make_keys();
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}};
	CK_OBJECT_HANDLE key = 0;
	CK_RV rv = M->C_WrapKeyAuthenticated(h, OR(0, &m), aes, aes, OR(1, bytes), 16, OR(2, wrapped), OR(3, &size));
	if (rv == CKR_OK)
		rv = M->C_UnwrapKeyAuthenticated(h, &m, aes, OR(4, wrapped), size, t, 2, bytes, 16, OR(7, &key));
	return rv == CKR_OK ? M->C_DestroyObject(h, key) : rv;
}
/* A refusal ends the operations; those that are left are ended here. */
static CK_RV end_messages(CK_RV rv)
{
	MUST(M->C_SessionCancel(h, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY));
	return rv;
}
CALL(EncryptMessage)
{
	static CK_BYTE iv[12], tag[16];
	MECHANISM(m, CKM_AES_GCM);
	CK_GCM_MESSAGE_PARAMS with = {OR(6, iv), sizeof iv, 0, CKG_GENERATE, OR(7, tag), 128};
	make_keys();
	CK_RV rv = M->C_MessageEncryptInit(h, OR(0, &m), aes);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_EncryptMessage(h, OR(1, &with), sizeof with, OR(2, bytes), 16, OR(3, bytes), 32, OR(4, out), OR(5, &n));
	return end_messages(rv);
}
CALL(DecryptMessage)
{
	static CK_BYTE iv[12], tag[16], text[32];
	MECHANISM(m, CKM_AES_GCM);
	CK_GCM_MESSAGE_PARAMS good = {iv, sizeof iv, 0, CKG_GENERATE, tag, 128}, with = {OR(6, iv), sizeof iv, 0, 0, OR(7, tag), 128};
	make_keys();
	MUST(M->C_MessageEncryptInit(h, &m, aes));
	n = sizeof text;
	MUST(M->C_EncryptMessage(h, &good, sizeof good, bytes, 16, bytes, 32, text, &n));
	CK_RV rv = M->C_MessageDecryptInit(h, OR(0, &m), aes);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_DecryptMessage(h, OR(1, &with), sizeof with, OR(2, bytes), 16, OR(3, text), 32, OR(4, out), OR(5, &n));
	return end_messages(rv);
}
CALL(EncryptMessageParts)
{
	static CK_BYTE iv[12], tag[16];
	MECHANISM(m, CKM_AES_GCM);
	CK_GCM_MESSAGE_PARAMS with = {OR(6, iv), sizeof iv, 0, CKG_GENERATE, tag, 128};
	make_keys();
	MUST(M->C_MessageEncryptInit(h, &m, aes));
	CK_RV rv = M->C_EncryptMessageBegin(h, OR(0, &with), sizeof with, OR(1, bytes), 16);
	n = sizeof out;
	with.pTag = OR(7, tag);
	if (rv == CKR_OK)
		rv = M->C_EncryptMessageNext(h, OR(2, &with), sizeof with, OR(3, bytes), 32, OR(4, out), OR(5, &n), CKF_END_OF_MESSAGE);
	return end_messages(rv);
}
CALL(DecryptMessageParts)
{
	static CK_BYTE iv[12], tag[16], text[32];
	MECHANISM(m, CKM_AES_GCM);
	CK_GCM_MESSAGE_PARAMS good = {iv, sizeof iv, 0, CKG_GENERATE, tag, 128}, with = {OR(6, iv), sizeof iv, 0, 0, OR(7, tag), 128};
	make_keys();
	MUST(M->C_MessageEncryptInit(h, &m, aes));
	n = sizeof text;
	MUST(M->C_EncryptMessage(h, &good, sizeof good, bytes, 16, bytes, 32, text, &n));
	MUST(M->C_MessageDecryptInit(h, &m, aes));
	CK_RV rv = M->C_DecryptMessageBegin(h, OR(0, &with), sizeof with, OR(1, bytes), 16);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_DecryptMessageNext(h, OR(2, &with), sizeof with, OR(3, text), 32, OR(4, out), OR(5, &n), CKF_END_OF_MESSAGE);
	return end_messages(rv);
}
CALL(SignMessage)
{
	MECHANISM(m, CKM_ECDSA_SHA256);
	CK_RV rv = M->C_MessageSignInit(h, OR(0, &m), private);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_SignMessage(h, NULL, 0, OR(1, bytes), 32, OR(2, out), OR(3, &n));
	if (rv == CKR_OK)
		rv = M->C_SignMessageBegin(h, NULL, 0);
	n = sizeof out;
	if (rv == CKR_OK)
		rv = M->C_SignMessageNext(h, NULL, 0, OR(4, bytes), 32, OR(5, out), OR(6, &n));
	return end_messages(rv);
}
CALL(VerifyMessage)
{
	MECHANISM(m, CKM_ECDSA_SHA256);
	MUST(M->C_SignInit(h, &m, private));
	n = sizeof out;
	MUST(M->C_Sign(h, bytes, 32, out, &n));
	CK_RV rv = M->C_MessageVerifyInit(h, OR(0, &m), public);
	if (rv == CKR_OK)
		rv = M->C_VerifyMessage(h, NULL, 0, OR(1, bytes), 32, OR(2, out), 64);
	if (rv == CKR_OK)
		rv = M->C_VerifyMessageBegin(h, NULL, 0);
	if (rv == CKR_OK)
		rv = M->C_VerifyMessageNext(h, NULL, 0, OR(3, bytes), 32, OR(4, out), 64);
	return end_messages(rv);
}
CALL(EncapsulateKey)
{
	MECHANISM(pair, CKM_ML_KEM_KEY_PAIR_GEN);
	MECHANISM(m, CKM_ML_KEM);
	static CK_BYTE text[1088];
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_ULONG set = CKP_ML_KEM_768;
	CK_ATTRIBUTE pub[] = {{CKA_PARAMETER_SET, &set, sizeof set}, {CKA_ENCAPSULATE, &yes, 1}}, prv[] = {{CKA_DECAPSULATE, &yes, 1}};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, OR(7, &class), sizeof class}};
	CK_OBJECT_HANDLE kem_public, kem_private, ours = 0, theirs = 0;
	CK_ULONG size = sizeof text;
	MUST(M->C_GenerateKeyPair(h, &pair, pub, 2, prv, 1, &kem_public, &kem_private));
	CK_RV rv = M->C_EncapsulateKey(h, OR(0, &m), kem_public, NULL, 0, OR(1, text), OR(2, &size), OR(3, &ours));
	if (rv == CKR_OK) {
		rv = M->C_DecapsulateKey(h, OR(4, &m), kem_private, t, 1, OR(5, text), size, OR(6, &theirs));
		MUST(M->C_DestroyObject(h, ours));
	}
	if (rv == CKR_OK)
		MUST(M->C_DestroyObject(h, theirs));
	MUST(M->C_DestroyObject(h, kem_public));
	MUST(M->C_DestroyObject(h, kem_private));
	return rv;
}
/* Four functions for two operations at a time. Each fails alone: the other operation is ended here. */
static CK_RV dual(CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *), void **p)
{
	static CK_BYTE iv[16];
	CK_MECHANISM cipher = {CKM_AES_CBC_PAD, iv, sizeof iv}, hash = {CKM_SHA256, NULL, 0}, by = {CKM_ECDSA_SHA256, NULL, 0};
	MUST(M->C_EncryptInit(h, &cipher, aes));
	MUST(M->C_DecryptInit(h, &cipher, aes));
	MUST(M->C_DigestInit(h, &hash));
	MUST(M->C_SignInit(h, &by, private));
	MUST(M->C_VerifyInit(h, &by, public));
	n = sizeof out;
	CK_RV rv = update(h, OR(0, bytes), 32, OR(1, out), OR(2, &n));
	MUST(M->C_SessionCancel(h, CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_VERIFY));
	return rv;
}
CALL(DigestEncryptUpdate) { make_keys(); return dual(M->C_DigestEncryptUpdate, p); }
CALL(DecryptDigestUpdate) { make_keys(); return dual(M->C_DecryptDigestUpdate, p); }
CALL(SignEncryptUpdate) { make_keys(); return dual(M->C_SignEncryptUpdate, p); }
CALL(DecryptVerifyUpdate) { make_keys(); return dual(M->C_DecryptVerifyUpdate, p); }
CALL(GenerateKeyPair) { return generate(p, CK_TRUE); }
CALL(GenerateSessionKeyPair) { return generate(p, CK_FALSE); }
CALL(DeriveKey)
{
	static CK_BYTE point[128];
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE q = {CKA_EC_POINT, point, sizeof point}, t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}};
	MUST(M->C_GetAttributeValue(h, public, &q, 1));
	CK_ECDH1_DERIVE_PARAMS e = {CKD_NULL, 0, NULL, q.ulValueLen, OR(4, point)};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, OR(3, &e), sizeof e};
	CK_OBJECT_HANDLE o = 0;
	CK_RV rv = M->C_DeriveKey(h, OR(0, &m), private, OR(1, t), 2, OR(2, &o));
	return rv == CKR_OK ? M->C_DestroyObject(h, o) : rv;
}
CALL(SeedRandom) { return M->C_SeedRandom(h, OR(0, bytes), 64); }
CALL(GenerateRandom) { return M->C_GenerateRandom(h, OR(0, out), 64); }

/* ---- the table --------------------------------------------------------------------------------- */

/* Which pointers there are, and which of them are written to: "rw". */
static const struct entry {
	const char *name;
	CK_RV (*call)(void **);
	const char *pointers;
} table[] = {
#define ENTRY(NAME, POINTERS) {"C_" #NAME, call_##NAME, POINTERS},
	ENTRY(GetFunctionList, "w") ENTRY(GetInterfaceList, "ww") ENTRY(GetInterface, "rrw") ENTRY(Initialize, "r")
	ENTRY(GetInfo, "w") ENTRY(GetSlotList, "ww") ENTRY(GetSlotInfo, "w") ENTRY(GetTokenInfo, "w")
	ENTRY(GetMechanismList, "ww") ENTRY(GetMechanismInfo, "w") ENTRY(WaitForSlotEvent, "w")
	ENTRY(InitToken, "rr") ENTRY(SetPIN, "rr") ENTRY(InitPIN, "r")
	ENTRY(OpenSession, "w") ENTRY(GetSessionInfo, "w") ENTRY(GetSessionValidationFlags, "w")
	ENTRY(Login, "r") ENTRY(LoginUser, "r") ENTRY(OperationState, "wwr")
	ENTRY(CreateObject, "rwr") ENTRY(CreateTokenObject, "rwr") ENTRY(CopyObject, "rwr") ENTRY(GetObjectSize, "w")
	ENTRY(GetAttributeValue, "ww") ENTRY(SetAttributeValue, "rr") ENTRY(FindObjects, "rrww")
	ENTRY(DecryptInit, "r") ENTRY(Encrypt, "rrwwrw") ENTRY(EncryptParts, "rwwwrw")
	ENTRY(Digest, "rrww") ENTRY(DigestSHA1, "rrww") ENTRY(DigestSHA512, "rrww") ENTRY(DigestSHA3, "rrww") ENTRY(DigestParts, "rww")
	ENTRY(Sign, "rrww") ENTRY(SignHash, "rrww") ENTRY(SignParts, "rww")
	ENTRY(Verify, "rrr") ENTRY(VerifyParts, "rr") ENTRY(VerifySignature, "rrr") ENTRY(VerifySignatureParts, "r")
	ENTRY(GenerateKeyPair, "rrrwwr") ENTRY(GenerateSessionKeyPair, "rrrwwr") ENTRY(DeriveKey, "rrwrr")
	ENTRY(GenerateKey, "rrwr") ENTRY(Recover, "rrwwrrww") ENTRY(DigestEncryptUpdate, "rww") ENTRY(DecryptDigestUpdate, "rww")
	ENTRY(WrapKey, "rwwrrrwr") ENTRY(EncapsulateKey, "rwwwrrwr") ENTRY(SignEncryptUpdate, "rww") ENTRY(DecryptVerifyUpdate, "rww")
	ENTRY(EncryptMessage, "rrrrwwww") ENTRY(DecryptMessage, "rrrrwwrr") ENTRY(EncryptMessageParts, "rrrrwwww") ENTRY(DecryptMessageParts, "rrrrwwrr")
	ENTRY(SignMessage, "rrwwrww") ENTRY(VerifyMessage, "rrrrr") ENTRY(WrapKeyAuthenticated, "rrwwrrwww")
	ENTRY(SeedRandom, "r") ENTRY(GenerateRandom, "w")
};

/* ---- the addresses ----------------------------------------------------------------------------- */

static CK_BYTE *pages; /* to read and write, nothing, to read, nothing */

static void map_pages(void)
{
	pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	MUST(mprotect(pages + PAGE, PAGE, PROT_NONE));
	MUST(mprotect(pages + 2 * PAGE, PAGE, PROT_READ));
	MUST(mprotect(pages + 3 * PAGE, PAGE, PROT_NONE));
}

static const char *const kinds[] = {
	"nothing", "0x1", "0x10", "0xfff", "odd", "the end of a page", "the kernel", "no address at all", "beyond all", "read-only",
};
enum { WRITTEN_ONLY = 9, KINDS = 10 };

static void *address(int kind)
{
	memset(pages, 0, PAGE);
	switch (kind) {
	case 0: return pages + PAGE;
	case 1: return (void *)0x1;
	case 2: return (void *)0x10;
	case 3: return (void *)0xfff;
	case 4: return pages + PAGE + 0x123;
	case 5: return pages + PAGE - 1;
	case 6: return (void *)(uintptr_t)0xffff8000c0000000; /* cut to what it is with 32 bits */
	case 7: return (void *)(uintptr_t)0x80000000c0000000;
	case 8: return (void *)(UINTPTR_MAX - 0xff);
	}
	return pages + 2 * PAGE;
}

/* ---- one process a function -------------------------------------------------------------------- */

static CK_ULONG count_objects(void)
{
	CK_OBJECT_HANDLE all[100];
	CK_ULONG found = 0;
	MUST(M->C_FindObjectsInit(h, NULL, 0));
	MUST(M->C_FindObjects(h, all, 100, &found));
	MUST(M->C_FindObjectsFinal(h));
	return found;
}

static CK_ULONG count_sessions(void)
{
	CK_TOKEN_INFO info;
	MUST(M->C_GetTokenInfo(0, &info));
	return info.ulSessionCount;
}

/* A bad pointer is the module's to notice: it never comes to the host. */
static void on_fault(int number)
{
	printf("%s: the host's handler of signal %d was called\n", report->where, number);
	fflush(stdout);
	_exit(1);
}

static void set_up(void)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &data_class, sizeof data_class}, {CKA_TOKEN, &yes, 1}, {CKA_VALUE, bytes, 32}};
	CK_INTERFACE *newest;
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	library = dlopen(module, RTLD_NOW);
	CHECK(library != NULL);
	MUST(((CK_C_GetInterface)dlsym(library, "C_GetInterface"))(NULL, NULL, &newest, 0));
	M = newest->pFunctionList;
	F = load(module);
	MUST(M->C_Initialize(NULL));
	h = session(F);
	login(F, h);
	private = half(F, h, CKO_PRIVATE_KEY);
	public = half(F, h, CKO_PUBLIC_KEY);
	MUST(M->C_CreateObject(h, t, 3, &data));
	MECHANISM(m, CKM_ECDSA);
	n = sizeof signature;
	MUST(M->C_SignInit(h, &m, private));
	MUST(M->C_Sign(h, bytes, 32, signature, &n));
	objects = count_objects();
}

static void works(void)
{
	CK_BYTE s[64];
	if (count_objects() != objects)
		printf("%s: there were %lu objects, and are %lu\n", report->where, objects, count_objects());
	if (count_sessions() != sessions)
		printf("%s: there were %lu sessions, and are %lu\n", report->where, sessions, count_sessions());
	private = half(F, h, CKO_PRIVATE_KEY), public = half(F, h, CKO_PUBLIC_KEY);
	MUST(try_sign(F, h, private, s));
	MUST(try_verify(F, h, public, s));
}

struct job {
	const struct entry *entry;
	void *p[POINTERS];
	CK_RV rv;
};

static void *work_off(void *job)
{
	struct job *j = job;
	j->rv = j->entry->call(j->p);
	return NULL;
}

/* Calls in a thread that is new to the module, whose stack there is small still. */
static CK_RV in_thread(const struct entry *e, int pointer, void *bad)
{
	struct job j = {.entry = e};
	pthread_t t;
	if (pointer >= 0)
		j.p[pointer] = bad;
	MUST(pthread_create(&t, NULL, work_off, &j));
	MUST(pthread_join(t, NULL));
	return j.rv;
}

static int littering, ended;

/* Leaves garbage, so that the collector looks at what is on all stacks all the time. */
static void *litter(void *unused)
{
	CK_SESSION_HANDLE s = session(F);
	CK_BYTE label[1000] = {0};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &data_class, sizeof data_class}, {CKA_LABEL, label, sizeof label}};
	__atomic_store_n(&littering, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
		MUST(M->C_FindObjectsInit(s, t, 2));
		MUST(M->C_FindObjectsFinal(s));
	}
	MUST(M->C_CloseSession(s));
	return unused;
}

static void bad_pointer(const struct entry *e, int pointer, int kind)
{
	snprintf(report->where, sizeof report->where, "%s, pointer %d to %s", e->name, pointer, kinds[kind]);
	CK_RV rv = in_thread(e, pointer, address(kind));
	if (rv != CKR_ARGUMENTS_BAD && rv != CKR_GENERAL_ERROR)
		printf("%s: 0x%lx\n", report->where, rv);
	works();
}

static void try_all(const struct entry *e)
{
	snprintf(report->where, sizeof report->where, "%s", e->name);
	set_up();
	pthread_t other;
	int alone = e->call == call_InitToken; /* which no session may be open for */
	if (!alone)
		MUST(pthread_create(&other, NULL, litter, NULL));
	while (!alone && !__atomic_load_n(&littering, __ATOMIC_ACQUIRE))
		sched_yield();
	sessions = alone ? 1 : 2;
	CK_RV rv = in_thread(e, -1, NULL);
	if (rv != CKR_OK)
		printf("%s with good pointers: 0x%lx\n", e->name, rv);
	map_pages();
	for (int i = 0; !good && e->pointers[i]; i++)
		for (int kind = 0; kind < KINDS; kind++)
			if (kind != WRITTEN_ONLY || e->pointers[i] == 'w')
				bad_pointer(e, i, kind);
	__atomic_store_n(&ended, 1, __ATOMIC_RELAXED);
	if (!alone)
		MUST(pthread_join(other, NULL));
	sessions = 1;
	works();
	MUST(M->C_Finalize(NULL));
}

static void in_process(const struct entry *e)
{
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		alarm(300);
		try_all(e);
		fflush(stdout);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status))
		printf("%s: ended by signal %d\n", report->where, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		printf("%s: ended with %d\n", report->where, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	module = argv[1];
	good = strcmp(argv[2], "good") == 0;
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(report != MAP_FAILED);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (argc < 4 || strcmp(argv[3], table[i].name) == 0)
			in_process(&table[i]);
	return 0;
}
