/* SPDX-License-Identifier: Apache-2.0 */

/* losses MODULE SCENARIO: children that have lost what their parents had, and what stays the same in them. */
#include <sys/resource.h>

#include "forks.h"

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	start_and_use();
}

static void descriptors_closed(void)
{
	start_and_use();
	in_child(close_all);
	use();
}

/* Some are left: many machines let a process have 1024. */
static void reuse_descriptors(void)
{
	for (int fd = 3; fd < 960; fd++)
		dup2(0, fd);
	start_and_use();
}

static void descriptors_reused(void)
{
	start_and_use();
	in_child(reuse_descriptors);
	use();
}

static void leave_root(void)
{
	CHECK(chroot(getenv("ZK_TEST_ROOT")) == 0 && chdir("/") == 0);
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(access("/proc/self", F_OK) != 0);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1);
}

/* ZK_TEST_ROOT is an empty directory. */
static void root_without_proc(void)
{
	start_and_use();
	in_child(leave_root);
	use();
}

static void leave_etc(void)
{
	CHECK(chroot(getenv("ZK_TEST_ROOT")) == 0 && chdir("/") == 0);
	start_and_use();
}

/* ZK_TEST_ROOT has nothing but the state of an SCM that is bound to this host for good. */
static void bound_without_etc(void)
{
	start_and_use();
	in_child(leave_etc);
	use();
}

static void no_descriptors(void)
{
	struct rlimit none = {0, 0};
	CK_ULONG n;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
}

static void copy_impossible(void)
{
	start_and_use();
	in_child(no_descriptors);
	use();
}

/* ---- what stays the same ----------------------------------------------------------------------- */

static struct {
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
} parent;

static void same_identity(void)
{
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetInfo(&info), CKR_OK);
	EXPECT(F->C_GetSlotInfo(0, &slot), CKR_OK);
	EXPECT(F->C_GetTokenInfo(0, &token), CKR_OK);
	CHECK(memcmp(&info, &parent.info, sizeof info) == 0);
	CHECK(memcmp(&slot, &parent.slot, sizeof slot) == 0);
	CHECK(memcmp(token.label, parent.token.label, 32 + 32 + 16 + 16) == 0);
}

static void identity(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetInfo(&parent.info), CKR_OK);
	EXPECT(F->C_GetSlotInfo(0, &parent.slot), CKR_OK);
	EXPECT(F->C_GetTokenInfo(0, &parent.token), CKR_OK);
	in_child(same_identity);
}

static void three_slots(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
}

static void three_slots_and_deeper(void)
{
	three_slots();
	in_child(three_slots);
}

static void settings_then_deeper(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
	CHECK(unlink(getenv("ZK_PKCS11_CONF")) == 0);
	in_child(three_slots_and_deeper);
}

/* ZK_PKCS11_CONF is a file with three slots, which goes away. */
static void settings_of_parent(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3); /* reads them */
	CHECK(unlink(getenv("ZK_PKCS11_CONF")) == 0);
	in_child(three_slots_and_deeper);
}

/* The same, but the first that read it was itself a child. */
static void settings_of_child(void)
{
	in_child(settings_then_deeper);
}

static const struct scenario scenarios[] = {
	{"descriptors-closed", descriptors_closed},
	{"descriptors-reused", descriptors_reused},
	{"root-without-proc", root_without_proc},
	{"bound-without-etc", bound_without_etc},
	{"copy-impossible", copy_impossible},
	{"identity", identity},
	{"settings-of-parent", settings_of_parent},
	{"settings-of-child", settings_of_child},
};

int main(int argc, char **argv) { return RUN_ONE(argc, argv, scenarios); }
