/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keys that no key slot holds, as a suite from outside looks at them: what a
 * length is before and after too small a buffer, which template and which key a
 * function refuses, by which code, and who has to be logged in.
 */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG bits = 2048, size32 = 32, size16 = 16, size17 = 17;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, data_class = CKO_DATA;
static CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET;
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE data[32], iv[16], counter[sizeof(CK_ULONG) + 16], out[512];
static CK_ULONG n;
static CK_OBJECT_HANDLE aes, secret, rsa_public, rsa_private;

#define A(TYPE, VALUE) {TYPE, VALUE, sizeof *(VALUE)}
#define ARRAY(TYPE, VALUE) {TYPE, VALUE, sizeof(VALUE)}

static CK_ULONG *room(CK_ULONG length)
{
	n = length;
	return &n;
}

static CK_OBJECT_HANDLE generate(CK_MECHANISM_TYPE type, CK_ATTRIBUTE_PTR t, CK_ULONG count)
{
	CK_MECHANISM m = {type, NULL, 0};
	CK_OBJECT_HANDLE key = 0;
	must(f->C_GenerateKey(s, &m, t, count, &key));
	return key;
}

static void keys(void)
{
	CK_MECHANISM m = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE shown[] = {A(CKA_VALUE_LEN, &size32), A(CKA_SENSITIVE, &no), A(CKA_EXTRACTABLE, &yes)}, public = A(CKA_MODULUS_BITS, &bits);
	aes = generate(CKM_AES_KEY_GEN, shown, COUNT(shown));
	secret = generate(CKM_GENERIC_SECRET_KEY_GEN, shown, COUNT(shown));
	must(f->C_GenerateKeyPair(s, &m, &public, 1, NULL, 0, &rsa_public, &rsa_private));
}

/* the functions in one part, which all keep to section 5.2 */
typedef CK_RV (*init)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);
typedef CK_RV (*whole)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);

static void sizes(const char *what, init begin, whole call, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key, CK_BYTE_PTR in, CK_ULONG length, CK_ULONG size)
{
	CK_BYTE input[512];
	memcpy(input, in, length);
	RV(what, begin(s, m, key), CKR_OK);
	RV("asks for the size", call(s, input, length, NULL, room(0)), CKR_OK);
	IS("it is no less than that of the result", n >= size);
	RV("no room", call(s, input, length, out, room(0)), CKR_BUFFER_TOO_SMALL);
	IS("it tells the size", n >= size);
	RV("one byte less", call(s, input, length, out, room(size - 1)), CKR_BUFFER_TOO_SMALL);
	RV("room", call(s, input, length, out, room(size)), CKR_OK);
	IS("all was used", n == size);
	RV("it is over", call(s, input, length, out, room(size)), CKR_OPERATION_NOT_INITIALIZED);
}

static void ciphers(void)
{
	struct {
		const char *what;
		CK_MECHANISM m;
		CK_ULONG size;
	} list[] = {
		{"AES-ECB", {CKM_AES_ECB, NULL, 0}, 32}, {"AES-CBC", {CKM_AES_CBC, iv, 16}, 32}, {"AES-CBC with padding", {CKM_AES_CBC_PAD, iv, 16}, 48},
		{"AES-CTR", {CKM_AES_CTR, counter, sizeof counter}, 32}, {"AES key wrapping", {CKM_AES_KEY_WRAP, NULL, 0}, 40},
	};
	counter[0] = 64;
	for (size_t i = 0; i < COUNT(list); i++) {
		sizes(list[i].what, f->C_EncryptInit, f->C_Encrypt, &list[i].m, aes, data, 32, list[i].size);
		sizes(list[i].what, f->C_DecryptInit, f->C_Decrypt, &list[i].m, aes, out, list[i].size, 32);
		IS("and back", !memcmp(out, data, 32));
	}
	CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0}, signs = {CKM_SHA256_RSA_PKCS, NULL, 0}, hmac = {CKM_SHA256_HMAC, NULL, 0};
	sizes("RSA encrypts", f->C_EncryptInit, f->C_Encrypt, &rsa, rsa_public, data, 32, 256);
	sizes("RSA decrypts", f->C_DecryptInit, f->C_Decrypt, &rsa, rsa_private, out, 256, 32);
	sizes("RSA signs", f->C_SignInit, f->C_Sign, &signs, rsa_private, data, 32, 256);
	sizes("RSA signs with recovery", f->C_SignRecoverInit, f->C_SignRecover, &rsa, rsa_private, data, 32, 256);
	sizes("RSA recovers", f->C_VerifyRecoverInit, f->C_VerifyRecover, &rsa, rsa_public, out, 256, 32);
	sizes("HMAC", f->C_SignInit, f->C_Sign, &hmac, secret, data, 32, 32);
}

