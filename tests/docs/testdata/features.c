/* SPDX-License-Identifier: Apache-2.0 */

/*
 * features MODULE OBJECTS: prints what a module has, by asking it.
 *
 *   function NAME 1|0      whether it is there, and does not answer CKR_FUNCTION_NOT_SUPPORTED
 *   mechanism TYPE FLAGS MIN MAX
 *   object NAME RV         of C_CreateObject for the token, CKR_GENERAL_ERROR if it is not found afterwards
 *   class NUMBER COUNT     how many objects of the class the new token has
 *
 * OBJECTS is a file of templates: a name, then TYPE=VALUE in hexadecimal numbers, one object a line.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11.h"

enum { PIN = 8, ATTRIBUTES = 16, OBJECTS = 200, LINE = 1 << 16, NO_SLOT = 0x7fffffff };

static CK_UTF8CHAR user_pin[] = "12345678", so_pin[] = "87654321", label[33] = "features                        ";
static CK_FUNCTION_LIST_3_2 f;
static CK_SLOT_ID slot;

#define MUST(CALL) must(CALL, #CALL)

static void must(CK_RV rv, const char *call)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s: 0x%lx\n", call, rv);
	exit(1);
}

/* Takes the newest list of functions that the module has. What is not in it stays NULL. */
static void load(const char *module)
{
	void *library = dlopen(module, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	CK_C_GetInterface get;
	*(void **)&get = dlsym(library, "C_GetInterface");
	CK_VERSION versions[] = {{3, 2}, {3, 0}};
	size_t sizes[] = {sizeof(CK_FUNCTION_LIST_3_2), sizeof(CK_FUNCTION_LIST_3_0)};
	for (int i = 0; get && i < 2; i++) {
		CK_INTERFACE_PTR interface;
		if (get((CK_UTF8CHAR_PTR)"PKCS 11", &versions[i], &interface, 0) == CKR_OK) {
			memcpy(&f, interface->pFunctionList, sizes[i]);
			return;
		}
	}
	CK_C_GetFunctionList old;
	CK_FUNCTION_LIST_PTR list;
	*(void **)&old = dlsym(library, "C_GetFunctionList");
	MUST(old(&list));
	memcpy(&f, list, sizeof *list);
}

static CK_SESSION_HANDLE session(void)
{
	CK_SESSION_HANDLE s;
	MUST(f.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	return s;
}

static CK_SESSION_HANDLE user(void)
{
	CK_SESSION_HANDLE s = session();
	MUST(f.C_Login(s, CKU_USER, user_pin, PIN));
	return s;
}

/* A module may give the token another slot once it is initialised. */
static void token(void)
{
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	MUST(f.C_GetSlotList(CK_TRUE, slots, &n));
	MUST(f.C_InitToken(slots[0], so_pin, PIN, label));
	n = 16;
	MUST(f.C_GetSlotList(CK_TRUE, slots, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;
		MUST(f.C_GetTokenInfo(slots[i], &info));
		if (!memcmp(info.label, label, sizeof info.label))
			slot = slots[i];
	}
	CK_SESSION_HANDLE s = session();
	MUST(f.C_Login(s, CKU_SO, so_pin, PIN));
	MUST(f.C_InitPIN(s, user_pin, PIN));
	MUST(f.C_CloseSession(s));
}

static void mechanisms(void)
{
	CK_MECHANISM_TYPE list[1024];
	CK_ULONG n = 1024;
	MUST(f.C_GetMechanismList(slot, list, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		CK_MECHANISM_INFO info;
		MUST(f.C_GetMechanismInfo(slot, list[i], &info));
		printf("mechanism 0x%lx 0x%lx %lu %lu\n", list[i], info.flags, info.ulMinKeySize, info.ulMaxKeySize);
	}
}

static CK_ULONG find(CK_SESSION_HANDLE s, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG size)
{
	CK_ATTRIBUTE t = {type, value, size};
	CK_OBJECT_HANDLE found[64];
	CK_ULONG n = 0;
	MUST(f.C_FindObjectsInit(s, &t, 1));
	MUST(f.C_FindObjects(s, found, 64, &n));
	MUST(f.C_FindObjectsFinal(s));
	return n;
}

static void classes(void)
{
	static CK_OBJECT_CLASS list[] = {CKO_HW_FEATURE, CKO_MECHANISM, CKO_PROFILE, CKO_VALIDATION};
	CK_SESSION_HANDLE s = user();
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		printf("class 0x%lx %lu\n", list[i], find(s, CKA_CLASS, &list[i], sizeof list[i]));
	MUST(f.C_CloseSession(s));
}

/* Reads TYPE=VALUE in place, and returns the end of it. */
static char *attribute(CK_ATTRIBUTE *a, char *text)
{
	a->type = strtoul(text, &text, 16);
	CK_BYTE *out = (CK_BYTE *)text;
	a->pValue = out;
	for (text++; *text && *text != ' '; text += 2) {
		char digits[3] = {text[0], text[1], 0};
		*out++ = strtoul(digits, NULL, 16);
	}
	a->ulValueLen = out - (CK_BYTE *)a->pValue;
	return text;
}

static CK_RV create(CK_SESSION_HANDLE s, char *name, char *attributes)
{
	static CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t[ATTRIBUTES] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_LABEL, name, strlen(name)}};
	CK_ULONG n = 2;
	while (*attributes) {
		attributes = attribute(&t[n++], attributes);
		attributes += *attributes == ' ';
	}
	CK_OBJECT_HANDLE o;
	return f.C_CreateObject(s, t, n, &o);
}

/* Goes through the file twice: another login has to find what was created. */
static void objects(const char *file)
{
	static char line[LINE];
	CK_RV results[OBJECTS];
	FILE *in = fopen(file, "r");
	if (!in)
		exit(1);
	CK_SESSION_HANDLE s = user();
	for (int i = 0; i < OBJECTS && fgets(line, sizeof line, in); i++) {
		line[strcspn(line, "\n")] = 0;
		char *attributes = strchr(line, ' ');
		*attributes++ = 0;
		results[i] = create(s, line, attributes);
	}
	MUST(f.C_CloseSession(s));
	s = user();
	rewind(in);
	for (int i = 0; i < OBJECTS && fgets(line, sizeof line, in); i++) {
		*strchr(line, ' ') = 0;
		if (results[i] == CKR_OK && find(s, CKA_LABEL, line, strlen(line)) == 0)
			results[i] = CKR_GENERAL_ERROR;
		printf("object %s 0x%lx\n", line, results[i]);
	}
	MUST(f.C_CloseSession(s));
	fclose(in);
}

/* All functions take numbers and pointers, which go the same way; those that take fewer do not see the rest. */
typedef CK_RV (*any)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

/* What a function is given first that takes no session: nothing that it does something with. */
static const struct {
	const char *name;
	CK_ULONG first;
} others[] = {
	{"Initialize", 0}, {"Finalize", NO_SLOT}, {"GetInfo", 0}, {"GetFunctionList", 0}, {"GetSlotList", 0}, {"GetSlotInfo", NO_SLOT},
	{"GetTokenInfo", NO_SLOT}, {"GetMechanismList", NO_SLOT}, {"GetMechanismInfo", NO_SLOT}, {"InitToken", NO_SLOT}, {"OpenSession", NO_SLOT},
	{"CloseAllSessions", NO_SLOT}, {"WaitForSlotEvent", CKF_DONT_BLOCK}, {"GetInterfaceList", 0}, {"GetInterface", 0},
};

static void function(const char *name, void *pointer)
{
	CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;
	if (pointer) {
		any call;
		memcpy(&call, &pointer, sizeof call);
		CK_SESSION_HANDLE s = session();
		CK_ULONG first = s;
		for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
			if (!strcmp(name, others[i].name))
				first = others[i].first;
		rv = call(first, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		f.C_CloseSession(s);
	}
	printf("function %s %d\n", name, rv != CKR_FUNCTION_NOT_SUPPORTED);
}

#define FUNCTION(NAME, PARAMETERS) memcpy(&pointer, &f.C_##NAME, sizeof pointer), function(#NAME, pointer);

int main(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	load(argv[1]);
	MUST(f.C_Initialize(NULL));
	token();
	mechanisms();
	classes();
	objects(argv[2]);
	void *pointer;
	CK_FUNCTIONS_2_40(FUNCTION)
	CK_FUNCTIONS_3_0(FUNCTION)
	CK_FUNCTIONS_3_2(FUNCTION)
	return f.C_Finalize(NULL) != CKR_OK;
}
