/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What each function may answer, by the lists of section 5 of the
 * specification. Not here are the codes of troubles that the fuzzer does not
 * make, and that would hide defects of the module: CKR_GENERAL_ERROR,
 * CKR_FUNCTION_FAILED, CKR_HOST_MEMORY, CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED,
 * CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_WRITE_PROTECTED.
 */
#ifndef CODES_H
#define CODES_H 1

#include "zk_pkcs11.h"

/* Codes of every function that takes a session. */
#define SESSION CKR_OK, CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED

#define TEMPLATE CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_SESSION_READ_ONLY, \
	CKR_TEMPLATE_INCONSISTENT, CKR_USER_NOT_LOGGED_IN, CKR_ARGUMENTS_BAD, CKR_DEVICE_MEMORY
#define CREATE TEMPLATE, CKR_TEMPLATE_INCOMPLETE, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID
#define MECHANISM CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_OPERATION_ACTIVE, CKR_ARGUMENTS_BAD
#define KEY CKR_KEY_HANDLE_INVALID, CKR_KEY_SIZE_RANGE, CKR_KEY_TYPE_INCONSISTENT
#define RUNNING CKR_OPERATION_NOT_INITIALIZED, CKR_OPERATION_ACTIVE, CKR_ARGUMENTS_BAD
#define OUTPUT RUNNING, CKR_BUFFER_TOO_SMALL
#define NEW_PIN CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_SESSION_READ_ONLY
#define LOGIN CKR_ARGUMENTS_BAD, CKR_OPERATION_NOT_INITIALIZED, CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_SESSION_READ_ONLY_EXISTS, \
	CKR_USER_ALREADY_LOGGED_IN, CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED, CKR_USER_TOO_MANY_TYPES, \
	CKR_USER_TYPE_INVALID