static void parts(void)
{
	CK_MECHANISM m = {CKM_AES_CBC_PAD, iv, 16};
	must(f->C_EncryptInit(s, &m, aes));
	RV("C_EncryptUpdate asks for the size", f->C_EncryptUpdate(s, data, 32, NULL, room(0)), CKR_OK);
	RV("C_EncryptUpdate with too little room", f->C_EncryptUpdate(s, data, 32, out, room(1)), CKR_BUFFER_TOO_SMALL);
	RV("C_EncryptUpdate", f->C_EncryptUpdate(s, data, 32, out, room(sizeof out)), CKR_OK);
	CK_ULONG first = n;
	RV("C_EncryptFinal with too little room", f->C_EncryptFinal(s, out + first, room(1)), CKR_BUFFER_TOO_SMALL);
	RV("C_EncryptFinal", f->C_EncryptFinal(s, out + first, room(sizeof out - first)), CKR_OK);
	IS("nothing is lost, and nothing comes twice", first + n == 48);
	RV("C_EncryptFinal is over", f->C_EncryptFinal(s, out, room(sizeof out)), CKR_OPERATION_NOT_INITIALIZED);
}

/* lengths and paddings that are wrong end the operation */
static void wrong(void)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, pad = {CKM_AES_CBC_PAD, iv, 16}, rsa = {CKM_RSA_PKCS, NULL, 0}, hmac = {CKM_SHA256_HMAC, NULL, 0};
	must(f->C_EncryptInit(s, &ecb, aes));
	RV("15 bytes by ECB", f->C_Encrypt(s, data, 15, out, room(sizeof out)), CKR_DATA_LEN_RANGE);
	RV("which ends it", f->C_Encrypt(s, data, 16, out, room(sizeof out)), CKR_OPERATION_NOT_INITIALIZED);
	must(f->C_DecryptInit(s, &ecb, aes));
	RV("and back", f->C_Decrypt(s, data, 15, out, room(sizeof out)), CKR_ENCRYPTED_DATA_LEN_RANGE);
	must(f->C_DecryptInit(s, &pad, aes));
	RV("no padding", f->C_Decrypt(s, data, 32, out, room(sizeof out)), CKR_ENCRYPTED_DATA_INVALID);
	must(f->C_EncryptInit(s, &rsa, rsa_public));
	RV("more than RSA has room for", f->C_Encrypt(s, out, 246, out, room(sizeof out)), CKR_DATA_LEN_RANGE);
	must(f->C_DecryptInit(s, &rsa, rsa_private));
	RV("less than RSA encrypts to", f->C_Decrypt(s, out, 255, out, room(sizeof out)), CKR_ENCRYPTED_DATA_LEN_RANGE);
	must(f->C_VerifyInit(s, &hmac, secret));
	RV("a short code", f->C_Verify(s, data, 32, data, 31), CKR_SIGNATURE_LEN_RANGE);
	must(f->C_VerifyInit(s, &hmac, secret));
	RV("another code", f->C_Verify(s, data, 32, data, 32), CKR_SIGNATURE_INVALID);
	CK_MECHANISM short_iv = {CKM_AES_CBC, iv, 15}, idle = {CKM_AES_ECB, iv, 16};
	RV("15 bytes of an IV", f->C_EncryptInit(s, &short_iv, aes), CKR_MECHANISM_PARAM_INVALID);
	RV("an IV for ECB", f->C_EncryptInit(s, &idle, aes), CKR_MECHANISM_PARAM_INVALID);
	RV("a key of RSA for AES", f->C_EncryptInit(s, &ecb, rsa_public), CKR_KEY_TYPE_INCONSISTENT);
}

struct row {
	const char *what;
	CK_RV rv;
	CK_ATTRIBUTE t[5];
};

static CK_ULONG length(CK_ATTRIBUTE_PTR t)
{
	CK_ULONG i = 0;
	while (i < 5 && t[i].pValue)
		i++;
	return i;
}

