/* SPDX-License-Identifier: Apache-2.0 */

/* Templates that are refused: 4.1.1 to 4.1.3, by every function that takes one. */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE data, key;

static CK_OBJECT_CLASS data_class = CKO_DATA, certificate_class = CKO_CERTIFICATE, public_class = CKO_PUBLIC_KEY;
static CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY, secret_class = CKO_SECRET_KEY, unknown_class = 0x7777;
static CK_KEY_TYPE ec = CKK_EC, edwards = CKK_EC_EDWARDS, generic = CKK_GENERIC_SECRET, rsa = CKK_RSA;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE two = 2, bytes[40] = "some bytes";
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE brainpool[] = {0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07};
static CK_BYTE no_curve[] = {0x06, 0x08, 0x2a}, no_point[67] = {0x04, 65, 0x04, 1, 2, 3};
static CK_BYTE point[67] = {0x04, 65, 0x04}; /* of slot 0, read by main */
static CK_BYTE digits[] = "20260132", letters[] = "2026MMDD";

#define A(TYPE, VALUE) {TYPE, (void *)(VALUE), sizeof *(VALUE)}
#define ARRAY(TYPE, VALUE) {TYPE, (VALUE), sizeof(VALUE)}
#define END {0, NULL, 0}

struct row {
	const char *what;
	CK_RV rv;
	CK_ATTRIBUTE t[7]; /* up to END */
};

static CK_ULONG length(const CK_ATTRIBUTE *t)
{
	CK_ULONG n = 0;
	while (t[n].type || t[n].pValue)
		n++;
	return n;
}

static struct row create[] = {
	{"nothing", CKR_TEMPLATE_INCOMPLETE, {END}},
	{"no class", CKR_TEMPLATE_INCOMPLETE, {A(CKA_PRIVATE, &no), END}},
	{"an unknown class", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &unknown_class), END}},
	{"a class of one byte", CKR_ATTRIBUTE_VALUE_INVALID, {{CKA_CLASS, &data_class, 1}, END}},
	{"a class of no length", CKR_ATTRIBUTE_VALUE_INVALID, {{CKA_CLASS, &data_class, 0}, END}},
	{"the class and another", CKR_TEMPLATE_INCONSISTENT, {A(CKA_CLASS, &data_class), A(CKA_CLASS, &public_class), END}},
	{"an attribute of another class", CKR_ATTRIBUTE_TYPE_INVALID, {A(CKA_CLASS, &data_class), A(CKA_VERIFY, &yes), END}},
	{"an unknown attribute", CKR_ATTRIBUTE_TYPE_INVALID, {A(CKA_CLASS, &data_class), A(0x7ffffffe, &yes), END}},
	{"a truth value of two", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &data_class), A(CKA_PRIVATE, &two), END}},
	{"a truth value of eight bytes", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &data_class), {CKA_PRIVATE, bytes, 8}, END}},
	{"a truth value of no length", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &data_class), {CKA_TOKEN, &yes, 0}, END}},
	{"a value at NULL", CKR_ARGUMENTS_BAD, {A(CKA_CLASS, &data_class), {CKA_VALUE, NULL, 10}, END}},
	{"a huge value at NULL", CKR_ARGUMENTS_BAD, {A(CKA_CLASS, &data_class), {CKA_VALUE, NULL, HUGE_LENGTH}, END}},
	{"its own CKA_UNIQUE_ID", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &data_class), ARRAY(CKA_UNIQUE_ID, bytes), END}},

	{"a certificate of no type", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &certificate_class), ARRAY(CKA_SUBJECT, bytes), ARRAY(CKA_VALUE, bytes), END}},
	{"a certificate without a subject", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &certificate_class), A(CKA_CERTIFICATE_TYPE, &(CK_CERTIFICATE_TYPE){CKC_X_509}), ARRAY(CKA_VALUE, bytes), END}},
	{"a trusted certificate, by the user", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &certificate_class), A(CKA_CERTIFICATE_TYPE, &(CK_CERTIFICATE_TYPE){CKC_X_509}), ARRAY(CKA_SUBJECT, bytes), ARRAY(CKA_VALUE, bytes), A(CKA_TRUSTED, &yes), END}},
	{"a certificate with a bad date", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &certificate_class), A(CKA_CERTIFICATE_TYPE, &(CK_CERTIFICATE_TYPE){CKC_X_509}), ARRAY(CKA_SUBJECT, bytes), ARRAY(CKA_VALUE, bytes), {CKA_START_DATE, letters, 8}, END}},
	{"a certificate of the 32nd of January", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &certificate_class), A(CKA_CERTIFICATE_TYPE, &(CK_CERTIFICATE_TYPE){CKC_X_509}), ARRAY(CKA_SUBJECT, bytes), ARRAY(CKA_VALUE, bytes), {CKA_START_DATE, digits, 8}, END}},
	{"a certificate that is none of X.509", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &certificate_class), A(CKA_CERTIFICATE_TYPE, &(CK_CERTIFICATE_TYPE){CKC_WTLS}), ARRAY(CKA_SUBJECT, bytes), ARRAY(CKA_VALUE, bytes), END}},

	{"a public key of no type", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &public_class), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, point), END}},
	{"a public key of RSA without numbers", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &rsa), END}},
	{"a public key without a curve", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_POINT, point), END}},
	{"a public key without a point", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, p256), END}},
	{"a public key on a curve of others", CKR_CURVE_NOT_SUPPORTED, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, brainpool), ARRAY(CKA_EC_POINT, point), END}},
	{"a public key on no curve", CKR_DOMAIN_PARAMS_INVALID, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, no_curve), ARRAY(CKA_EC_POINT, point), END}},
	{"a point that is not on the curve", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, no_point), END}},
	{"a key of Edwards type on P-256", CKR_TEMPLATE_INCONSISTENT, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &edwards), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, point), END}},
	{"a public key said to be local", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, point), A(CKA_LOCAL, &yes), END}},
	{"a public key in a slot", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &public_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, point), A(CKA_ZK_SLOT, &(CK_ULONG){20}), END}},
	{"a private key that is no number of the curve", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_CLASS, &private_class), A(CKA_KEY_TYPE, &ec), ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_VALUE, bytes), END}},
	{"a secret key without a value", CKR_TEMPLATE_INCOMPLETE, {A(CKA_CLASS, &secret_class), A(CKA_KEY_TYPE, &generic), END}},
};

