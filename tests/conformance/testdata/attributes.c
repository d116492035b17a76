/* SPDX-License-Identifier: Apache-2.0 */

/*
 * C_GetAttributeValue (5.7.5): for an attribute that can be read, one that is
 * kept secret and one that the object does not have, with no buffer and with
 * buffers of all kinds of lengths; and all of them together.
 */
#include "check.h"

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE private, secret;
static CK_BYTE buffer[64];

enum { LABEL = sizeof "SCM slot 0" - 1 };

struct cell {
	const char *what;
	CK_ATTRIBUTE_TYPE type;
	void *value;
	CK_ULONG room;
	CK_RV rv;
	CK_ULONG length; /* what ulValueLen has to be afterwards */
};

static const struct cell cells[] = {
	{"readable, no buffer", CKA_LABEL, NULL, 0, CKR_OK, LABEL},
	{"readable, no buffer but a length", CKA_LABEL, NULL, 3, CKR_OK, LABEL},
	{"readable, no buffer but a huge length", CKA_LABEL, NULL, HUGE_LENGTH, CKR_OK, LABEL},
	{"readable, exact buffer", CKA_LABEL, buffer, LABEL, CKR_OK, LABEL},
	{"readable, long buffer", CKA_LABEL, buffer, sizeof buffer, CKR_OK, LABEL},
	{"readable, buffer said to be endless", CKA_LABEL, buffer, HUGE_LENGTH, CKR_OK, LABEL},
	{"readable, short buffer", CKA_LABEL, buffer, LABEL - 1, CKR_BUFFER_TOO_SMALL, UNAVAILABLE},
	{"readable, buffer of no length", CKA_LABEL, buffer, 0, CKR_BUFFER_TOO_SMALL, UNAVAILABLE},
	{"empty, no buffer", CKA_SUBJECT, NULL, 0, CKR_OK, 0},
	{"empty, buffer of no length", CKA_SUBJECT, buffer, 0, CKR_OK, 0},
	{"empty, long buffer", CKA_SUBJECT, buffer, sizeof buffer, CKR_OK, 0},
	{"secret, no buffer", CKA_VALUE, NULL, 0, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
	{"secret, short buffer", CKA_VALUE, buffer, 1, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
	{"secret, long buffer", CKA_VALUE, buffer, sizeof buffer, CKR_ATTRIBUTE_SENSITIVE, UNAVAILABLE},
	{"absent, no buffer", CKA_MODULUS, NULL, 0, CKR_ATTRIBUTE_TYPE_INVALID, UNAVAILABLE},
	{"absent, short buffer", CKA_MODULUS, buffer, 1, CKR_ATTRIBUTE_TYPE_INVALID, UNAVAILABLE},
	{"absent, long buffer", CKA_MODULUS, buffer, sizeof buffer, CKR_ATTRIBUTE_TYPE_INVALID, UNAVAILABLE},
	{"unknown, long buffer", 0x7ffffffe, buffer, sizeof buffer, CKR_ATTRIBUTE_TYPE_INVALID, UNAVAILABLE},
	{"a CK_ULONG, half its length", CKA_CLASS, buffer, sizeof(CK_ULONG) / 2, CKR_BUFFER_TOO_SMALL, UNAVAILABLE},
	{"a CK_BBOOL", CKA_TOKEN, buffer, sizeof buffer, CKR_OK, 1},
};

static void each(void)
{
	for (size_t i = 0; i < COUNT(cells); i++) {
		const struct cell *c = &cells[i];
		CK_ATTRIBUTE t = {c->type, c->value, c->room};
		memset(buffer, 0xEE, sizeof buffer);
		RV(c->what, f->C_GetAttributeValue(s, private, &t, 1), c->rv);
		IS(c->what, t.ulValueLen == c->length && t.type == c->type && t.pValue == c->value);
		IS("what did not fit was not written", c->rv == CKR_OK || buffer[0] == 0xEE);
		IS("nothing was written behind the value", c->length > sizeof buffer || c->length == 0 || buffer[sizeof buffer - 1] == 0xEE);
	}
}

/* together asks for all cells at once: every one of them must be answered. */
static void together(void)
{
	static CK_BYTE buffers[COUNT(cells)][64];
	CK_ATTRIBUTE t[COUNT(cells)];
	CK_RV rv;
	for (size_t i = 0; i < COUNT(cells); i++)
		t[i] = (CK_ATTRIBUTE){cells[i].type, cells[i].value ? buffers[i] : NULL, cells[i].room};
	rv = f->C_GetAttributeValue(s, private, t, COUNT(t));
	IS("the code is one of the three", rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL);
	for (size_t i = 0; i < COUNT(cells); i++)
		IS(cells[i].what, t[i].ulValueLen == cells[i].length);
	IS("a value behind failures was read", memcmp(buffers[4], "SCM slot 0", LABEL) == 0 && buffers[COUNT(cells) - 1][0] == CK_TRUE);
}

/* orders has the failing attribute in each place among three. */
static void orders(void)
{
	static const CK_ATTRIBUTE_TYPE bad[] = {CKA_VALUE, CKA_MODULUS};
	static const CK_RV want[] = {CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID};
	for (int b = 0; b < 2; b++) {
		for (int place = 0; place < 3; place++) {
			CK_ATTRIBUTE t[] = {{CKA_LABEL, NULL, 0}, {CKA_LABEL, NULL, 0}, {CKA_LABEL, NULL, 0}};
			t[place].type = bad[b];
			RV("one failure among three", f->C_GetAttributeValue(s, private, t, 3), want[b]);
			for (int i = 0; i < 3; i++)
				IS("each is answered", t[i].ulValueLen == (i == place ? UNAVAILABLE : LABEL));
		}
	}
}

/* secrets has secret keys that may and may not be read. */
static void secrets(void)
{
	static const struct { CK_BBOOL sensitive, extractable; CK_RV rv; } keys[] = {
		{CK_FALSE, CK_TRUE, CKR_OK},
		{CK_TRUE, CK_TRUE, CKR_ATTRIBUTE_SENSITIVE},
		{CK_FALSE, CK_FALSE, CKR_ATTRIBUTE_SENSITIVE},
		{CK_TRUE, CK_FALSE, CKR_ATTRIBUTE_SENSITIVE},
	};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	for (size_t i = 0; i < COUNT(keys); i++) {
		CK_BBOOL sensitive = keys[i].sensitive, extractable = keys[i].extractable;
		CK_BYTE value[16] = "sixteen bytes...";
		CK_ATTRIBUTE t[] = {
			{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_VALUE, value, sizeof value},
			{CKA_SENSITIVE, &sensitive, 1}, {CKA_EXTRACTABLE, &extractable, 1},
		};
		CK_ATTRIBUTE ask = {CKA_VALUE, buffer, sizeof buffer};
		must(f->C_CreateObject(s, t, COUNT(t), &secret));
		RV("the value of a secret key", f->C_GetAttributeValue(s, secret, &ask, 1), keys[i].rv);
		IS("its length", ask.ulValueLen == (keys[i].rv == CKR_OK ? sizeof value : UNAVAILABLE));
	}
}

static void arguments(void)
{
	CK_ATTRIBUTE t = {CKA_LABEL, NULL, 0};
	RV("no object", f->C_GetAttributeValue(s, 0, &t, 1), CKR_OBJECT_HANDLE_INVALID);
	RV("an unknown object", f->C_GetAttributeValue(s, 987654321, &t, 1), CKR_OBJECT_HANDLE_INVALID);
	RV("no template", f->C_GetAttributeValue(s, private, NULL, 1), CKR_ARGUMENTS_BAD);
	RV("a huge template at NULL", f->C_GetAttributeValue(s, private, NULL, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	RV("an empty template", f->C_GetAttributeValue(s, private, &t, 0), CKR_OK);
	RV("no session", f->C_GetAttributeValue(0, private, &t, 1), CKR_SESSION_HANDLE_INVALID);
}

int main(int argc, char **argv)
{
	load(argc, argv);
	token();
	s = user_session();
	private = slot_key(s, CKO_PRIVATE_KEY, 0);
	each();
	together();
	orders();
	secrets();
	arguments();
	return done();
}