#define AES A(CKA_CLASS, &secret_class), A(CKA_KEY_TYPE, &aes_type), {CKA_VALUE, data, 16}
static struct row created[] = {
	{"a key of AES", CKR_OK, {AES}},
	{"no value", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &secret_class), A(CKA_KEY_TYPE, &aes_type)}},
	{"17 bytes", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &secret_class), A(CKA_KEY_TYPE, &aes_type), {CKA_VALUE, data, 17}}},
	{"the length", CKR_ATTRIBUTE_READ_ONLY, {AES, A(CKA_VALUE_LEN, &size16)}},
	{"made here", CKR_ATTRIBUTE_READ_ONLY, {AES, A(CKA_LOCAL, &yes)}},
	{"always sensitive", CKR_ATTRIBUTE_READ_ONLY, {AES, A(CKA_ALWAYS_SENSITIVE, &yes)}},
	{"never extractable", CKR_ATTRIBUTE_READ_ONLY, {AES, A(CKA_NEVER_EXTRACTABLE, &yes)}},
	{"trusted", CKR_ATTRIBUTE_READ_ONLY, {AES, A(CKA_TRUSTED, &yes)}},
	{"a modulus", CKR_ATTRIBUTE_TYPE_INVALID, {AES, {CKA_MODULUS, data, 1}}},
	{"half a CK_ULONG", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &secret_class), {CKA_KEY_TYPE, &aes_type, 4}}},
};
static struct row generated[] = {
	{"no length", CKR_TEMPLATE_INCOMPLETE, {A(CKA_SENSITIVE, &no)}},
	{"17 bytes", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_VALUE_LEN, &size17)}},
	{"a value", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_VALUE_LEN, &size16), {CKA_VALUE, data, 16}}},
	{"another type", CKR_TEMPLATE_INCONSISTENT, {A(CKA_VALUE_LEN, &size16), A(CKA_KEY_TYPE, &generic_type)}},
	{"another class", CKR_TEMPLATE_INCONSISTENT, {A(CKA_VALUE_LEN, &size16), A(CKA_CLASS, &data_class)}},
};
/* of a key that is sensitive and not extractable */
static struct row changed[] = {
	{"the label", CKR_OK, {{CKA_LABEL, data, 4}}},
	{"the class", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &data_class)}},
	{"the value", CKR_ATTRIBUTE_READ_ONLY, {{CKA_VALUE, data, 16}}},
	{"to the token", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_TOKEN, &yes)}},
	{"not sensitive", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_SENSITIVE, &no)}},
	{"extractable", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_EXTRACTABLE, &yes)}},
	{"a modulus", CKR_ATTRIBUTE_TYPE_INVALID, {{CKA_MODULUS, data, 1}}},
};

