/* SPDX-License-Identifier: Apache-2.0 */

/* apart MODULE SCENARIO: the module is in a name space of its own, with a C library that sees no fork of the host. */
#include "guest.h"

static void load_apart(void)
{
	void *library = dlmopen(LM_ID_NEWLM, module, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(1);
	}
	MUST(((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&F));
}

static void use_once(void)
{
	CK_RV rv = initialize();
	CHECK(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
	MUST(use_all());
}

/* Without C_Initialize in the child: what the parent had is not there, or it is all there. */
static void use_at_once(void)
{
	CK_RV rv = use_all();
	CHECK(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED);
	use_once();
}

/* Children, and theirs, with and without C_Initialize. */
static void fork_again(void)
{
	use_once();
	in_child(use_at_once);
	in_child(use_once);
	use_once();
}

static void used(void)
{
	load_apart();
	use_once();
	in_child(use_at_once);
	in_child(fork_again);
	use_once();
	MUST(F->C_Finalize(NULL));
}

static void loaded(void)
{
	load_apart();
	in_child(use_once);
	use_once();
	in_child(use_once);
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"used", used}, {"loaded", loaded}};
	CHECK(argc == 3);
	return RUN_BARE(argc, argv, all);
}
