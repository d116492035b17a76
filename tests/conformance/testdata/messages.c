/* SPDX-License-Identifier: Apache-2.0 */

/* Messages that follow one another (C_MessageEncryptInit and its kin), and keys that are wrapped with other data. */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE aes, kek, public, private;
static CK_BYTE iv[12], tag[16], out[128], back[128];
static CK_BYTE text[] = "a message of some bytes", aad[] = "besides";
static CK_ULONG n;
enum { TEXT = sizeof text - 1, AAD = sizeof aad - 1 };
static CK_MECHANISM gcm = {CKM_AES_GCM, NULL, 0};
static CK_GCM_MESSAGE_PARAMS p = {iv, sizeof iv, 32, CKG_GENERATE_COUNTER, tag, 128};

static CK_ULONG *room(CK_ULONG size)
{
	n = size;
	return &n;
}

static void one_part(void)
{
	RV("C_EncryptMessage before C_MessageEncryptInit", f->C_EncryptMessage(s, &p, sizeof p, aad, AAD, text, TEXT, out, room(sizeof out)),
	   CKR_OPERATION_NOT_INITIALIZED);
	RV("C_MessageEncryptInit", f->C_MessageEncryptInit(s, &gcm, aes), CKR_OK);
	RV("C_MessageEncryptInit twice", f->C_MessageEncryptInit(s, &gcm, aes), CKR_OPERATION_ACTIVE);
	RV("C_MessageDecryptInit", f->C_MessageDecryptInit(s, &gcm, aes), CKR_OK);
	for (CK_BYTE i = 0; i < 3; i++) {
		RV("C_EncryptMessage asks for the size", f->C_EncryptMessage(s, &p, sizeof p, aad, AAD, text, TEXT, NULL, room(0)), CKR_OK);
		IS("it is that of the message", n == TEXT);
		RV("C_EncryptMessage with too little room", f->C_EncryptMessage(s, &p, sizeof p, aad, AAD, text, TEXT, out, room(TEXT - 1)), CKR_BUFFER_TOO_SMALL);
		RV("C_EncryptMessage", f->C_EncryptMessage(s, &p, sizeof p, aad, AAD, text, TEXT, out, room(sizeof out)), CKR_OK);
		IS("the message is as long", n == TEXT);
		IS("the IV counts messages", iv[11] == i);
		RV("C_DecryptMessage", f->C_DecryptMessage(s, &p, sizeof p, aad, AAD, out, TEXT, back, room(sizeof back)), CKR_OK);
		IS("it is the message", n == TEXT && !memcmp(back, text, TEXT));
		tag[0] ^= 1;
		RV("C_DecryptMessage with another tag", f->C_DecryptMessage(s, &p, sizeof p, aad, AAD, out, TEXT, back, room(sizeof back)), CKR_AEAD_DECRYPT_FAILED);
	}
	RV("C_EncryptMessage over itself", f->C_EncryptMessage(s, &p, sizeof p, aad, AAD, memcpy(out, text, TEXT), TEXT, out, room(sizeof out)), CKR_OK);
	RV("C_DecryptMessage over itself", f->C_DecryptMessage(s, &p, sizeof p, aad, AAD, out, TEXT, out, room(sizeof out)), CKR_OK);
	IS("it is the message", !memcmp(out, text, TEXT));
	RV("C_EncryptMessage without a parameter", f->C_EncryptMessage(s, NULL, 0, aad, AAD, text, TEXT, out, room(sizeof out)), CKR_MECHANISM_PARAM_INVALID);
	RV("C_MessageEncryptFinal", f->C_MessageEncryptFinal(s), CKR_OK);
	RV("C_MessageEncryptFinal twice", f->C_MessageEncryptFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_MessageDecryptFinal", f->C_MessageDecryptFinal(s), CKR_OK);
}

static void in_parts(void)
{
	must(f->C_MessageEncryptInit(s, &gcm, aes));
	must(f->C_MessageDecryptInit(s, &gcm, aes));
	RV("C_EncryptMessageNext before its beginning", f->C_EncryptMessageNext(s, &p, sizeof p, text, 5, out, room(sizeof out), 0), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_EncryptMessageBegin", f->C_EncryptMessageBegin(s, &p, sizeof p, aad, AAD), CKR_OK);
	RV("C_MessageEncryptFinal meanwhile", f->C_MessageEncryptFinal(s), CKR_OPERATION_ACTIVE);
	RV("C_EncryptMessageNext", f->C_EncryptMessageNext(s, &p, sizeof p, text, 5, out, room(sizeof out), 0), CKR_OK);
	CK_ULONG first = n;
	RV("C_EncryptMessageNext at the end", f->C_EncryptMessageNext(s, &p, sizeof p, text + 5, TEXT - 5, out + first, room(sizeof out - first), CKF_END_OF_MESSAGE), CKR_OK);
	IS("all of the message came out", first + n == TEXT);
	RV("C_DecryptMessageBegin", f->C_DecryptMessageBegin(s, &p, sizeof p, aad, AAD), CKR_OK);
	RV("C_DecryptMessageNext", f->C_DecryptMessageNext(s, &p, sizeof p, out, 7, back, room(sizeof back), 0), CKR_OK);
	first = n;
	RV("C_DecryptMessageNext at the end", f->C_DecryptMessageNext(s, &p, sizeof p, out + 7, TEXT - 7, back + first, room(sizeof back - first), CKF_END_OF_MESSAGE), CKR_OK);
	IS("it is the message", first + n == TEXT && !memcmp(back, text, TEXT));
	RV("C_SessionCancel", f->C_SessionCancel(s, CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT), CKR_OK);
	RV("C_EncryptMessageBegin after it", f->C_EncryptMessageBegin(s, &p, sizeof p, aad, AAD), CKR_OPERATION_NOT_INITIALIZED);
}

static void signs(void)
{
	CK_MECHANISM m = {CKM_ECDSA_SHA256, NULL, 0};
	RV("C_MessageSignInit", f->C_MessageSignInit(s, &m, private), CKR_OK);
	RV("C_MessageVerifyInit", f->C_MessageVerifyInit(s, &m, public), CKR_OK);
	for (int i = 0; i < 2; i++) {
		RV("C_SignMessage asks for the size", f->C_SignMessage(s, NULL, 0, text, TEXT, NULL, room(0)), CKR_OK);
		IS("it is 64", n == 64);
		RV("C_SignMessage", f->C_SignMessage(s, NULL, 0, text, TEXT, out, room(64)), CKR_OK);
		RV("C_VerifyMessage", f->C_VerifyMessage(s, NULL, 0, text, TEXT, out, 64), CKR_OK);
		RV("C_VerifyMessage of another message", f->C_VerifyMessage(s, NULL, 0, text, TEXT - 1, out, 64), CKR_SIGNATURE_INVALID);
		RV("C_SignMessageBegin", f->C_SignMessageBegin(s, NULL, 0), CKR_OK);
		RV("C_SignMessageNext", f->C_SignMessageNext(s, NULL, 0, text, 5, NULL, NULL), CKR_OK);
		RV("C_SignMessageNext at the end", f->C_SignMessageNext(s, NULL, 0, text + 5, TEXT - 5, out, room(64)), CKR_OK);
		RV("C_VerifyMessageBegin", f->C_VerifyMessageBegin(s, NULL, 0), CKR_OK);
		RV("C_VerifyMessageNext", f->C_VerifyMessageNext(s, NULL, 0, text, 9, NULL, 0), CKR_OK);
		RV("C_VerifyMessageNext at the end", f->C_VerifyMessageNext(s, NULL, 0, text + 9, TEXT - 9, out, 64), CKR_OK);
	}
	RV("C_SignMessage with a parameter", f->C_SignMessage(s, &p, sizeof p, text, TEXT, out, room(64)), CKR_ARGUMENTS_BAD);
	RV("which ends the operation", f->C_MessageSignFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	RV("C_MessageVerifyFinal", f->C_MessageVerifyFinal(s), CKR_OK);
}

static void wraps(void)
{
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE type = CKK_AES;
	static CK_BYTE wrap_iv[12], wrap_tag[16];
	CK_OBJECT_HANDLE key = 0;
	CK_GCM_MESSAGE_PARAMS w = {wrap_iv, sizeof wrap_iv, 0, CKG_GENERATE, wrap_tag, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &w, sizeof w};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}};
	RV("C_WrapKeyAuthenticated asks for the size", f->C_WrapKeyAuthenticated(s, &m, kek, aes, aad, AAD, NULL, room(0)), CKR_OK);
	IS("it is 32", n == 32);
	RV("C_WrapKeyAuthenticated into too small a buffer", f->C_WrapKeyAuthenticated(s, &m, kek, aes, aad, AAD, out, room(31)), CKR_BUFFER_TOO_SMALL);
	RV("C_WrapKeyAuthenticated", f->C_WrapKeyAuthenticated(s, &m, kek, aes, aad, AAD, out, room(sizeof out)), CKR_OK);
	IS("an IV was made", memcmp(wrap_iv, (CK_BYTE[12]){0}, 12) != 0);
	IS("and a tag", memcmp(wrap_tag, (CK_BYTE[16]){0}, 16) != 0);
	RV("C_UnwrapKeyAuthenticated", f->C_UnwrapKeyAuthenticated(s, &m, kek, out, n, t, COUNT(t), aad, AAD, &key), CKR_OK);
	RV("C_UnwrapKeyAuthenticated with other data", f->C_UnwrapKeyAuthenticated(s, &m, kek, out, n, t, COUNT(t), aad, AAD - 1, &key), CKR_WRAPPED_KEY_INVALID);
	wrap_tag[0] ^= 1;
	RV("C_UnwrapKeyAuthenticated with another tag", f->C_UnwrapKeyAuthenticated(s, &m, kek, out, n, t, COUNT(t), aad, AAD, &key), CKR_WRAPPED_KEY_INVALID);
	m.ulParameterLen--;
	RV("half a parameter", f->C_WrapKeyAuthenticated(s, &m, kek, aes, aad, AAD, out, room(sizeof out)), CKR_MECHANISM_PARAM_INVALID);
	w.pTag = NULL;
	m.ulParameterLen++;
	RV("no room for the tag", f->C_WrapKeyAuthenticated(s, &m, kek, aes, aad, AAD, out, room(sizeof out)), CKR_MECHANISM_PARAM_INVALID);

	CK_GCM_WRAP_PARAMS plain = {wrap_iv, sizeof wrap_iv, 0, CKG_GENERATE, aad, AAD, 128};
	memset(wrap_iv, 0, sizeof wrap_iv);
	m = (CK_MECHANISM){CKM_AES_GCM, &plain, sizeof plain};
	RV("C_WrapKey asks for the size", f->C_WrapKey(s, &m, kek, aes, NULL, room(0)), CKR_OK);
	IS("it is 48, with the tag", n == 48);
	RV("C_WrapKey", f->C_WrapKey(s, &m, kek, aes, out, room(sizeof out)), CKR_OK);
	IS("it has made an IV", memcmp(wrap_iv, (CK_BYTE[12]){0}, 12) != 0);
	RV("C_UnwrapKey", f->C_UnwrapKey(s, &m, kek, out, n, t, COUNT(t), &key), CKR_OK);
	out[47] ^= 1;
	RV("C_UnwrapKey of one that was changed", f->C_UnwrapKey(s, &m, kek, out, 48, t, COUNT(t), &key), CKR_WRAPPED_KEY_INVALID);
}

static void flags(void)
{
	CK_MECHANISM_INFO info;
	CK_FLAGS ciphers = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE, signatures = CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
	must(f->C_GetMechanismInfo(0, CKM_AES_GCM, &info));
	IS("AES-GCM is for messages", (info.flags & ciphers) == ciphers);
	must(f->C_GetMechanismInfo(0, CKM_ECDSA_SHA256, &info));
	IS("ECDSA is for messages", (info.flags & signatures) == signatures);
	must(f->C_GetMechanismInfo(0, CKM_AES_CBC, &info));
	IS("AES-CBC is not", !(info.flags & (ciphers | signatures)));
}

int main(int argc, char **argv)
{
	static CK_BBOOL yes = CK_TRUE;
	static CK_ULONG size = 32;
	CK_MECHANISM make = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE t[] = {{CKA_VALUE_LEN, &size, sizeof size}, {CKA_ENCRYPT, &yes, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_WRAP, &yes, 1}, {CKA_UNWRAP, &yes, 1},
		{CKA_EXTRACTABLE, &yes, 1}};
	load(argc, argv);
	token();
	s = user_session();
	must(f->C_GenerateKey(s, &make, t, COUNT(t), &aes));
	must(f->C_GenerateKey(s, &make, t, COUNT(t), &kek));
	public = slot_key(s, CKO_PUBLIC_KEY, 0);
	private = slot_key(s, CKO_PRIVATE_KEY, 0);
	one_part();
	in_parts();
	signs();
	wraps();
	flags();
	return done();
}
