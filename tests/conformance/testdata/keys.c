/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys that come in, are wrapped, unwrapped, derived and copied, with the
 * parameters and templates that hold pointers.
 */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, private_class = CKO_PRIVATE_KEY, data_class = CKO_DATA;
static CK_KEY_TYPE aes = CKK_AES, generic = CKK_GENERIC_SECRET, ec = CKK_EC;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE value[32], out[256];
static CK_ULONG n, sixteen = 16;
static CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};

static int reads(CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, const void *want, CK_ULONG length)
{
	CK_BYTE buffer[256];
	CK_ATTRIBUTE a = {type, buffer, sizeof buffer};
	return f->C_GetAttributeValue(s, o, &a, 1) == CKR_OK && a.ulValueLen == length && !memcmp(buffer, want, length);
}

/* templates in keys: each is read back as it was written */
static CK_OBJECT_HANDLE wrapping_key(void)
{
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE wraps[] = {{CKA_LABEL, "mine", 4}, {CKA_KEY_TYPE, &aes, sizeof aes}};
	CK_ATTRIBUTE unwraps[] = {{CKA_EXTRACTABLE, &no, sizeof no}};
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &secret_class, sizeof secret_class}, {CKA_KEY_TYPE, &aes, sizeof aes}, {CKA_VALUE, value, 32},
		{CKA_WRAP, &yes, sizeof yes}, {CKA_UNWRAP, &yes, sizeof yes}, {CKA_TOKEN, &yes, sizeof yes},
		{CKA_WRAP_TEMPLATE, wraps, sizeof wraps}, {CKA_UNWRAP_TEMPLATE, unwraps, sizeof unwraps},
	};
	RV("C_CreateObject of a wrapping key", f->C_CreateObject(s, t, COUNT(t), &key), CKR_OK);
	CK_ATTRIBUTE inner[2] = {{0, NULL, 0}, {0, NULL, 0}}, whole = {CKA_WRAP_TEMPLATE, NULL, 0};
	RV("the size of its template", f->C_GetAttributeValue(s, key, &whole, 1), CKR_OK);
	IS("it is that of two attributes", whole.ulValueLen == sizeof inner);
	whole.pValue = inner;
	RV("what is in it", f->C_GetAttributeValue(s, key, &whole, 1), CKR_OK);
	IS("it tells types and sizes", inner[0].type == CKA_LABEL && inner[0].ulValueLen == 4 && inner[1].ulValueLen == sizeof aes);
	CK_BYTE label[4];
	CK_KEY_TYPE type = 0;
	inner[0].pValue = label;
	inner[1].pValue = &type;
	RV("the values in it", f->C_GetAttributeValue(s, key, &whole, 1), CKR_OK);
	IS("they are those", !memcmp(label, "mine", 4) && type == CKK_AES);
	whole.ulValueLen = sizeof inner[0];
	RV("room for one", f->C_GetAttributeValue(s, key, &whole, 1), CKR_BUFFER_TOO_SMALL);

	CK_ATTRIBUTE nested = {CKA_WRAP_TEMPLATE, wraps, sizeof wraps};
	t[6].pValue = &nested;
	t[6].ulValueLen = sizeof nested;
	RV("a template in a template", f->C_CreateObject(s, t, COUNT(t), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	t[6].ulValueLen = sizeof nested - 1;
	RV("half an attribute", f->C_CreateObject(s, t, COUNT(t), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	return key;
}

static void wraps(CK_OBJECT_HANDLE kek)
{
	CK_OBJECT_HANDLE mine = 0, other = 0, again = 0;
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &secret_class, sizeof secret_class}, {CKA_KEY_TYPE, &aes, sizeof aes}, {CKA_VALUE, value, 16}, {CKA_LABEL, "mine", 4},
	};
	RV("C_CreateObject of a key to wrap", f->C_CreateObject(s, t, COUNT(t), &mine), CKR_OK);
	t[3].pValue = "more";
	RV("C_CreateObject of another", f->C_CreateObject(s, t, COUNT(t), &other), CKR_OK);
	n = 0;
	RV("C_WrapKey asks for the size", f->C_WrapKey(s, &wrap, kek, mine, NULL, &n), CKR_OK);
	IS("it is 24", n == 24);
	n = 23;
	RV("C_WrapKey with too little room", f->C_WrapKey(s, &wrap, kek, mine, out, &n), CKR_BUFFER_TOO_SMALL);
	IS("it tells the size again", n == 24);
	RV("C_WrapKey", f->C_WrapKey(s, &wrap, kek, mine, out, &n), CKR_OK);
	CK_ULONG m = sizeof out;
	RV("C_WrapKey of what the template does not have", f->C_WrapKey(s, &wrap, kek, other, out + 100, &m), CKR_KEY_HANDLE_INVALID);
	RV("C_WrapKey without a length", f->C_WrapKey(s, &wrap, kek, mine, out, NULL), CKR_ARGUMENTS_BAD);
	RV("C_WrapKey without a mechanism", f->C_WrapKey(s, NULL, kek, mine, out, &n), CKR_ARGUMENTS_BAD);
	n = 24;
	CK_ATTRIBUTE u[] = {{CKA_CLASS, &secret_class, sizeof secret_class}, {CKA_KEY_TYPE, &aes, sizeof aes}};
	RV("C_UnwrapKey", f->C_UnwrapKey(s, &wrap, kek, out, n, u, COUNT(u), &again), CKR_OK);
	IS("the template made it not extractable", reads(again, CKA_EXTRACTABLE, &no, sizeof no));
	m = sizeof out;
	RV("C_WrapKey of that", f->C_WrapKey(s, &wrap, kek, again, out + 100, &m), CKR_KEY_UNEXTRACTABLE);
	out[7] ^= 1;
	RV("C_UnwrapKey of what was changed", f->C_UnwrapKey(s, &wrap, kek, out, n, u, COUNT(u), &again), CKR_WRAPPED_KEY_INVALID);
	RV("C_UnwrapKey without a place", f->C_UnwrapKey(s, &wrap, kek, out, n, u, COUNT(u), NULL), CKR_ARGUMENTS_BAD);
	RV("C_UnwrapKey of nothing", f->C_UnwrapKey(s, &wrap, kek, NULL, 0, u, COUNT(u), &again), CKR_WRAPPED_KEY_LEN_RANGE);
	m = sizeof out;
	CK_OBJECT_HANDLE in_slot = slot_key(s, CKO_PRIVATE_KEY, 0);
	RV("C_WrapKey of a key in a slot", f->C_WrapKey(s, &wrap, kek, in_slot, out, &m), CKR_KEY_UNEXTRACTABLE);
}

/* the first test of RFC 5869, examples of section 6.43, the first value of RFC 7914 for PBKDF2's hash */
static void derives(void)
{
	static CK_BYTE ikm[22], salt[13] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static CK_BYTE info[10] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
	static const CK_BYTE okm[16] = {0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a};
	static const CK_BYTE pbkdf[16] = {0x12, 0x0f, 0xb6, 0xcf, 0xfc, 0xf8, 0xb3, 0x2c, 0x43, 0xe7, 0x22, 0x52, 0x56, 0xc4, 0xf8, 0x37};
	CK_OBJECT_HANDLE base = 0, key = 0;
	memset(ikm, 11, sizeof ikm);
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &secret_class, sizeof secret_class}, {CKA_KEY_TYPE, &generic, sizeof generic}, {CKA_VALUE, ikm, sizeof ikm},
		{CKA_DERIVE, &yes, sizeof yes},
	};
	RV("C_CreateObject of a base key", f->C_CreateObject(s, t, COUNT(t), &base), CKR_OK);
	CK_HKDF_PARAMS hkdf = {CK_TRUE, CK_TRUE, CKM_SHA256, CKF_HKDF_SALT_DATA, salt, sizeof salt, 0, info, sizeof info};
	CK_MECHANISM m = {CKM_HKDF_DERIVE, &hkdf, sizeof hkdf};
	CK_ATTRIBUTE d[] = {{CKA_KEY_TYPE, &aes, sizeof aes}, {CKA_VALUE_LEN, &sixteen, sizeof sixteen}};
	RV("C_DeriveKey by HKDF", f->C_DeriveKey(s, &m, base, d, COUNT(d), &key), CKR_OK);
	IS("it is that of RFC 5869", reads(key, CKA_VALUE, okm, 16));
	m.mechanism = CKM_HKDF_DATA;
	CK_ATTRIBUTE as_data[] = {{CKA_CLASS, &data_class, sizeof data_class}, {CKA_VALUE_LEN, &sixteen, sizeof sixteen}};
	RV("C_DeriveKey of data", f->C_DeriveKey(s, &m, base, as_data, COUNT(as_data), &key), CKR_OK);
	IS("it is the same", reads(key, CKA_VALUE, okm, 16));
	m.ulParameterLen--;
	RV("half a parameter", f->C_DeriveKey(s, &m, base, d, COUNT(d), &key), CKR_MECHANISM_PARAM_INVALID);

	CK_KEY_DERIVATION_STRING_DATA more = {info, sizeof info};
	CK_MECHANISM join = {CKM_CONCATENATE_BASE_AND_DATA, &more, sizeof more};
	CK_BYTE joined[32];
	memcpy(joined, ikm, sizeof ikm);
	memcpy(joined + sizeof ikm, info, sizeof info);
	RV("C_DeriveKey with data", f->C_DeriveKey(s, &join, base, NULL, 0, &key), CKR_OK);
	IS("both stand one after the other", reads(key, CKA_VALUE, joined, sizeof joined));
	more.pData = NULL;
	RV("data at NULL", f->C_DeriveKey(s, &join, base, NULL, 0, &key), CKR_MECHANISM_PARAM_INVALID);
	CK_MECHANISM two = {CKM_CONCATENATE_BASE_AND_KEY, &base, sizeof base};
	RV("C_DeriveKey with another key", f->C_DeriveKey(s, &two, base, NULL, 0, &key), CKR_OK);

	CK_PKCS5_PBKD2_PARAMS2 p = {CKZ_SALT_SPECIFIED, "salt", 4, 1, CKP_PKCS5_PBKD2_HMAC_SHA256, NULL, 0, (CK_UTF8CHAR_PTR)"password", 8};
	CK_MECHANISM password = {CKM_PKCS5_PBKD2, &p, sizeof p};
	RV("C_GenerateKey of a password", f->C_GenerateKey(s, &password, d, COUNT(d), &key), CKR_OK);
	IS("it is that of others", reads(key, CKA_VALUE, pbkdf, 16));
}

