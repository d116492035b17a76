/* SPDX-License-Identifier: Apache-2.0 */

/* NULL pointers, unknown handles, slots and types, and lengths of nowhere. */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE private, public;
static CK_BYTE data[64], out[64];
static CK_ULONG n;
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
static CK_MECHANISM endless = {CKM_SHA256, NULL, HUGE_LENGTH};
static CK_MECHANISM lock = {CKM_ZK_LOCK, NULL, 0}, endless_lock = {CKM_ZK_LOCK, NULL, HUGE_LENGTH};
static CK_ATTRIBUTE label = {CKA_LABEL, data, 4}, endless_label = {CKA_LABEL, NULL, HUGE_LENGTH};
static CK_OBJECT_HANDLE o;

enum { NO_SLOT = 77, NO_SESSION = 987654, NO_OBJECT = 987654 };

static void slots(void)
{
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO info;
	CK_MECHANISM_INFO mechanism;
	CK_SLOT_ID id;
	RV("C_GetSlotList without a count", f->C_GetSlotList(CK_TRUE, NULL, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetSlotList with a list only", f->C_GetSlotList(CK_TRUE, &id, NULL), CKR_ARGUMENTS_BAD);
	n = 0;
	RV("C_GetSlotList with room for none", f->C_GetSlotList(CK_TRUE, &id, &n), CKR_BUFFER_TOO_SMALL);
	IS("it tells that there is one", n == 1);
	n = HUGE_LENGTH;
	RV("C_GetSlotList with endless room", f->C_GetSlotList(CK_FALSE, &id, &n), CKR_OK);
	IS("slot 0 is there", n == 1 && id == 0);
	RV("C_GetSlotList with a truth value of 2", f->C_GetSlotList(2, NULL, &n), CKR_OK);
	RV("C_GetSlotInfo(NULL)", f->C_GetSlotInfo(0, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetSlotInfo of no slot", f->C_GetSlotInfo(NO_SLOT, &slot), CKR_SLOT_ID_INVALID);
	RV("C_GetSlotInfo of the last number", f->C_GetSlotInfo((CK_SLOT_ID)-1, &slot), CKR_SLOT_ID_INVALID);
	RV("C_GetTokenInfo(NULL)", f->C_GetTokenInfo(0, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetTokenInfo of no slot", f->C_GetTokenInfo(NO_SLOT, &info), CKR_SLOT_ID_INVALID);
	RV("C_GetMechanismList without a count", f->C_GetMechanismList(0, NULL, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetMechanismList of no slot", f->C_GetMechanismList(NO_SLOT, NULL, &n), CKR_SLOT_ID_INVALID);
	RV("C_GetMechanismInfo(NULL)", f->C_GetMechanismInfo(0, CKM_ECDSA, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetMechanismInfo of no slot", f->C_GetMechanismInfo(NO_SLOT, CKM_ECDSA, &mechanism), CKR_SLOT_ID_INVALID);
	RV("C_GetMechanismInfo of no mechanism", f->C_GetMechanismInfo(0, 0x7fffffff, &mechanism), CKR_MECHANISM_INVALID);
	RV("C_WaitForSlotEvent without a place", f->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
	RV("C_WaitForSlotEvent with pReserved", f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, &n), CKR_ARGUMENTS_BAD);
	RV("C_WaitForSlotEvent", f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), CKR_NO_EVENT);
}

static void pins(void)
{
	CK_UTF8CHAR name[33] = "a label                         ";
	RV("C_InitToken of no slot", f->C_InitToken(NO_SLOT, so_pin, PIN, name), CKR_SLOT_ID_INVALID);
	RV("C_InitToken without a PIN", f->C_InitToken(0, NULL, 0, name), CKR_ARGUMENTS_BAD);
	RV("C_InitToken with a huge PIN at NULL", f->C_InitToken(0, NULL, HUGE_LENGTH, name), CKR_ARGUMENTS_BAD);
	RV("C_InitToken without a label", f->C_InitToken(0, so_pin, PIN, NULL), CKR_ARGUMENTS_BAD);
	RV("C_InitPIN without a PIN", f->C_InitPIN(s, NULL, 0), CKR_ARGUMENTS_BAD);
	RV("C_InitPIN with a huge PIN at NULL", f->C_InitPIN(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("C_InitPIN without a session", f->C_InitPIN(NO_SESSION, user_pin, PIN), CKR_SESSION_HANDLE_INVALID);
	RV("C_SetPIN without the old PIN", f->C_SetPIN(s, NULL, 0, user_pin, PIN), CKR_ARGUMENTS_BAD);
	RV("C_SetPIN without the new PIN", f->C_SetPIN(s, user_pin, PIN, NULL, PIN), CKR_ARGUMENTS_BAD);
	RV("C_SetPIN without a session", f->C_SetPIN(NO_SESSION, user_pin, PIN, user_pin, PIN), CKR_SESSION_HANDLE_INVALID);
	RV("C_LoginUser with a huge PIN at NULL", f->C_LoginUser(s, CKU_USER, NULL, HUGE_LENGTH, NULL, 0), CKR_ARGUMENTS_BAD);
	RV("C_LoginUser with a huge name at NULL", f->C_LoginUser(s, CKU_USER, user_pin, PIN, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
}

static void objects(void)
{
	RV("C_CreateObject without a template", f->C_CreateObject(s, NULL, 3, &o), CKR_ARGUMENTS_BAD);
	RV("C_CreateObject with a huge template at NULL", f->C_CreateObject(s, NULL, HUGE_LENGTH, &o), CKR_ARGUMENTS_BAD);
	RV("C_CreateObject with a huge value at NULL", f->C_CreateObject(s, &endless_label, 1, &o), CKR_ARGUMENTS_BAD);
	RV("C_CreateObject without a place", f->C_CreateObject(s, &label, 1, NULL), CKR_ARGUMENTS_BAD);
	RV("C_CreateObject without a session", f->C_CreateObject(NO_SESSION, &label, 1, &o), CKR_SESSION_HANDLE_INVALID);
	RV("C_CopyObject with a huge template at NULL", f->C_CopyObject(s, public, NULL, HUGE_LENGTH, &o), CKR_ARGUMENTS_BAD);
	RV("C_CopyObject of no object", f->C_CopyObject(s, NO_OBJECT, NULL, 0, &o), CKR_OBJECT_HANDLE_INVALID);
	RV("C_DestroyObject of no object", f->C_DestroyObject(s, NO_OBJECT), CKR_OBJECT_HANDLE_INVALID);
	RV("C_DestroyObject of 0", f->C_DestroyObject(s, 0), CKR_OBJECT_HANDLE_INVALID);
	RV("C_GetObjectSize without a place", f->C_GetObjectSize(s, public, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetObjectSize of no object", f->C_GetObjectSize(s, NO_OBJECT, &n), CKR_OBJECT_HANDLE_INVALID);
	RV("C_GetObjectSize", f->C_GetObjectSize(s, public, &n), CKR_OK);
	RV("C_SetAttributeValue with a huge template at NULL", f->C_SetAttributeValue(s, public, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("C_SetAttributeValue with a huge value at NULL", f->C_SetAttributeValue(s, public, &endless_label, 1), CKR_ARGUMENTS_BAD);
	RV("C_FindObjectsInit with a huge template at NULL", f->C_FindObjectsInit(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("C_FindObjectsInit with a huge value at NULL", f->C_FindObjectsInit(s, &endless_label, 1), CKR_ARGUMENTS_BAD);
	RV("none of these began a search", f->C_FindObjectsFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_FindObjectsInit(s, &label, 1));
	RV("C_FindObjects with a huge list at NULL", f->C_FindObjects(s, NULL, HUGE_LENGTH, &n), CKR_ARGUMENTS_BAD);
	must(f->C_FindObjectsFinal(s));
}

static void digests(void)
{
	RV("C_DigestInit with a huge parameter at NULL", f->C_DigestInit(s, &endless), CKR_MECHANISM_PARAM_INVALID);
	RV("C_DigestInit without a session", f->C_DigestInit(NO_SESSION, &sha256), CKR_SESSION_HANDLE_INVALID);
	must(f->C_DigestInit(s, &sha256));
	RV("C_Digest of huge data at NULL", f->C_Digest(s, NULL, HUGE_LENGTH, out, &n), CKR_ARGUMENTS_BAD);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestUpdate of huge data at NULL", f->C_DigestUpdate(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestFinal without a length", f->C_DigestFinal(s, out, NULL), CKR_ARGUMENTS_BAD);
	must(f->C_DigestInit(s, &sha256));
	n = HUGE_LENGTH;
	RV("C_Digest into endless room", f->C_Digest(s, data, sizeof data, out, &n), CKR_OK);
	IS("32 bytes came", n == 32);
	must(f->C_DigestInit(s, &sha256));
	n = 32;
	RV("C_Digest onto its data", f->C_Digest(s, data, sizeof data, data, &n), CKR_OK);
	IS("it is the digest of the data", memcmp(data, out, 32) == 0);
}

static void signatures(void)
{
	RV("C_SignInit without a session", f->C_SignInit(NO_SESSION, &ecdsa, private), CKR_SESSION_HANDLE_INVALID);
	RV("C_SignInit of no mechanism and no key", f->C_SignInit(s, NULL, NO_OBJECT), CKR_OK);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_Sign of huge data at NULL", f->C_Sign(s, NULL, HUGE_LENGTH, out, &n), CKR_ARGUMENTS_BAD);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_SignUpdate of huge data at NULL", f->C_SignUpdate(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_SignFinal without a length", f->C_SignFinal(s, out, NULL), CKR_ARGUMENTS_BAD);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_Verify of huge data at NULL", f->C_Verify(s, NULL, HUGE_LENGTH, out, 64), CKR_ARGUMENTS_BAD);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_Verify of a huge signature at NULL", f->C_Verify(s, data, 32, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_VerifyFinal of a signature at NULL", f->C_VerifyFinal(s, NULL, 64), CKR_ARGUMENTS_BAD);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_VerifyUpdate of huge data at NULL", f->C_VerifyUpdate(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("C_VerifySignatureInit with a huge signature at NULL", f->C_VerifySignatureInit(s, &ecdsa, public, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("C_VerifySignatureFinal without a session", f->C_VerifySignatureFinal(NO_SESSION), CKR_SESSION_HANDLE_INVALID);
	must(f->C_VerifySignatureInit(s, &ecdsa, public, out, 64));
	RV("C_VerifySignature of huge data at NULL", f->C_VerifySignature(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	must(f->C_VerifySignatureInit(s, &ecdsa, public, out, 64));
	RV("C_VerifySignatureUpdate of huge data at NULL", f->C_VerifySignatureUpdate(s, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_VerifySignatureFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	RV("all operations are over", f->C_SessionCancel(s, CKF_SIGN | CKF_VERIFY | CKF_DIGEST), CKR_OK);
	RV("C_SessionCancel without a session", f->C_SessionCancel(NO_SESSION, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
}

static void derivations(void)
{
	CK_BYTE point[65] = {4};
	CK_ECDH1_DERIVE_PARAMS p = {CKD_NULL, 0, NULL, sizeof point, point};
	CK_MECHANISM ecdh = {CKM_ECDH1_DERIVE, &p, sizeof p}, half = {CKM_ECDH1_DERIVE, &p, sizeof p / 2}, none = {CKM_ECDH1_DERIVE, NULL, 0};
	RV("C_DeriveKey without a mechanism", f->C_DeriveKey(s, NULL, private, NULL, 0, &o), CKR_ARGUMENTS_BAD);
	RV("C_DeriveKey without a place", f->C_DeriveKey(s, &ecdh, private, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	RV("C_DeriveKey of no key", f->C_DeriveKey(s, &ecdh, NO_OBJECT, NULL, 0, &o), CKR_KEY_HANDLE_INVALID);
	RV("C_DeriveKey without a parameter", f->C_DeriveKey(s, &none, private, NULL, 0, &o), CKR_MECHANISM_PARAM_INVALID);
	RV("C_DeriveKey with half a parameter", f->C_DeriveKey(s, &half, private, NULL, 0, &o), CKR_MECHANISM_PARAM_INVALID);
	RV("C_DeriveKey with a point of no curve", f->C_DeriveKey(s, &ecdh, private, NULL, 0, &o), CKR_PUBLIC_KEY_INVALID);
	p.pPublicData = NULL;
	RV("C_DeriveKey with a point at NULL", f->C_DeriveKey(s, &ecdh, private, NULL, 0, &o), CKR_MECHANISM_PARAM_INVALID);
	p.ulPublicDataLen = HUGE_LENGTH;
	RV("C_DeriveKey with a huge point at NULL", f->C_DeriveKey(s, &ecdh, private, NULL, 0, &o), CKR_MECHANISM_PARAM_INVALID);
}

static void others(void)
{
	RV("C_GenerateRandom at NULL", f->C_GenerateRandom(s, NULL, 8), CKR_ARGUMENTS_BAD);
	RV("C_GenerateRandom of no bytes", f->C_GenerateRandom(s, NULL, 0), CKR_OK);
	RV("C_GenerateRandom without a session", f->C_GenerateRandom(NO_SESSION, out, 8), CKR_SESSION_HANDLE_INVALID);
	RV("C_GetSessionValidationFlags without a place", f->C_GetSessionValidationFlags(s, CKS_LAST_VALIDATION_OK, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetSessionValidationFlags without a session", f->C_GetSessionValidationFlags(NO_SESSION, CKS_LAST_VALIDATION_OK, &n), CKR_SESSION_HANDLE_INVALID);
	RV("C_GetOperationState without a length", f->C_GetOperationState(s, out, NULL), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_SetOperationState at NULL", f->C_SetOperationState(s, NULL, 8, 0, 0), CKR_ARGUMENTS_BAD);
	RV("C_SetOperationState of nothing", f->C_SetOperationState(s, NULL, 0, 0, 0), CKR_SAVED_STATE_INVALID);
	RV("C_GetFunctionStatus", f->C_GetFunctionStatus(s), CKR_FUNCTION_NOT_PARALLEL);
	RV("C_CancelFunction", f->C_CancelFunction(s), CKR_FUNCTION_NOT_PARALLEL);
	RV("C_EncryptInit of no object", f->C_EncryptInit(s, &lock, NO_OBJECT), CKR_KEY_HANDLE_INVALID);
	RV("C_EncryptInit with a huge parameter at NULL", f->C_EncryptInit(s, &endless_lock, 0), CKR_MECHANISM_PARAM_INVALID);
	RV("C_Encrypt without a length", f->C_Encrypt(s, data, sizeof data, out, NULL), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_EncryptUpdate without a session", f->C_EncryptUpdate(NO_SESSION, data, sizeof data, out, &n), CKR_SESSION_HANDLE_INVALID);
	RV("C_EncryptFinal without a length", f->C_EncryptFinal(s, out, NULL), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_DecryptInit of no object", f->C_DecryptInit(s, &lock, NO_OBJECT), CKR_KEY_HANDLE_INVALID);
	must(f->C_DecryptInit(s, &lock, CK_INVALID_HANDLE));
	RV("C_Decrypt of huge data at NULL", f->C_Decrypt(s, NULL, HUGE_LENGTH, out, &n), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_Decrypt(s, data, 4, out, &n), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_DecryptUpdate without a session", f->C_DecryptUpdate(NO_SESSION, data, sizeof data, out, &n), CKR_SESSION_HANDLE_INVALID);
	RV("C_DecryptFinal without a session", f->C_DecryptFinal(NO_SESSION, out, &n), CKR_SESSION_HANDLE_INVALID);
	RV("C_WrapKey by what does not wrap", f->C_WrapKey(s, &ecdsa, public, private, NULL, NULL), CKR_MECHANISM_INVALID);
	RV("C_AsyncJoin, which there is not", f->C_AsyncJoin(s, NULL, 0, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
}

/* no_session has a fault in the other arguments, too, which is not what is told. */
static void no_session(void)
{
	CK_MECHANISM odd = {CKM_SHA256, NULL, 5};
	RV("C_GetSessionInfo", f->C_GetSessionInfo(NO_SESSION, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_GetSessionValidationFlags", f->C_GetSessionValidationFlags(NO_SESSION, 77, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_Login", f->C_Login(NO_SESSION, CKU_USER, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_SetPIN", f->C_SetPIN(NO_SESSION, NULL, 5, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_SetOperationState", f->C_SetOperationState(NO_SESSION, NULL, 5, 0, 0), CKR_SESSION_HANDLE_INVALID);
	RV("C_CreateObject", f->C_CreateObject(NO_SESSION, NULL, 5, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_GetObjectSize", f->C_GetObjectSize(NO_SESSION, public, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_GetAttributeValue", f->C_GetAttributeValue(NO_SESSION, public, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_FindObjectsInit", f->C_FindObjectsInit(NO_SESSION, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_FindObjects", f->C_FindObjects(NO_SESSION, NULL, 5, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_DigestInit", f->C_DigestInit(NO_SESSION, &odd), CKR_SESSION_HANDLE_INVALID);
	RV("C_Digest", f->C_Digest(NO_SESSION, NULL, 5, out, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_Sign", f->C_Sign(NO_SESSION, NULL, 5, out, &n), CKR_SESSION_HANDLE_INVALID);
	RV("C_VerifyFinal", f->C_VerifyFinal(NO_SESSION, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_VerifySignatureInit", f->C_VerifySignatureInit(NO_SESSION, &ecdsa, public, NULL, 5), CKR_SESSION_HANDLE_INVALID);
	RV("C_GenerateKeyPair", f->C_GenerateKeyPair(NO_SESSION, NULL, NULL, 5, NULL, 5, NULL, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_DeriveKey", f->C_DeriveKey(NO_SESSION, NULL, private, NULL, 5, NULL), CKR_SESSION_HANDLE_INVALID);
	RV("C_GenerateRandom", f->C_GenerateRandom(NO_SESSION, NULL, 5), CKR_SESSION_HANDLE_INVALID);
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	slots();
	s = user_session();
	private = slot_key(s, CKO_PRIVATE_KEY, 0);
	public = slot_key(s, CKO_PUBLIC_KEY, 0);
	pins();
	objects();
	digests();
	signatures();
	derivations();
	others();
	no_session();
	return done();
}