/* F(NAME, ARGUMENTS, WEIGHT, CODES...) for each function; see arguments.h for ARGUMENTS. */
#define FUNCTIONS(F) \
	F(Initialize, "I", 1, CKR_ARGUMENTS_BAD, CKR_CANT_LOCK, CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_NEED_TO_CREATE_THREADS) \
	F(Finalize, "z", 1, CKR_ARGUMENTS_BAD, CKR_OK) \
	F(GetInfo, "w", 2, CKR_ARGUMENTS_BAD, CKR_OK) \
	F(GetFunctionList, "w", 1, CKR_ARGUMENTS_BAD, CKR_OK) \
	F(GetInterfaceList, "B", 1, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL, CKR_OK) \
	F(GetInterface, "NVwu", 1, CKR_ARGUMENTS_BAD, CKR_OK) \
	F(GetSlotList, "1B", 3, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL, CKR_OK) \
	F(GetSlotInfo, "Sw", 3, CKR_ARGUMENTS_BAD, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(GetTokenInfo, "Sw", 3, CKR_ARGUMENTS_BAD, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(GetMechanismList, "SB", 3, CKR_ARGUMENTS_BAD, CKR_BUFFER_TOO_SMALL, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(GetMechanismInfo, "SMw", 3, CKR_ARGUMENTS_BAD, CKR_MECHANISM_INVALID, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(WaitForSlotEvent, "Ewz", 2, CKR_ARGUMENTS_BAD, CKR_NO_EVENT, CKR_OK) \
	F(InitToken, "SPL", 1, CKR_ARGUMENTS_BAD, CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_SESSION_EXISTS, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(InitPIN, "sP", 1, SESSION, NEW_PIN, CKR_USER_NOT_LOGGED_IN) \
	F(SetPIN, "sPP", 1, SESSION, NEW_PIN, CKR_PIN_INCORRECT, CKR_PIN_LOCKED) \
	F(OpenSession, "SOzzw", 20, CKR_ARGUMENTS_BAD, CKR_SESSION_ASYNC_NOT_SUPPORTED, CKR_SESSION_COUNT, CKR_SESSION_PARALLEL_NOT_SUPPORTED, \
		CKR_SESSION_READ_WRITE_SO_EXISTS, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(CloseSession, "s", 6, SESSION) \
	F(CloseAllSessions, "S", 1, CKR_SLOT_ID_INVALID, CKR_OK) \
	F(GetSessionInfo, "sw", 5, SESSION, CKR_ARGUMENTS_BAD) \
	F(SessionCancel, "su", 3, SESSION, CKR_OPERATION_CANCEL_FAILED) \
	F(GetOperationState, "sb", 5, SESSION, OUTPUT, CKR_STATE_UNSAVEABLE) \
	F(SetOperationState, "soKK", 5, SESSION, CKR_ARGUMENTS_BAD, CKR_KEY_CHANGED, CKR_KEY_NEEDED, CKR_KEY_NOT_NEEDED, CKR_SAVED_STATE_INVALID) \
	F(Login, "sUP", 3, SESSION, LOGIN) \
	F(LoginUser, "sUPd", 1, SESSION, LOGIN) \
	F(Logout, "s", 1, SESSION, CKR_USER_NOT_LOGGED_IN) \
	F(CreateObject, "stw", 20, SESSION, CREATE) \
	F(CopyObject, "sktw", 10, SESSION, TEMPLATE, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID) \
	F(DestroyObject, "sk", 10, SESSION, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID, CKR_SESSION_READ_ONLY) \
	F(GetObjectSize, "skw", 5, SESSION, CKR_ARGUMENTS_BAD, CKR_INFORMATION_SENSITIVE, CKR_OBJECT_HANDLE_INVALID) \
	F(GetAttributeValue, "skq", 20, SESSION, CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL, \
		CKR_OBJECT_HANDLE_INVALID) \
	F(SetAttributeValue, "skt", 10, SESSION, TEMPLATE, CKR_ACTION_PROHIBITED, CKR_OBJECT_HANDLE_INVALID) \
	F(FindObjectsInit, "st", 20, SESSION, CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_OPERATION_ACTIVE) \
	F(FindObjects, "sHw", 20, SESSION, RUNNING) \
	F(FindObjectsFinal, "s", 20, SESSION, RUNNING) \
	F(DigestInit, "sh", 10, SESSION, MECHANISM, CKR_USER_NOT_LOGGED_IN) \
	F(Digest, "sdb", 10, SESSION, OUTPUT) \
	F(DigestUpdate, "sd", 10, SESSION, RUNNING) \
	F(DigestKey, "sk", 10, SESSION, RUNNING, CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE, CKR_KEY_SIZE_RANGE) \
	F(DigestFinal, "sb", 10, SESSION, OUTPUT) \
	F(SignInit, "syk", 20, SESSION, MECHANISM, KEY, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_USER_NOT_LOGGED_IN) \
	F(Sign, "sdb", 20, SESSION, OUTPUT, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN, GONE) \
	F(SignUpdate, "sd", 10, SESSION, RUNNING, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN) \
	F(SignFinal, "sb", 10, SESSION, OUTPUT, CKR_DATA_LEN_RANGE, CKR_USER_NOT_LOGGED_IN, GONE) \
	F(VerifyInit, "syk", 20, SESSION, MECHANISM, KEY, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_USER_NOT_LOGGED_IN) \
	F(Verify, "sdd", 20, SESSION, RUNNING, CKR_DATA_INVALID, CKR_DATA_LEN_RANGE, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE) \
	F(VerifyUpdate, "sd", 10, SESSION, RUNNING, CKR_DATA_LEN_RANGE) \
	F(VerifyFinal, "sd", 10, SESSION, RUNNING, CKR_DATA_LEN_RANGE, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE) \
	F(GenerateKeyPair, "snGRww", 20, SESSION, CREATE, MECHANISM) \
	F(DeriveKey, "sektw", 20, SESSION, CREATE, MECHANISM, KEY, FORGOTTEN) \
	F(SeedRandom, "sd", 2, SESSION, CKR_ARGUMENTS_BAD, CKR_OPERATION_ACTIVE, CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_RANDOM_NO_RNG, CKR_USER_NOT_LOGGED_IN) \
	F(GenerateRandom, "sg", 5, SESSION, CKR_ARGUMENTS_BAD, CKR_OPERATION_ACTIVE, CKR_RANDOM_NO_RNG, CKR_USER_NOT_LOGGED_IN) \
	F(GetFunctionStatus, "s", 1, CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL) \
	F(CancelFunction, "s", 1, CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_PARALLEL)

/* CKR_FUNCTION_FAILED tells that a key was destroyed after the operation with it began. */
#define GONE CKR_FUNCTION_FAILED

/*
 * C_DeriveKey's list lacks the code that 5.1.7 defines for a key that may not be
 * used so, and that C_SignInit and others have.
 */
#define FORGOTTEN CKR_KEY_FUNCTION_NOT_PERMITTED

/* X(NAME, ARGUMENTS): functions that this token does not have. */
#define UNSUPPORTED(X) \
	X(EncryptInit, "smk") X(Encrypt, "sdb") X(EncryptUpdate, "sdb") X(EncryptFinal, "sb") \
	X(DecryptInit, "smk") X(Decrypt, "sdb") X(DecryptUpdate, "sdb") X(DecryptFinal, "sb") \
	X(SignRecoverInit, "smk") X(SignRecover, "sdb") X(VerifyRecoverInit, "smk") X(VerifyRecover, "sdb") \
	X(DigestEncryptUpdate, "sdb") X(DecryptDigestUpdate, "sdb") X(SignEncryptUpdate, "sdb") X(DecryptVerifyUpdate, "sdb") \
	X(GenerateKey, "smtw") X(WrapKey, "smkkb") X(UnwrapKey, "smkdtw") \
	X(MessageEncryptInit, "smk") X(EncryptMessage, "sdddb") X(EncryptMessageBegin, "sdd") X(EncryptMessageNext, "sddbu") X(MessageEncryptFinal, "s") \
	X(MessageDecryptInit, "smk") X(DecryptMessage, "sdddb") X(DecryptMessageBegin, "sdd") X(DecryptMessageNext, "sddbu") X(MessageDecryptFinal, "s") \
	X(MessageSignInit, "smk") X(SignMessage, "sddb") X(SignMessageBegin, "sd") X(SignMessageNext, "sddb") X(MessageSignFinal, "s") \
	X(MessageVerifyInit, "smk") X(VerifyMessage, "sddd") X(VerifyMessageBegin, "sd") X(VerifyMessageNext, "sddd") X(MessageVerifyFinal, "s") \
	X(EncapsulateKey, "smktbw") X(DecapsulateKey, "smktdw") X(VerifySignatureInit, "smkd") X(VerifySignature, "sd") \
	X(VerifySignatureUpdate, "sd") X(VerifySignatureFinal, "s") X(GetSessionValidationFlags, "suw") X(AsyncComplete, "sNw") X(AsyncGetID, "sNw") \
	X(AsyncJoin, "sNud") X(WrapKeyAuthenticated, "smkkdb") X(UnwrapKeyAuthenticated, "smkdtdw")

#endif /* CODES_H */