/* what Java's keytool does: a key pair of a session, of which the private half is copied to the token */
static void copies(void)
{
	CK_OBJECT_HANDLE public, private, kept = 0;
	CK_MECHANISM pair = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE params = {CKA_EC_PARAMS, p256, sizeof p256};
	RV("C_GenerateKeyPair for a session", f->C_GenerateKeyPair(s, &pair, &params, 1, NULL, 0, &public, &private), CKR_OK);
	CK_ATTRIBUTE to_token[] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_ID, "java", 4}};
	RV("C_CopyObject to the token", f->C_CopyObject(s, private, to_token, COUNT(to_token), &kept), CKR_OK);
	IS("the copy is on the token", reads(kept, CKA_TOKEN, &yes, sizeof yes));
	IS("it is sensitive", reads(kept, CKA_SENSITIVE, &yes, sizeof yes));
	CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
	n = sizeof out;
	RV("C_SignInit with the copy", f->C_SignInit(s, &ecdsa, kept), CKR_OK);
	RV("C_Sign with the copy", f->C_Sign(s, value, sizeof value, out, &n), CKR_OK);
	RV("C_VerifyInit with the public half", f->C_VerifyInit(s, &ecdsa, public), CKR_OK);
	RV("C_Verify with the public half", f->C_Verify(s, value, sizeof value, out, n), CKR_OK);
	CK_OBJECT_HANDLE in_slot = slot_key(s, CKO_PRIVATE_KEY, 0);
	RV("C_CopyObject of a key in a slot", f->C_CopyObject(s, in_slot, NULL, 0, &kept), CKR_ACTION_PROHIBITED);
}