/* objects counts what there is: a refused template must not add to it. */
static CK_ULONG objects(void)
{
	static CK_OBJECT_HANDLE all[256];
	CK_ULONG n;
	must(f->C_FindObjectsInit(s, NULL, 0));
	must(f->C_FindObjects(s, all, COUNT(all), &n));
	must(f->C_FindObjectsFinal(s));
	return n;
}

static void creating(void)
{
	CK_ULONG before = objects();
	for (size_t i = 0; i < COUNT(create); i++) {
		CK_OBJECT_HANDLE o = 4711;
		RV(create[i].what, f->C_CreateObject(s, create[i].t, length(create[i].t), &o), create[i].rv);
		IS("no handle is given", o == 4711);
	}
	IS("no object was made", objects() == before);
}

/* change is for C_SetAttributeValue of the key in slot 0, unless said otherwise. */
static struct row change[] = {
	{"the label", CKR_OK, {ARRAY(CKA_LABEL, bytes), END}},
	{"the label twice the same", CKR_OK, {ARRAY(CKA_LABEL, bytes), ARRAY(CKA_LABEL, bytes), END}},
	{"nothing", CKR_OK, {END}},
	{"what it is already", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &private_class), A(CKA_SENSITIVE, &yes), END}},
	{"the class", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &data_class), END}},
	{"the key type", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_KEY_TYPE, &edwards), END}},
	{"the curve", CKR_ATTRIBUTE_READ_ONLY, {ARRAY(CKA_EC_PARAMS, brainpool), END}},
	{"the slot", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_ZK_SLOT, &(CK_ULONG){20}), END}},
	{"CKA_SENSITIVE to false", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_SENSITIVE, &no), END}},
	{"CKA_EXTRACTABLE to true", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_EXTRACTABLE, &yes), END}},
	{"CKA_COPYABLE to true", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_COPYABLE, &yes), END}},
	{"CKA_DESTROYABLE", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_DESTROYABLE, &yes), END}},
	{"CKA_PRIVATE", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_PRIVATE, &no), END}},
	{"CKA_LOCAL", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_LOCAL, &no), END}},
	{"the value", CKR_ATTRIBUTE_READ_ONLY, {ARRAY(CKA_VALUE, bytes), END}},
	{"an attribute of another class", CKR_ATTRIBUTE_TYPE_INVALID, {ARRAY(CKA_APPLICATION, bytes), END}},
	{"a truth value of two", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_SIGN, &two), END}},
	{"the label and another", CKR_TEMPLATE_INCONSISTENT, {ARRAY(CKA_LABEL, bytes), {CKA_LABEL, bytes, 4}, END}},
	{"the label, and what may not be", CKR_ATTRIBUTE_READ_ONLY, {{CKA_LABEL, bytes, 4}, A(CKA_LOCAL, &no), END}},
};