static void templates(void)
{
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE hidden[] = {A(CKA_VALUE_LEN, &size16), A(CKA_SENSITIVE, &yes), A(CKA_EXTRACTABLE, &no)}, value = {CKA_VALUE, out, sizeof out};
	CK_OBJECT_HANDLE key = generate(CKM_AES_KEY_GEN, hidden, COUNT(hidden)), other = 0;
	for (size_t i = 0; i < COUNT(changed); i++)
		RV(changed[i].what, f->C_SetAttributeValue(s, key, changed[i].t, length(changed[i].t)), changed[i].rv);
	RV("the value of a sensitive key", f->C_GetAttributeValue(s, key, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
	IS("it tells nothing", value.ulValueLen == UNAVAILABLE);
	RV("a copy that is not sensitive", f->C_CopyObject(s, key, &(CK_ATTRIBUTE)A(CKA_SENSITIVE, &no), 1, &other), CKR_ATTRIBUTE_READ_ONLY);
	RV("a copy that is", f->C_CopyObject(s, aes, &(CK_ATTRIBUTE)A(CKA_SENSITIVE, &yes), 1, &other), CKR_OK);
	for (size_t i = 0; i < COUNT(created); i++)
		RV(created[i].what, f->C_CreateObject(s, created[i].t, length(created[i].t), &other), created[i].rv);
	for (size_t i = 0; i < COUNT(generated); i++)
		RV(generated[i].what, f->C_GenerateKey(s, &m, generated[i].t, length(generated[i].t), &other), generated[i].rv);
	RV("no place for the handle", f->C_GenerateKey(s, &m, hidden, COUNT(hidden), NULL), CKR_ARGUMENTS_BAD);
}

static void wraps(void)
{
	CK_MECHANISM m = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_ATTRIBUTE inside[] = {A(CKA_VALUE_LEN, &size16), A(CKA_EXTRACTABLE, &no)};
	CK_ATTRIBUTE t[] = {A(CKA_CLASS, &secret_class), A(CKA_KEY_TYPE, &aes_type), {CKA_VALUE, data, 16}};
	CK_OBJECT_HANDLE stays = generate(CKM_AES_KEY_GEN, inside, COUNT(inside)), key = 0;
	CK_BYTE wrapped[40];
	RV("C_WrapKey of a key that stays", f->C_WrapKey(s, &m, aes, stays, out, room(sizeof out)), CKR_KEY_UNEXTRACTABLE);
	RV("C_WrapKey without a wrapping key", f->C_WrapKey(s, &m, 0, aes, out, room(sizeof out)), CKR_WRAPPING_KEY_HANDLE_INVALID);
	RV("C_WrapKey without a key", f->C_WrapKey(s, &m, aes, 0, out, room(sizeof out)), CKR_KEY_HANDLE_INVALID);
	RV("C_WrapKey of a public key", f->C_WrapKey(s, &m, aes, rsa_public, out, room(sizeof out)), CKR_KEY_NOT_WRAPPABLE);
	RV("C_WrapKey asks for the size", f->C_WrapKey(s, &m, aes, aes, NULL, room(0)), CKR_OK);
	IS("it is 40", n == 40);
	RV("C_WrapKey with too little room", f->C_WrapKey(s, &m, aes, aes, wrapped, room(39)), CKR_BUFFER_TOO_SMALL);
	RV("C_WrapKey", f->C_WrapKey(s, &m, aes, aes, wrapped, room(40)), CKR_OK);
	RV("C_UnwrapKey", f->C_UnwrapKey(s, &m, aes, wrapped, 40, t, 2, &key), CKR_OK);
	RV("C_UnwrapKey of what was cut", f->C_UnwrapKey(s, &m, aes, wrapped, 32, t, 2, &key), CKR_WRAPPED_KEY_INVALID);
	RV("C_UnwrapKey of what was cut within a block", f->C_UnwrapKey(s, &m, aes, wrapped, 39, t, 2, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	wrapped[0] ^= 1;
	RV("C_UnwrapKey of what was changed", f->C_UnwrapKey(s, &m, aes, wrapped, 40, t, 2, &key), CKR_WRAPPED_KEY_INVALID);
	RV("C_UnwrapKey without a type", f->C_UnwrapKey(s, &m, aes, wrapped, 40, t, 1, &key), CKR_TEMPLATE_INCOMPLETE);
	RV("C_UnwrapKey with a value", f->C_UnwrapKey(s, &m, aes, wrapped, 40, t, 3, &key), CKR_ATTRIBUTE_READ_ONLY);
	RV("C_UnwrapKey without a key", f->C_UnwrapKey(s, &m, 0, wrapped, 40, t, 2, &key), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
}

/* a key that wants a login for each use, and what can be done without any */
static void logins(void)
{
	CK_MECHANISM pair = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, m = {CKM_SHA256_RSA_PKCS, NULL, 0}, make = {CKM_AES_KEY_GEN, NULL, 0}, ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public = A(CKA_MODULUS_BITS, &bits), each = A(CKA_ALWAYS_AUTHENTICATE, &yes), curve = ARRAY(CKA_EC_PARAMS, p256), open = A(CKA_PRIVATE, &no);
	CK_ATTRIBUTE t[] = {A(CKA_VALUE_LEN, &size16), A(CKA_PRIVATE, &no)};
	CK_OBJECT_HANDLE a, b;
	must(f->C_GenerateKeyPair(s, &pair, &public, 1, &each, 1, &a, &b));
	RV("a login for what is not begun", f->C_Login(s, CKU_CONTEXT_SPECIFIC, user_pin, PIN), CKR_OPERATION_NOT_INITIALIZED);
	for (int i = 0; i < 2; i++) {
		RV("C_SignInit", f->C_SignInit(s, &m, b), CKR_OK);
		RV("a wrong PIN", f->C_Login(s, CKU_CONTEXT_SPECIFIC, so_pin, PIN), CKR_PIN_INCORRECT);
		RV("a login for this signature", f->C_Login(s, CKU_CONTEXT_SPECIFIC, user_pin, PIN), CKR_OK);
		RV("C_Sign", f->C_Sign(s, data, 32, out, room(sizeof out)), CKR_OK);
	}
	must(f->C_SignInit(s, &m, b));
	RV("C_Sign without its login", f->C_Sign(s, data, 32, out, room(sizeof out)), CKR_USER_NOT_LOGGED_IN);
	must(f->C_Logout(s));
	RV("a private key after the logout", f->C_SignInit(s, &m, rsa_private), CKR_KEY_HANDLE_INVALID);
	RV("a key that would be private", f->C_GenerateKey(s, &make, t, 1, &a), CKR_USER_NOT_LOGGED_IN);
	RV("one for everybody", f->C_GenerateKey(s, &make, t, 2, &a), CKR_OK);
	RV("a key pair that would be private", f->C_GenerateKeyPair(s, &ec, &curve, 1, NULL, 0, &a, &b), CKR_USER_NOT_LOGGED_IN);
	RV("one for everybody", f->C_GenerateKeyPair(s, &ec, &curve, 1, &open, 1, &a, &b), CKR_OK);
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	RV("it signs without a login", f->C_SignInit(s, &ecdsa, b), CKR_OK);
	RV("C_Sign without a login", f->C_Sign(s, data, 32, out, room(64)), CKR_OK);
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	s = user_session();
	keys();
	ciphers();
	parts();
	wrong();
	templates();
	wraps();
	logins();
	return done();
}