/* a secret for the owner of a key of ML-KEM */
static void encapsulates(CK_ULONG set, CK_ULONG size)
{
	static CK_BYTE text[1568];
	CK_OBJECT_HANDLE public = 0, private = 0, ours = 0, theirs = 0;
	CK_ULONG other = set == CKP_ML_KEM_768 ? CKP_ML_KEM_1024 : CKP_ML_KEM_768;
	CK_MECHANISM pair = {CKM_ML_KEM_KEY_PAIR_GEN, NULL, 0}, m = {CKM_ML_KEM, NULL, 0};
	CK_ATTRIBUTE pub[] = {{CKA_PARAMETER_SET, &set, sizeof set}, {CKA_ENCAPSULATE, &yes, sizeof yes}};
	CK_ATTRIBUTE priv[] = {{CKA_DECAPSULATE, &yes, sizeof yes}, {CKA_PARAMETER_SET, &other, sizeof other}};
	RV("C_GenerateKeyPair of ML-KEM with two parameter sets", f->C_GenerateKeyPair(s, &pair, pub, 2, priv, 2, &public, &private), CKR_TEMPLATE_INCONSISTENT);
	priv[1].pValue = &set;
	RV("C_GenerateKeyPair of ML-KEM that names one twice", f->C_GenerateKeyPair(s, &pair, pub, 2, priv, 2, &public, &private), CKR_OK);
	RV("C_GenerateKeyPair of ML-KEM", f->C_GenerateKeyPair(s, &pair, pub, 2, priv, 1, &public, &private), CKR_OK);
	IS("the private key has it, too", reads(private, CKA_PARAMETER_SET, &set, sizeof set));
	CK_ATTRIBUTE t[] = {{CKA_KEY_TYPE, &aes, sizeof aes}, {CKA_VALUE_LEN, &sixteen, sizeof sixteen}};
	n = 0;
	RV("C_EncapsulateKey asks for the size", f->C_EncapsulateKey(s, &m, public, t, COUNT(t), NULL, &n, &ours), CKR_OK);
	IS("it is that of the parameter set", n == size);
	n--;
	RV("C_EncapsulateKey with too little room", f->C_EncapsulateKey(s, &m, public, t, COUNT(t), text, &n, &ours), CKR_BUFFER_TOO_SMALL);
	IS("it tells the size again", n == size);
	RV("C_EncapsulateKey", f->C_EncapsulateKey(s, &m, public, t, COUNT(t), text, &n, &ours), CKR_OK);
	RV("C_DecapsulateKey", f->C_DecapsulateKey(s, &m, private, t, COUNT(t), text, n, &theirs), CKR_OK);
	CK_BYTE value_of[2][16];
	CK_ATTRIBUTE a = {CKA_VALUE, value_of[0], 16}, b = {CKA_VALUE, value_of[1], 16};
	IS("both have a value", f->C_GetAttributeValue(s, ours, &a, 1) == CKR_OK && f->C_GetAttributeValue(s, theirs, &b, 1) == CKR_OK);
	IS("it is the same", !memcmp(value_of[0], value_of[1], 16));
	text[0] ^= 1;
	RV("C_DecapsulateKey of a text that was changed", f->C_DecapsulateKey(s, &m, private, t, COUNT(t), text, n, &theirs), CKR_OK);
	must(f->C_GetAttributeValue(s, theirs, &b, 1));
	IS("it gives another value", memcmp(value_of[0], value_of[1], 16));
	RV("C_EncapsulateKey without a place", f->C_EncapsulateKey(s, &m, public, t, COUNT(t), text, &n, NULL), CKR_ARGUMENTS_BAD);
	RV("C_EncapsulateKey without a length", f->C_EncapsulateKey(s, &m, public, t, COUNT(t), text, NULL, &ours), CKR_ARGUMENTS_BAD);
	RV("C_DecapsulateKey of half a text", f->C_DecapsulateKey(s, &m, private, t, COUNT(t), text, n / 2, &theirs), CKR_WRAPPED_KEY_LEN_RANGE);
	RV("C_DecapsulateKey with the public key", f->C_DecapsulateKey(s, &m, public, t, COUNT(t), text, n, &theirs), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
}

/* Ed25519 in its three forms: a key in a slot has one, a sealed key and what verifies have all */
static void edwards(void)
{
	static CK_BYTE curve[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
	CK_OBJECT_HANDLE public = 0, private = 0;
	CK_MECHANISM pair = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
	CK_EDDSA_PARAMS forms[] = {{CK_FALSE, 0, NULL}, {CK_FALSE, 3, (CK_BYTE *)"foo"}, {CK_TRUE, 0, NULL}, {CK_TRUE, 3, (CK_BYTE *)"foo"}};
	CK_ATTRIBUTE pub = {CKA_EC_PARAMS, curve, sizeof curve}, priv = {CKA_EXTRACTABLE, &yes, sizeof yes};
	RV("C_GenerateKeyPair of Ed25519, sealed", f->C_GenerateKeyPair(s, &pair, &pub, 1, &priv, 1, &public, &private), CKR_OK);
	for (size_t i = 0; i < COUNT(forms); i++) {
		CK_MECHANISM m = {CKM_EDDSA, &forms[i], sizeof forms[i]};
		RV("C_SignInit", f->C_SignInit(s, &m, private), CKR_OK);
		n = 64;
		RV("C_Sign", f->C_Sign(s, value, sizeof value, out, &n), CKR_OK);
		for (size_t j = 0; j < COUNT(forms); j++) {
			CK_MECHANISM other = {CKM_EDDSA, &forms[j], sizeof forms[j]};
			RV("C_VerifyInit", f->C_VerifyInit(s, &other, public), CKR_OK);
			RV(i == j ? "C_Verify" : "C_Verify in another form", f->C_Verify(s, value, sizeof value, out, n), i == j ? CKR_OK : CKR_SIGNATURE_INVALID);
		}
		CK_RV in_slot = f->C_SignInit(s, &m, slot_key(s, CKO_PRIVATE_KEY, 14));
		IS("a key in a slot has the first form alone", in_slot == (i == 0 ? CKR_OK : CKR_MECHANISM_PARAM_INVALID));
		must(f->C_SignInit(s, NULL, 0));
	}
}

/* a private key whose numbers are shown is found by them, and no other is */
static void found_by_value(void)
{
	CK_OBJECT_HANDLE key = 0, hidden = 0, found[4];
	CK_BYTE number[32] = {7};
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &private_class, sizeof private_class}, {CKA_KEY_TYPE, &ec, sizeof ec}, {CKA_EC_PARAMS, p256, sizeof p256},
		{CKA_VALUE, number, sizeof number}, {CKA_TOKEN, &yes, sizeof yes}, {CKA_SENSITIVE, &no, sizeof no}, {CKA_EXTRACTABLE, &yes, sizeof yes},
	};
	must(f->C_CreateObject(s, t, COUNT(t) - 2, &hidden));
	for (int on_token = 0; on_token < 2; on_token++) {
		t[4].pValue = on_token ? &yes : &no;
		RV("C_CreateObject of a private key that is shown", f->C_CreateObject(s, t, COUNT(t), &key), CKR_OK);
		must(f->C_FindObjectsInit(s, &t[3], 1));
		must(f->C_FindObjects(s, found, 4, &n));
		must(f->C_FindObjectsFinal(s));
		IS("its value finds it alone", n == 1 && found[0] == key);
		number[31] ^= 1;
		must(f->C_FindObjectsInit(s, &t[3], 1));
		must(f->C_FindObjects(s, found, 4, &n));
		must(f->C_FindObjectsFinal(s));
		number[31] ^= 1;
		IS("another value does not", n == 0);
		must(f->C_DestroyObject(s, key));
	}
	must(f->C_DestroyObject(s, hidden));
}