static void changing(void)
{
	CK_BYTE label[64];
	CK_ATTRIBUTE ask = {CKA_LABEL, label, sizeof label};
	for (size_t i = 0; i < COUNT(change); i++)
		RV(change[i].what, f->C_SetAttributeValue(s, key, change[i].t, length(change[i].t)), change[i].rv);
	must(f->C_GetAttributeValue(s, key, &ask, 1));
	IS("the label of a template that was refused was not set", ask.ulValueLen == sizeof bytes);
	RV("no object", f->C_SetAttributeValue(s, 0, change[0].t, 1), CKR_OBJECT_HANDLE_INVALID);
	RV("no template", f->C_SetAttributeValue(s, key, NULL, 1), CKR_ARGUMENTS_BAD);
}

/* copy is for C_CopyObject of a data object. */
static struct row copy[] = {
	{"as it is", CKR_OK, {END}},
	{"to the token", CKR_OK, {A(CKA_TOKEN, &yes), END}},
	{"made private", CKR_OK, {A(CKA_PRIVATE, &yes), END}},
	{"with another label", CKR_OK, {ARRAY(CKA_LABEL, bytes), END}},
	{"with its class", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &data_class), END}},
	{"with a label twice", CKR_OK, {ARRAY(CKA_LABEL, bytes), ARRAY(CKA_LABEL, bytes), END}},
	{"as another class", CKR_ATTRIBUTE_READ_ONLY, {A(CKA_CLASS, &public_class), END}},
	{"with a key type", CKR_ATTRIBUTE_TYPE_INVALID, {A(CKA_KEY_TYPE, &ec), END}},
	{"with a CKA_UNIQUE_ID", CKR_ATTRIBUTE_READ_ONLY, {ARRAY(CKA_UNIQUE_ID, bytes), END}},
	{"with a truth value of two", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_TOKEN, &two), END}},
};

