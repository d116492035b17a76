/* SPDX-License-Identifier: Apache-2.0 */

/* The states of operations: digests, signatures, verifications, searches. */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE private, public, edwards;
static CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
static CK_MECHANISM ecdsa_sha256 = {CKM_ECDSA_SHA256, NULL, 0}, eddsa = {CKM_EDDSA, NULL, 0};
static CK_BYTE data[] = "the data of all these operations", out[128];
static CK_ULONG n;
enum { DATA = sizeof data - 1 };

static CK_ULONG *room(CK_ULONG size)
{
	n = size;
	return &n;
}

static void digest(void)
{
	RV("C_Digest without C_DigestInit", f->C_Digest(s, data, DATA, out, room(32)), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_DigestUpdate without C_DigestInit", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_DigestFinal without C_DigestInit", f->C_DigestFinal(s, out, room(32)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestInit twice", f->C_DigestInit(s, &sha256), CKR_OPERATION_ACTIVE);
	RV("C_Digest asks for the size", f->C_Digest(s, data, DATA, NULL, room(0)), CKR_OK);
	IS("the size is 32", n == 32);
	RV("C_Digest with too small a buffer", f->C_Digest(s, data, DATA, out, room(31)), CKR_BUFFER_TOO_SMALL);
	IS("the size is 32 again", n == 32);
	RV("C_Digest after both", f->C_Digest(s, data, DATA, out, room(sizeof out)), CKR_OK);
	IS("32 bytes came", n == 32);
	RV("C_Digest is over", f->C_Digest(s, data, DATA, out, room(32)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	must(f->C_DigestUpdate(s, data, DATA));
	RV("C_Digest after C_DigestUpdate", f->C_Digest(s, data, DATA, out, room(32)), CKR_OPERATION_ACTIVE);
	RV("which ends the operation", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestInit cancels with NULL", f->C_DigestInit(s, NULL), CKR_OK);
	RV("which ends the operation", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_DigestInit cancels nothing", f->C_DigestInit(s, NULL), CKR_OK);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestFinal of nothing", f->C_DigestFinal(s, out, room(32)), CKR_OK);
	must(f->C_DigestInit(s, &sha256));
	must(f->C_Digest(s, data, DATA, NULL, room(0)));
	RV("C_DigestFinal where C_Digest began", f->C_DigestFinal(s, out, room(32)), CKR_OPERATION_ACTIVE);
	RV("which ends the operation", f->C_Digest(s, data, DATA, out, room(32)), CKR_OPERATION_NOT_INITIALIZED);
}

static void digest_failures(void)
{
	CK_MECHANISM with_parameter = {CKM_SHA256, data, 4};
	RV("C_DigestInit with a parameter", f->C_DigestInit(s, &with_parameter), CKR_MECHANISM_PARAM_INVALID);
	RV("C_DigestInit with a mechanism that signs", f->C_DigestInit(s, &ecdsa), CKR_MECHANISM_INVALID);
	must(f->C_DigestInit(s, &sha256));
	RV("C_Digest without a length", f->C_Digest(s, data, DATA, out, NULL), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestUpdate of NULL", f->C_DigestUpdate(s, NULL, 5), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestUpdate of no data", f->C_DigestUpdate(s, NULL, 0), CKR_OK);
	RV("C_DigestKey of a key that is no secret key", f->C_DigestKey(s, public), CKR_KEY_INDIGESTIBLE);
	must(f->C_DigestInit(s, NULL));
	must(f->C_DigestInit(s, &sha256));
	RV("C_DigestKey of no key", f->C_DigestKey(s, 0), CKR_KEY_HANDLE_INVALID);
	must(f->C_DigestInit(s, NULL));
}

static void sign_one_part(void)
{
	RV("C_Sign without C_SignInit", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_SignInit twice", f->C_SignInit(s, &ecdsa, private), CKR_OPERATION_ACTIVE);
	RV("C_Sign asks for the size", f->C_Sign(s, data, 32, NULL, room(0)), CKR_OK);
	IS("the size is 64", n == 64);
	RV("C_Sign with too small a buffer", f->C_Sign(s, data, 32, out, room(63)), CKR_BUFFER_TOO_SMALL);
	IS("the size is 64 again", n == 64);
	RV("C_Sign after both", f->C_Sign(s, data, 32, out, room(sizeof out)), CKR_OK);
	IS("64 bytes came", n == 64);
	RV("C_Sign is over", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_Verify", f->C_Verify(s, data, 32, out, 64), CKR_OK);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_Sign without a length", f->C_Sign(s, data, 32, out, NULL), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_Sign of NULL", f->C_Sign(s, NULL, 32, out, room(64)), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_SignInit(s, &ecdsa, private));
	RV("C_SignUpdate with CKM_ECDSA", f->C_SignUpdate(s, data, 32), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_SignInit(s, NULL, 0));
}

static void sign_in_parts(void)
{
	must(f->C_SignInit(s, &ecdsa_sha256, private));
	must(f->C_SignUpdate(s, data, 10));
	must(f->C_SignUpdate(s, NULL, 0));
	must(f->C_SignUpdate(s, data + 10, DATA - 10));
	RV("C_SignFinal asks for the size", f->C_SignFinal(s, NULL, room(0)), CKR_OK);
	RV("C_SignFinal with too small a buffer", f->C_SignFinal(s, out, room(1)), CKR_BUFFER_TOO_SMALL);
	RV("C_SignFinal", f->C_SignFinal(s, out, room(64)), CKR_OK);
	RV("C_SignFinal is over", f->C_SignFinal(s, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifyInit(s, &ecdsa_sha256, public));
	RV("C_Verify of what was signed in parts", f->C_Verify(s, data, DATA, out, 64), CKR_OK);
	must(f->C_VerifyInit(s, &ecdsa_sha256, public));
	must(f->C_VerifyUpdate(s, data, 20));
	must(f->C_VerifyUpdate(s, data + 20, DATA - 20));
	RV("C_VerifyFinal in other parts", f->C_VerifyFinal(s, out, 64), CKR_OK);
	must(f->C_SignInit(s, &ecdsa_sha256, private));
	must(f->C_SignUpdate(s, data, DATA));
	RV("C_Sign after C_SignUpdate", f->C_Sign(s, data, DATA, out, room(64)), CKR_OPERATION_ACTIVE);
	RV("which ends the operation", f->C_SignFinal(s, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
}

/* edwards_rv is what C_Sign says: the hardware takes messages of 32 bytes only. */
static CK_RV edwards_rv(CK_ULONG length)
{
	return over_vendor() && length != 32 ? CKR_DATA_LEN_RANGE : CKR_OK;
}

static void edwards_messages(void)
{
	CK_EDDSA_PARAMS pure = {CK_FALSE, 0, NULL};
	CK_MECHANISM with_parameter = {CKM_EDDSA, &pure, sizeof pure}, too_short = {CKM_EDDSA, &pure, 1};
	for (CK_ULONG length = 0; length <= DATA; length += 8) {
		must(f->C_SignInit(s, &eddsa, edwards));
		RV("C_Sign with CKM_EDDSA", f->C_Sign(s, data, length, out, room(64)), edwards_rv(length));
	}
	RV("C_SignInit with pure parameters", f->C_SignInit(s, &with_parameter, edwards), CKR_OK);
	must(f->C_SignInit(s, NULL, 0));
	RV("C_SignInit with a short parameter", f->C_SignInit(s, &too_short, edwards), CKR_MECHANISM_PARAM_INVALID);
	pure.phFlag = CK_TRUE;
	RV("C_SignInit with Ed25519ph", f->C_SignInit(s, &with_parameter, edwards), CKR_MECHANISM_PARAM_INVALID);
	must(f->C_SignInit(s, &eddsa, edwards));
	RV("C_Sign of the empty message", f->C_Sign(s, NULL, 0, out, room(64)), edwards_rv(0));
}

static void sign_failures(void)
{
	CK_MECHANISM unknown = {0x7fffffff, NULL, 0}, with_parameter = {CKM_ECDSA, data, 4};
	RV("C_SignInit with no key", f->C_SignInit(s, &ecdsa, 0), CKR_KEY_HANDLE_INVALID);
	RV("C_SignInit with an unknown key", f->C_SignInit(s, &ecdsa, 987654321), CKR_KEY_HANDLE_INVALID);
	RV("C_SignInit with a public key", f->C_SignInit(s, &ecdsa, public), CKR_KEY_TYPE_INCONSISTENT);
	RV("C_SignInit with a key of another type", f->C_SignInit(s, &ecdsa, edwards), CKR_KEY_TYPE_INCONSISTENT);
	RV("C_SignInit with an unknown mechanism", f->C_SignInit(s, &unknown, private), CKR_MECHANISM_INVALID);
	RV("C_SignInit with a digest", f->C_SignInit(s, &sha256, private), CKR_MECHANISM_INVALID);
	RV("C_SignInit with a parameter", f->C_SignInit(s, &with_parameter, private), CKR_MECHANISM_PARAM_INVALID);
	RV("C_Sign after all these", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
}

/* key_gone destroys the key while a signature is under way. */
static void key_gone(CK_BBOOL on_token)
{
	CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof p256}, where = {CKA_TOKEN, &on_token, 1};
	CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE a, b;
	must(f->C_GenerateKeyPair(s, &generate, &curve, 1, &where, 1, &a, &b));
	must(f->C_SignInit(s, &ecdsa, b));
	must(f->C_DestroyObject(s, b));
	/* By the vendor's C API a session key is in no device, and the operation has it. */
	CK_RV gone = over_vendor() && !on_token ? CKR_OK : CKR_FUNCTION_FAILED;
	RV("C_Sign with a key that is gone", f->C_Sign(s, data, 32, out, room(64)), gone);
	RV("which ends the operation", f->C_Sign(s, data, 32, out, room(64)), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_SignInit with a key that is gone", f->C_SignInit(s, &ecdsa, b), CKR_KEY_HANDLE_INVALID);
}

static void verify(void)
{
	RV("C_Verify without C_VerifyInit", f->C_Verify(s, data, 32, out, 64), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_VerifyFinal without C_VerifyInit", f->C_VerifyFinal(s, out, 64), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_VerifyInit with a private key", f->C_VerifyInit(s, &ecdsa, private), CKR_KEY_TYPE_INCONSISTENT);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_VerifyInit twice", f->C_VerifyInit(s, &ecdsa, public), CKR_OPERATION_ACTIVE);
	RV("C_Verify with too short a signature", f->C_Verify(s, data, 32, out, 63), CKR_SIGNATURE_LEN_RANGE);
	RV("which ends the operation", f->C_Verify(s, data, 32, out, 64), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifyInit(s, &ecdsa, public));
	memset(out, 1, sizeof out);
	RV("C_Verify with a wrong signature", f->C_Verify(s, data, 32, out, 64), CKR_SIGNATURE_INVALID);
	RV("which ends the operation", f->C_Verify(s, data, 32, out, 64), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifyInit(s, &ecdsa, public));
	RV("C_Verify of a signature at NULL", f->C_Verify(s, data, 32, NULL, 64), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_Verify(s, data, 32, out, 64), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_VerifyInit cancels with NULL", f->C_VerifyInit(s, NULL, 0), CKR_OK);
}

/* verify_signature has the signature before the data. */
static void verify_signature(void)
{
	CK_BYTE signature[64];
	RV("C_VerifySignature without C_VerifySignatureInit", f->C_VerifySignature(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_SignInit(s, &ecdsa_sha256, private));
	must(f->C_Sign(s, data, DATA, signature, room(64)));
	must(f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 64));
	RV("C_VerifySignatureInit twice", f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 64), CKR_OPERATION_ACTIVE);
	RV("C_Verify in its place", f->C_Verify(s, data, DATA, signature, 64), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_VerifySignature", f->C_VerifySignature(s, data, DATA), CKR_OK);
	RV("C_VerifySignature is over", f->C_VerifySignature(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 64));
	must(f->C_VerifySignatureUpdate(s, data, 10));
	must(f->C_VerifySignatureUpdate(s, data + 10, DATA - 10));
	RV("C_VerifySignatureFinal", f->C_VerifySignatureFinal(s), CKR_OK);
	RV("C_VerifySignatureFinal is over", f->C_VerifySignatureFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 64));
	RV("C_VerifySignature of other data", f->C_VerifySignature(s, data, DATA - 1), CKR_SIGNATURE_INVALID);
	must(f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 63));
	RV("C_VerifySignature of a short one", f->C_VerifySignature(s, data, DATA), CKR_SIGNATURE_LEN_RANGE);
	must(f->C_VerifySignatureInit(s, &ecdsa_sha256, public, signature, 64));
	RV("C_VerifySignatureInit cancels with NULL", f->C_VerifySignatureInit(s, NULL, 0, NULL, 0), CKR_OK);
	RV("which ends the operation", f->C_VerifySignatureFinal(s), CKR_OPERATION_NOT_INITIALIZED);
}

/* together has all kinds of operations in one session at once. */
static void together(void)
{
	CK_OBJECT_HANDLE found;
	must(f->C_FindObjectsInit(s, NULL, 0));
	must(f->C_DigestInit(s, &sha256));
	must(f->C_SignInit(s, &ecdsa_sha256, private));
	must(f->C_VerifyInit(s, &ecdsa_sha256, public));
	RV("a search beside the others", f->C_FindObjects(s, &found, 1, &n), CKR_OK);
	RV("a digest beside the others", f->C_DigestUpdate(s, data, DATA), CKR_OK);
	RV("a signature beside the others", f->C_SignUpdate(s, data, DATA), CKR_OK);
	RV("a verification beside the others", f->C_VerifyUpdate(s, data, DATA), CKR_OK);
	RV("C_SessionCancel of nothing", f->C_SessionCancel(s, 0), CKR_OK);
	RV("the digest goes on", f->C_DigestUpdate(s, data, DATA), CKR_OK);
	RV("C_SessionCancel of what is not under way", f->C_SessionCancel(s, CKF_ENCRYPT | CKF_DECRYPT), CKR_OK);
	RV("C_SessionCancel of two", f->C_SessionCancel(s, CKF_SIGN | CKF_DIGEST), CKR_OK);
	RV("the digest is over", f->C_DigestUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	RV("the signature is over", f->C_SignUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	RV("the verification goes on", f->C_VerifyUpdate(s, data, DATA), CKR_OK);
	RV("the search goes on", f->C_FindObjects(s, &found, 1, &n), CKR_OK);
	RV("C_SessionCancel of the rest", f->C_SessionCancel(s, CKF_VERIFY | CKF_FIND_OBJECTS), CKR_OK);
	RV("the verification is over", f->C_VerifyUpdate(s, data, DATA), CKR_OPERATION_NOT_INITIALIZED);
	RV("the search is over", f->C_FindObjects(s, &found, 1, &n), CKR_OPERATION_NOT_INITIALIZED);
}

static void search(void)
{
	CK_OBJECT_HANDLE found[4];
	RV("C_FindObjects without C_FindObjectsInit", f->C_FindObjects(s, found, 4, &n), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_FindObjectsFinal without C_FindObjectsInit", f->C_FindObjectsFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_FindObjectsInit without the template", f->C_FindObjectsInit(s, NULL, 1), CKR_ARGUMENTS_BAD);
	must(f->C_FindObjectsInit(s, NULL, 0));
	RV("C_FindObjectsInit twice", f->C_FindObjectsInit(s, NULL, 0), CKR_OPERATION_ACTIVE);
	RV("C_FindObjects without a count", f->C_FindObjects(s, found, 4, NULL), CKR_ARGUMENTS_BAD);
	RV("C_FindObjects without room", f->C_FindObjects(s, NULL, 4, &n), CKR_ARGUMENTS_BAD);
	RV("C_FindObjects of none", f->C_FindObjects(s, found, 0, room(7)), CKR_OK);
	IS("none came", n == 0);
	RV("C_FindObjects of four", f->C_FindObjects(s, found, 4, &n), CKR_OK);
	IS("four came", n == 4);
	RV("C_FindObjectsFinal before the end", f->C_FindObjectsFinal(s), CKR_OK);
	RV("the search is over", f->C_FindObjects(s, found, 4, &n), CKR_OPERATION_NOT_INITIALIZED);
}

/* saved goes on with a digest in another session. */
static void saved(void)
{
	CK_BYTE state[512], want[32], got[32];
	CK_SESSION_HANDLE other = session(0);
	RV("C_GetOperationState of nothing", f->C_GetOperationState(s, NULL, &n), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DigestInit(s, &sha256));
	must(f->C_DigestUpdate(s, data, 10));
	RV("C_GetOperationState asks for the size", f->C_GetOperationState(s, NULL, &n), CKR_OK);
	n--;
	RV("C_GetOperationState with too small a buffer", f->C_GetOperationState(s, state, &n), CKR_BUFFER_TOO_SMALL);
	RV("C_GetOperationState", f->C_GetOperationState(s, state, &n), CKR_OK);
	RV("C_SetOperationState with a key", f->C_SetOperationState(other, state, n, public, 0), CKR_KEY_NOT_NEEDED);
	RV("C_SetOperationState of half of it", f->C_SetOperationState(other, state, n / 2, 0, 0), CKR_SAVED_STATE_INVALID);
	RV("C_SetOperationState", f->C_SetOperationState(other, state, n, 0, 0), CKR_OK);
	must(f->C_DigestUpdate(s, data, 5));
	must(f->C_DigestUpdate(other, data, 5));
	must(f->C_DigestFinal(s, want, room(32)));
	RV("C_DigestFinal in the other session", f->C_DigestFinal(other, got, room(32)), CKR_OK);
	IS("both digests are the same", memcmp(want, got, 32) == 0);
	must(f->C_SignInit(s, &ecdsa_sha256, private));
	RV("C_GetOperationState of a signature", f->C_GetOperationState(s, state, room(sizeof state)), CKR_STATE_UNSAVEABLE);
	must(f->C_SignInit(s, NULL, 0));
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	s = user_session();
	private = slot_key(s, CKO_PRIVATE_KEY, 0);
	public = slot_key(s, CKO_PUBLIC_KEY, 0);
	edwards = slot_key(s, CKO_PRIVATE_KEY, 14);
	digest();
	digest_failures();
	sign_one_part();
	sign_in_parts();
	edwards_messages();
	sign_failures();
	key_gone(CK_TRUE);
	key_gone(CK_FALSE);
	verify();
	verify_signature();
	together();
	search();
	saved();
	return done();
}