static void comes_in(void)
{
	CK_OBJECT_HANDLE key = 0;
	CK_BYTE number[32] = {1};
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &private_class, sizeof private_class}, {CKA_KEY_TYPE, &ec, sizeof ec}, {CKA_EC_PARAMS, p256, sizeof p256},
		{CKA_VALUE, number, sizeof number}, {CKA_TOKEN, &yes, sizeof yes},
	};
	RV("C_CreateObject of a private key", f->C_CreateObject(s, t, COUNT(t), &key), CKR_OK);
	IS("it was not made here", reads(key, CKA_LOCAL, &no, sizeof no));
	CK_ATTRIBUTE secret = {CKA_VALUE, number, sizeof number};
	RV("its number", f->C_GetAttributeValue(s, key, &secret, 1), CKR_ATTRIBUTE_SENSITIVE);
	IS("nothing of it is told", secret.ulValueLen == UNAVAILABLE);
	memset(number, 255, sizeof number);
	RV("a number beyond the order", f->C_CreateObject(s, t, COUNT(t), &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	s = user_session();
	CK_OBJECT_HANDLE kek = wrapping_key();
	wraps(kek);
	derives();
	copies();
	encapsulates(CKP_ML_KEM_768, 1088);
	encapsulates(CKP_ML_KEM_1024, 1568);
	edwards();
	found_by_value();
	comes_in();
	return done();
}