static void copying(void)
{
	CK_OBJECT_HANDLE o;
	for (size_t i = 0; i < COUNT(copy); i++)
		RV(copy[i].what, f->C_CopyObject(s, data, copy[i].t, length(copy[i].t), &o), copy[i].rv);
	RV("without a place for the handle", f->C_CopyObject(s, data, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	RV("no object", f->C_CopyObject(s, 0, NULL, 0, &o), CKR_OBJECT_HANDLE_INVALID);
	RV("a private key in a slot", f->C_CopyObject(s, key, NULL, 0, &o), CKR_ACTION_PROHIBITED);
}

/* generate is for the public half, with CKM_EC_KEY_PAIR_GEN. */
static struct row generate[] = {
	{"no curve", CKR_TEMPLATE_INCOMPLETE, {END}},
	{"no curve, but a point", CKR_ATTRIBUTE_READ_ONLY, {ARRAY(CKA_EC_PARAMS, p256), ARRAY(CKA_EC_POINT, point), END}},
	{"a curve of others", CKR_CURVE_NOT_SUPPORTED, {ARRAY(CKA_EC_PARAMS, brainpool), END}},
	{"a curve that is none", CKR_DOMAIN_PARAMS_INVALID, {ARRAY(CKA_EC_PARAMS, no_curve), END}},
	{"another class", CKR_TEMPLATE_INCONSISTENT, {ARRAY(CKA_EC_PARAMS, p256), A(CKA_CLASS, &private_class), END}},
	{"another key type", CKR_TEMPLATE_INCONSISTENT, {ARRAY(CKA_EC_PARAMS, p256), A(CKA_KEY_TYPE, &edwards), END}},
	{"an attribute of private keys", CKR_ATTRIBUTE_TYPE_INVALID, {ARRAY(CKA_EC_PARAMS, p256), A(CKA_SIGN, &yes), END}},
};

/* private_half is for the private half, with P-256 as the curve. */
static struct row private_half[] = {
	{"not private, on the token", CKR_TEMPLATE_INCONSISTENT, {A(CKA_TOKEN, &yes), A(CKA_PRIVATE, &no), END}},
	{"not sensitive, and extractable, in a slot", CKR_TEMPLATE_INCONSISTENT, {A(CKA_TOKEN, &yes), A(CKA_ZK_SLOT, &(CK_ULONG){20}), A(CKA_SENSITIVE, &no), A(CKA_EXTRACTABLE, &yes), END}},
	{"extractable, in a slot", CKR_TEMPLATE_INCONSISTENT, {A(CKA_TOKEN, &yes), A(CKA_ZK_SLOT, &(CK_ULONG){20}), A(CKA_EXTRACTABLE, &yes), END}},
	{"with a value", CKR_ATTRIBUTE_READ_ONLY, {ARRAY(CKA_VALUE, bytes), END}},
	{"a permanent slot", CKR_TEMPLATE_INCONSISTENT, {A(CKA_TOKEN, &yes), A(CKA_ZK_SLOT, &(CK_ULONG){3}), END}},
	{"a slot that is none", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_TOKEN, &yes), A(CKA_ZK_SLOT, &(CK_ULONG){528}), END}},
	{"a slot out of all bounds", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_TOKEN, &yes), A(CKA_ZK_SLOT, &(CK_ULONG){HUGE_LENGTH}), END}},
	{"a slot of four bytes", CKR_ATTRIBUTE_VALUE_INVALID, {A(CKA_TOKEN, &yes), {CKA_ZK_SLOT, bytes, 4}, END}},
};

