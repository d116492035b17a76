/* SPDX-License-Identifier: Apache-2.0 */

/* Random templates: mostly sensible ones, with a mistake or two. */
#ifndef TEMPLATE_H
#define TEMPLATE_H 1

#include "arguments.h"

static CK_OBJECT_CLASS classes[] = {CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY};
static CK_KEY_TYPE key_types[] = {CKK_EC, CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY, CKK_GENERIC_SECRET, CKK_RSA};
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE k256[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}, ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static CK_BYTE named[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
static CK_BYTE text[] = "some text of a length that is enough for all", date[] = "20260228";

static const CK_ATTRIBUTE_TYPE truths[] = {
	CKA_TOKEN, CKA_TOKEN, CKA_TOKEN, CKA_PRIVATE, CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_SENSITIVE, CKA_EXTRACTABLE,
	CKA_SIGN, CKA_VERIFY, CKA_DERIVE, CKA_ENCRYPT, CKA_WRAP, CKA_TRUSTED, CKA_LOCAL, CKA_ALWAYS_AUTHENTICATE, CKA_NEVER_EXTRACTABLE,
};
static const CK_ATTRIBUTE_TYPE numbers[] = {
	CKA_CERTIFICATE_TYPE, CKA_CERTIFICATE_TYPE, CKA_VALUE_LEN, CKA_ZK_SLOT, CKA_KEY_GEN_MECHANISM, CKA_CERTIFICATE_CATEGORY, CKA_MODULUS_BITS,
};
static const CK_ATTRIBUTE_TYPE texts[] = {
	CKA_LABEL, CKA_LABEL, CKA_ID, CKA_ID, CKA_APPLICATION, CKA_VALUE, CKA_VALUE, CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_UNIQUE_ID,
	CKA_OBJECT_ID, CKA_PUBLIC_KEY_INFO, CKA_ALLOWED_MECHANISMS, CKA_WRAP_TEMPLATE, CKA_CHECK_VALUE, CKA_URL, 0x7ffffffe, CKA_ZK_FOREIGN,
};

static inline CK_ATTRIBUTE value_of(struct dice *d, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG n)
{
	return (CK_ATTRIBUTE){type, copy(d, value, n), n};
}

static inline CK_ATTRIBUTE curve(struct dice *d)
{
	switch (roll(d, 4)) {
	case 0: return value_of(d, CKA_EC_PARAMS, k256, sizeof k256);
	case 1: return value_of(d, CKA_EC_PARAMS, ed25519, sizeof ed25519);
	case 2: return value_of(d, CKA_EC_PARAMS, named, sizeof named);
	default: return value_of(d, CKA_EC_PARAMS, p256, sizeof p256);
	}
}

static inline CK_ATTRIBUTE attribute(struct dice *d)
{
	CK_BBOOL truth = roll(d, 2);
	CK_ULONG n = number(d);
	switch (roll(d, 8)) {
	case 0: return value_of(d, CKA_CLASS, &PICK(d, classes), sizeof(CK_ULONG));
	case 1: return value_of(d, CKA_KEY_TYPE, &PICK(d, key_types), sizeof(CK_ULONG));
	case 2: return curve(d);
	case 3: return value_of(d, CKA_EC_POINT, generator, sizeof generator);
	case 4: return value_of(d, PICK(d, numbers), &n, sizeof n);
	case 5: return value_of(d, roll(d, 2) ? CKA_START_DATE : CKA_END_DATE, date, 8);
	case 6: return value_of(d, PICK(d, texts), text, roll(d, sizeof text));
	default: return value_of(d, PICK(d, truths), &truth, 1);
	}
}

/* spoil gives an attribute a length or a value that is wrong. */
static inline void spoil(struct dice *d, CK_ATTRIBUTE *a)
{
	CK_ULONG n = roll(d, 12);
	switch (roll(d, 3)) {
	case 0: *a = (CK_ATTRIBUTE){a->type, NULL, length_at_null(d)}; break;
	case 1: *a = (CK_ATTRIBUTE){a->type, block(d, n), n}; break;
	default: a->ulValueLen = a->ulValueLen ? roll(d, a->ulValueLen) : 0;
	}
}

/* full starts a template with what a key, a certificate or a data object needs. */
static inline CK_ULONG full(struct dice *d, CK_ATTRIBUTE *t)
{
	static CK_ULONG ec = CKK_EC, generic = CKK_GENERIC_SECRET, x509 = CKC_X_509;
	CK_ULONG n = 0;
	CK_OBJECT_CLASS class = PICK(d, classes);
	t[n++] = value_of(d, CKA_CLASS, &class, sizeof class);
	if (class == CKO_PUBLIC_KEY) {
		t[n++] = value_of(d, CKA_KEY_TYPE, &ec, sizeof ec);
		t[n++] = value_of(d, CKA_EC_PARAMS, p256, sizeof p256);
		t[n++] = value_of(d, CKA_EC_POINT, generator, sizeof generator);
	} else if (class == CKO_SECRET_KEY) {
		t[n++] = value_of(d, CKA_KEY_TYPE, &generic, sizeof generic);
		t[n++] = value_of(d, CKA_VALUE, text, roll(d, 33));
	} else if (class == CKO_CERTIFICATE) {
		t[n++] = value_of(d, CKA_CERTIFICATE_TYPE, &x509, sizeof x509);
		t[n++] = value_of(d, CKA_SUBJECT, text, roll(d, 33));
		t[n++] = value_of(d, CKA_VALUE, text, roll(d, 33));
	}
	return n;
}

/* push_attributes pushes n attributes and at most more - 1 others, one of them maybe wrong. */
static inline void push_attributes(struct caller *c, CK_ATTRIBUTE *t, CK_ULONG n, int more)
{
	struct dice *d = &c->dice;
	for (CK_ULONG most = n + roll(d, more); n < most; n++)
		t[n] = attribute(d);
	if (n && one_in(d, 6))
		spoil(d, &t[roll(d, n)]);
	push_both(c, copy(d, t, n * sizeof t[0]), n);
}

static inline void push_template(struct caller *c)
{
	CK_ATTRIBUTE t[8];
	push_attributes(c, t, one_in(&c->dice, 2) ? full(&c->dice, t) : 0, 3);
}

/* push_new_public and push_new_private push templates for C_GenerateKeyPair. */
static inline void push_new_public(struct caller *c)
{
	CK_ATTRIBUTE t[8];
	CK_ULONG bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	int rsa = c->mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN;
	t[0] = rsa ? value_of(&c->dice, CKA_MODULUS_BITS, &bits, sizeof bits) : curve(&c->dice);
	t[1] = value_of(&c->dice, CKA_VERIFY_RECOVER, &yes, 1);
	push_attributes(c, t, rsa ? 2 : 1, 2);
}

static inline void push_new_private(struct caller *c)
{
	CK_ATTRIBUTE t[8];
	CK_BBOOL yes = CK_TRUE;
	t[0] = value_of(&c->dice, CKA_TOKEN, &yes, 1);
	if (c->mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN)
		t[0] = value_of(&c->dice, CKA_SIGN_RECOVER, &yes, 1);
	push_attributes(c, t, roll(&c->dice, 2), 2);
}

static inline void push_new_secret(struct caller *c)
{
	CK_ATTRIBUTE t[8];
	CK_ULONG n = one_in(&c->dice, 8) ? number(&c->dice) : 32;
	CK_BBOOL yes = CK_TRUE;
	t[0] = value_of(&c->dice, CKA_VALUE_LEN, &n, sizeof n);
	t[1] = value_of(&c->dice, CKA_ENCRYPT, &yes, 1);
	t[2] = value_of(&c->dice, CKA_DECRYPT, &yes, 1);
	t[3] = value_of(&c->dice, CKA_WRAP, &yes, 1);
	t[4] = value_of(&c->dice, CKA_UNWRAP, &yes, 1);
	push_attributes(c, t, 5, 2);
}

/* push_query pushes a template to be filled, with buffers that are too small or not. */
static inline void push_query(struct caller *c)
{
	CK_ATTRIBUTE t[8];
	struct dice *d = &c->dice;
	CK_ULONG n = roll(d, 8);
	for (CK_ULONG i = 0; i < n; i++) {
		t[i] = attribute(d);
		t[i].ulValueLen = roll(d, 200);
		t[i].pValue = block(d, t[i].ulValueLen);
		if (one_in(d, 3))
			t[i] = (CK_ATTRIBUTE){t[i].type, NULL, length_at_null(d)};
	}
	push_both(c, copy(d, t, n * sizeof t[0]), n);
}

#endif /* TEMPLATE_H */
