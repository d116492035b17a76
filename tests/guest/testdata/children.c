/* SPDX-License-Identifier: Apache-2.0 */

/* children MODULE SCENARIO: what forked children see of their parent's token, and what they must not. */
#include <ctype.h>
#include <grp.h>

#include "host.h"

/* ---- everything has the same name --------------------------------------------------------------------- */

/* What names a token and its objects, one after the other. */
struct names {
	size_t n;
	unsigned char bytes[1 << 16];
};

static void append(struct names *to, const void *bytes, size_t n)
{
	CHECK(to->n + n <= sizeof to->bytes);
	memcpy(to->bytes + to->n, bytes, n);
	to->n += n;
}

static void append_object(struct names *to, CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class = 0;
	CK_BYTE id[64], label[128], point[128];
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, sizeof id}, {CKA_LABEL, label, sizeof label}, {CKA_EC_POINT, point, sizeof point},
	};
	MUST(F->C_GetAttributeValue(h, object, t, 4));
	for (int i = 0; i < 4; i++)
		append(to, t[i].pValue, t[i].ulValueLen);
}

static void append_objects(struct names *to, CK_SESSION_HANDLE h)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE key = {CKA_LOCAL, &yes, sizeof yes};
	CK_OBJECT_HANDLE objects[64];
	CK_ULONG n;
	MUST(F->C_FindObjectsInit(h, &key, 1));
	MUST(F->C_FindObjects(h, objects, 64, &n));
	MUST(F->C_FindObjectsFinal(h));
	CHECK(n >= 32);
	append(to, &n, sizeof n);
	for (CK_ULONG i = 0; i < n; i++)
		append_object(to, h, objects[i]);
}

static void names(struct names *all)
{
	CK_INFO info;
	CK_SLOT_ID slots[4];
	CK_ULONG n = 4;
	CK_TOKEN_INFO token;
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	MUST(F->C_GetInfo(&info));
	MUST(F->C_GetSlotList(CK_FALSE, slots, &n));
	MUST(F->C_GetTokenInfo(0, &token));
	append(all, &info, sizeof info);
	append(all, slots, n * sizeof *slots);
	append(all, token.label, sizeof token.label + sizeof token.manufacturerID + sizeof token.model + sizeof token.serialNumber);
	append_objects(all, h);
}

static struct names parents, childs;

static void same_names(void)
{
	MUST(F->C_Initialize(NULL));
	names(&childs);
	CHECK(childs.n == parents.n && memcmp(childs.bytes, parents.bytes, parents.n) == 0);
}

static void same(void)
{
	MUST(F->C_Initialize(NULL));
	names(&parents);
	in_child(same_names);
}

/* ---- secrets of the parent's login ------------------------------------------------------------------- */

enum { LENGTH = 24, MASK = 0x5a };

static unsigned char masked[LENGTH]; /* the PIN, so that this copy is not found */

static int is_pin(const unsigned char *p)
{
	int i = 0;
	while (i < LENGTH && (p[i] ^ MASK) == masked[i])
		i++;
	return i == LENGTH;
}

/* Logs in with a PIN from standard input, and leaves no copy of it here. */
static void login_by_stdin(void)
{
	unsigned char pin[64];
	CK_BYTE signature[64];
	CK_SESSION_HANDLE h = session(F);
	ssize_t n = read(0, pin, sizeof pin);
	CHECK(n >= LENGTH);
	MUST(F->C_Login(h, CKU_USER, pin, n));
	for (int i = 0; i < LENGTH; i++)
		masked[i] = pin[i] ^ MASK;
	explicit_bzero(pin, sizeof pin);
	MUST(try_sign(F, h, half(F, h, CKO_PRIVATE_KEY), signature));
}

typedef void visitor(const unsigned char *from, const unsigned char *to, int wiped);

/* Shows all memory that can be written, and whether it is of the kind that is wiped on fork. */
static void visit_memory(visitor *visit)
{
	char line[4096], mode[8];
	unsigned long from = 0, to = 0, a, b;
	FILE *f = fopen("/proc/self/smaps", "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof line, f)) {
		if (!isupper((unsigned char)line[0]) && sscanf(line, "%lx-%lx %7s", &a, &b, mode) == 3)
			from = strncmp(mode, "rw", 2) == 0 && !strstr(line, "[v") ? a : b, to = b;
		else if (strncmp(line, "VmFlags:", 8) == 0)
			visit((unsigned char *)from, (unsigned char *)to, strstr(line, " wf") != NULL);
	}
	fclose(f);
}

static long pins, bytes_wiped, bytes_left;

/* By which the module notices that this is a child: it begins with numbers that are no secrets. */
static int is_fork_page(const unsigned char *from, const unsigned char *to)
{
	const unsigned char *p = from + 2 * sizeof(int) + sizeof(void *);
	if (from == to || *(const int *)from != 1)
		return 0;
	while (p < to && !*p)
		p++;
	return p == to;
}

static void look(const unsigned char *from, const unsigned char *to, int wiped)
{
	for (const unsigned char *p = from; p + LENGTH <= to; p++)
		pins += is_pin(p);
	if (!wiped || is_fork_page(from, to))
		return;
	for (const unsigned char *p = from; p < to; p++)
		*(*p ? &bytes_left : &bytes_wiped) += 1;
}

/* No PIN anywhere, and nothing but zeros where the parent keeps its keys. */
static void has_no_secrets(void)
{
	pins = bytes_wiped = bytes_left = 0;
	visit_memory(look);
	CHECK(pins == 0 && bytes_wiped > 0 && bytes_left == 0);
	MUST(F->C_Initialize(NULL));
	half(F, session(F), CKO_PUBLIC_KEY);
	pins = 0;
	visit_memory(look);
	CHECK(pins == 0);
}

static void no_secrets(void)
{
	MUST(F->C_Initialize(NULL));
	login_by_stdin();
	visit_memory(look);
	CHECK(pins == 0 && bytes_left > 0); /* the keys are there in the parent, the PIN not even here */
	in_child(has_no_secrets);
}

/* ---- a child that has lost nearly everything --------------------------------------------------------- */

static void leave(void)
{
	CHECK(chroot(getenv("ZK_TEST_ROOT")) == 0 && chdir("/") == 0);
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	if (getenv("ZK_TEST_CLOSE"))
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
	CHECK(access("/proc/self", F_OK) != 0);
	MUST(F->C_Initialize(NULL));
	work(F);
	MUST(F->C_Finalize(NULL));
}

static void leave_deeper(void)
{
	MUST(F->C_Initialize(NULL));
	work(F);
	in_child(leave);
}

static void jail(void)
{
	MUST(F->C_Initialize(NULL));
	work(F);
	in_child(leave);
	in_child(leave_deeper);
	CK_SESSION_HANDLE h = session(F);
	EXPECT(F->C_CloseSession(h), CKR_OK);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"same", same}, {"secrets", no_secrets}, {"jail", jail}};
	CHECK(argc == 3);
	alarm(120);
	return RUN_ONE(argc, argv, all);
}