static void generating(void)
{
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0}, with_parameter = {CKM_EC_KEY_PAIR_GEN, bytes, 4};
	CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof p256};
	CK_OBJECT_HANDLE a, b;
	CK_ULONG before = objects();
	for (size_t i = 0; i < COUNT(generate); i++)
		RV(generate[i].what, f->C_GenerateKeyPair(s, &m, generate[i].t, length(generate[i].t), NULL, 0, &a, &b), generate[i].rv);
	for (size_t i = 0; i < COUNT(private_half); i++)
		RV(private_half[i].what, f->C_GenerateKeyPair(s, &m, &curve, 1, private_half[i].t, length(private_half[i].t), &a, &b), private_half[i].rv);
	RV("no place for the public key", f->C_GenerateKeyPair(s, &m, &curve, 1, NULL, 0, NULL, &b), CKR_ARGUMENTS_BAD);
	RV("no place for the private key", f->C_GenerateKeyPair(s, &m, &curve, 1, NULL, 0, &a, NULL), CKR_ARGUMENTS_BAD);
	RV("no mechanism", f->C_GenerateKeyPair(s, NULL, &curve, 1, NULL, 0, &a, &b), CKR_ARGUMENTS_BAD);
	RV("a mechanism with a parameter", f->C_GenerateKeyPair(s, &with_parameter, &curve, 1, NULL, 0, &a, &b), CKR_MECHANISM_PARAM_INVALID);
	IS("no key was made", objects() == before);
	CK_ATTRIBUTE open[] = {A(CKA_SENSITIVE, &no)};
	RV("not sensitive", f->C_GenerateKeyPair(s, &m, &curve, 1, open, 1, &a, &b), CKR_OK);
	CK_ATTRIBUTE value = ARRAY(CKA_VALUE, bytes), for_all[] = {A(CKA_PRIVATE, &no)};
	RV("and yet not shown", f->C_GetAttributeValue(s, b, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
	must(f->C_DestroyObject(s, a));
	must(f->C_DestroyObject(s, b));
	RV("not private, in the session", f->C_GenerateKeyPair(s, &m, &curve, 1, for_all, 1, &a, &b), CKR_OK);
	must(f->C_DestroyObject(s, a));
	must(f->C_DestroyObject(s, b));
}

/* read_only has a session that may not write to the token. */
static void read_only(void)
{
	CK_SESSION_HANDLE ro = session(0);
	CK_OBJECT_HANDLE o, on_token;
	CK_ATTRIBUTE t[] = {A(CKA_CLASS, &data_class), A(CKA_TOKEN, &yes)}, label = ARRAY(CKA_LABEL, bytes);
	must(f->C_CreateObject(s, t, 2, &on_token));
	RV("C_CreateObject on the token", f->C_CreateObject(ro, t, 2, &o), CKR_SESSION_READ_ONLY);
	RV("C_CreateObject in the session", f->C_CreateObject(ro, t, 1, &o), CKR_OK);
	RV("C_CopyObject to the token", f->C_CopyObject(ro, o, &t[1], 1, &o), CKR_SESSION_READ_ONLY);
	RV("C_SetAttributeValue of a session object", f->C_SetAttributeValue(ro, o, &label, 1), CKR_OK);
	RV("C_SetAttributeValue of a token object", f->C_SetAttributeValue(ro, on_token, &label, 1), CKR_SESSION_READ_ONLY);
	RV("C_DestroyObject of a token object", f->C_DestroyObject(ro, on_token), CKR_SESSION_READ_ONLY);
	RV("C_DestroyObject of a session object", f->C_DestroyObject(ro, o), CKR_OK);
	RV("C_DestroyObject twice", f->C_DestroyObject(ro, o), CKR_OBJECT_HANDLE_INVALID);
	RV("C_SetPIN", f->C_SetPIN(ro, user_pin, PIN, user_pin, PIN), CKR_SESSION_READ_ONLY);
	must(f->C_CloseSession(ro));
}

/* locked_up has objects that say no themselves. */
static void locked_up(void)
{
	CK_ATTRIBUTE label = ARRAY(CKA_LABEL, bytes);
	CK_ATTRIBUTE t[] = {A(CKA_CLASS, &data_class), A(CKA_MODIFIABLE, &no), A(CKA_COPYABLE, &no), A(CKA_DESTROYABLE, &no)};
	CK_OBJECT_HANDLE o, c;
	must(f->C_CreateObject(s, t, COUNT(t), &o));
	RV("C_SetAttributeValue", f->C_SetAttributeValue(s, o, &label, 1), CKR_ACTION_PROHIBITED);
	RV("C_CopyObject", f->C_CopyObject(s, o, NULL, 0, &c), CKR_ACTION_PROHIBITED);
	RV("C_DestroyObject", f->C_DestroyObject(s, o), CKR_ACTION_PROHIBITED);
}

int main(int argc, char **argv)
{
	CK_ATTRIBUTE ask = {CKA_EC_POINT, point, sizeof point}, t = A(CKA_CLASS, &data_class);
	load(argc, argv);
	token();
	s = user_session();
	key = slot_key(s, CKO_PRIVATE_KEY, 0);
	must(f->C_GetAttributeValue(s, slot_key(s, CKO_PUBLIC_KEY, 0), &ask, 1));
	must(f->C_CreateObject(s, &t, 1, &data));
	creating();
	changing();
	copying();
	generating();
	read_only();
	locked_up();
	return done();
}
