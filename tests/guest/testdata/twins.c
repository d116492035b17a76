/* SPDX-License-Identifier: Apache-2.0 */

/* twins MODULE use ANOTHER: two files with the same library in one process, on one SCM. */
#include "host.h"

enum { OBJECTS = 150 };

static CK_FUNCTION_LIST *G;
static const char *second;

static CK_OBJECT_HANDLE make(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, int value)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, 1}, {CKA_VALUE, &value, sizeof value}};
	CK_OBJECT_HANDLE object;
	MUST(f->C_CreateObject(h, t, 3, &object));
	return object;
}

/* Counts the data objects with a value, or all with a negative one. */
static CK_ULONG count(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, int value)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_VALUE, &value, sizeof value}};
	CK_OBJECT_HANDLE objects[4 * OBJECTS];
	CK_ULONG n;
	MUST(f->C_FindObjectsInit(h, t, value < 0 ? 1 : 2));
	MUST(f->C_FindObjects(h, objects, 4 * OBJECTS, &n));
	MUST(f->C_FindObjectsFinal(h));
	return n;
}

/* What one twin writes, the other sees at once. */
static void take_turns(CK_SESSION_HANDLE a, CK_SESSION_HANDLE b)
{
	for (int i = 0; i < OBJECTS; i++) {
		CK_OBJECT_HANDLE object = make(i % 2 ? F : G, i % 2 ? a : b, i);
		CHECK(count(F, a, i) == 1 && count(G, b, i) == 1);
		if (i % 3 == 0) {
			MUST((i % 2 ? F : G)->C_DestroyObject(i % 2 ? a : b, object));
			CHECK(count(F, a, i) == 0 && count(G, b, i) == 0);
		}
	}
}

static void *write_many(void *list)
{
	CK_FUNCTION_LIST *f = list;
	CK_SESSION_HANDLE h = session(f);
	for (int i = 0; i < OBJECTS; i++)
		make(f, h, 1000 + i);
	return NULL;
}

static void at_the_same_time(void)
{
	pthread_t one, other;
	CHECK(pthread_create(&one, NULL, write_many, F) == 0 && pthread_create(&other, NULL, write_many, G) == 0);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
}

static void use(void)
{
	enum { LEFT = OBJECTS - OBJECTS / 3 + 2 * OBJECTS };
	CHECK((G = load(second)) != F);
	MUST(F->C_Initialize(NULL));
	EXPECT(G->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	MUST(G->C_Initialize(NULL));
	CK_SESSION_HANDLE a = session(F), b = session(G);
	login(F, a);
	login(G, b);
	take_turns(a, b);
	at_the_same_time();
	CHECK(count(F, a, -1) == LEFT && count(G, b, -1) == LEFT);
	MUST(F->C_Finalize(NULL));
	CHECK(count(G, b, -1) == LEFT);
	MUST(G->C_Logout(b));
	work(G);
	MUST(G->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"use", use}};
	CHECK(argc == 4);
	alarm(60);
	second = argv[3];
	return RUN_ONE(argc, argv, all);
}
