/* SPDX-License-Identifier: Apache-2.0 */

/* forks MODULE SCENARIO: the module in forked children, with threads and children of their own. */
#define _GNU_SOURCE
#include <link.h>

#include "forks.h"

enum { THREADS = 8, DEPTH = 6, CYCLES = 20 };

static CK_FUNCTION_LIST_3_2 *newest; /* of the same module */

static void find_newest(void)
{
	void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	CK_INTERFACE *interface;
	CHECK(library);
	EXPECT(((CK_C_GetInterface)dlsym(library, "C_GetInterface"))(NULL, &(CK_VERSION){3, 2}, &interface, 0), CKR_OK);
	newest = interface->pFunctionList;
}

static void arguments(void)
{
	not_initialized();
	CK_C_INITIALIZE_ARGS a = {.pReserved = &a};
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = (CK_C_INITIALIZE_ARGS){.CreateMutex = (CK_CREATEMUTEX)(void *)not_initialized, .flags = CKF_OS_LOCKING_OK};
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = (CK_C_INITIALIZE_ARGS){.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS};
	EXPECT(F->C_Initialize(&a), CKR_NEED_TO_CREATE_THREADS);
	not_initialized();
	start_and_use();
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	EXPECT(newest->C_AsyncJoin(1, NULL, 0, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT(F->C_GetFunctionStatus(1), CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	not_initialized();
}

static void only_loaded(void)
{
	find_newest();
	in_child(arguments);
	not_initialized();
}

static void initialized(void)
{
	find_newest();
	start_and_use();
	in_child(arguments);
	use();
}

/* ---- threads of the child ---------------------------------------------------------------------- */

static pthread_barrier_t together;
static int winners;

static void *initialize_and_use(void *unused)
{
	pthread_barrier_wait(&together);
	CK_RV rv = F->C_Initialize(NULL);
	if (rv == CKR_OK)
		__atomic_add_fetch(&winners, 1, __ATOMIC_RELAXED);
	else
		EXPECT(rv, CKR_CRYPTOKI_ALREADY_INITIALIZED);
	use();
	return unused;
}

static void many_threads(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, initialize_and_use, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(winners == 1);
}

static void threads_of_child(void)
{
	start_and_use();
	in_child(many_threads);
	use();
}

/* ---- what is loaded ---------------------------------------------------------------------------- */

/* The name that a library has for itself. */
static const char *own_name(const struct dl_phdr_info *object)
{
	const ElfW(Phdr) *part = object->dlpi_phdr, *end = part + object->dlpi_phnum;
	while (part < end && part->p_type != PT_DYNAMIC)
		part++;
	ElfW(Addr) text = 0, name = 0;
	if (part == end)
		return "";
	for (const ElfW(Dyn) *d = (const ElfW(Dyn) *)(object->dlpi_addr + part->p_vaddr); d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB)
			text = d->d_un.d_ptr;
		else if (d->d_tag == DT_SONAME)
			name = d->d_un.d_val;
	if (text < object->dlpi_addr)
		text += object->dlpi_addr; /* the linker does so itself, on most processors */
	return name ? (const char *)text + name : "";
}

static int count_copy(struct dl_phdr_info *object, size_t size, void *n)
{
	const char *file = strstr(object->dlpi_name, "/libzk_pkcs11.");
	(void)size;
	if (strcmp(own_name(object), "libzk_app_utils.so") == 0)
		return 0; /* ours is in Go, and copies itself as the module does */
	if (strstr(object->dlpi_name, "/self/fd/") || (file && strcmp(file, "/libzk_pkcs11.so") != 0))
		++*(CK_ULONG *)n;
	return 0;
}

/* Counts the copies that the dynamic linker knows, living and dead. */
static CK_ULONG copies(void)
{
	CK_ULONG n = 0;
	dl_iterate_phdr(count_copy, &n);
	return n;
}

static void cycle(void)
{
	for (int i = 0; i < CYCLES; i++) {
		start_and_use();
		EXPECT(F->C_Finalize(NULL), CKR_OK);
	}
}

static void cycle_in_one_copy(void)
{
	cycle();
	EXPECT(copies(), 1);
}

static void one_copy_for_all_cycles(void)
{
	start_and_use();
	in_child(cycle_in_one_copy);
	EXPECT(copies(), 0);
}

static void cycle_in_no_copy(void)
{
	cycle();
	EXPECT(copies(), 0);
}

/* The children of a parent that never used the library need no copy of it, nor do theirs until one uses it. */
static void no_copy_of_the_unused(void)
{
	in_child(cycle_in_no_copy);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	in_child(cycle_in_no_copy);
	use();
	in_child(cycle_in_one_copy);
}

static CK_ULONG depth;

static void deeper(void)
{
	not_initialized();
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1); /* opens no descriptor, so that every generation gets the same for its copy */
	EXPECT(copies(), depth + 1); /* those of the ancestors stay mapped */
	if (++depth < DEPTH)
		in_child(deeper);
	use();
}

static void generations(void)
{
	start_and_use();
	in_child(deeper);
	use();
}

static CK_FUNCTION_LIST *G;

static void use_both(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1); /* opens no descriptor, so that both copies get the same */
	EXPECT(G->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(G->C_Initialize(NULL), CKR_OK);
	CHECK(slots(G) == 1);
	use();
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	CHECK(slots(G) == 1);
	EXPECT(copies(), 2);
}

/* ZK_TEST_SECOND is another file with the same library in it. */
static void two_images(void)
{
	G = load(getenv("ZK_TEST_SECOND"));
	CHECK(G != F);
	start_and_use();
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	EXPECT(G->C_Initialize(NULL), CKR_OK);
	CHECK(slots(G) == 1);
	EXPECT(G->C_Finalize(NULL), CKR_OK);
	in_child(use_both);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(G->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static const struct scenario scenarios[] = {
	{"only-loaded", only_loaded},
	{"initialized", initialized},
	{"threads", threads_of_child},
	{"one-copy-for-all-cycles", one_copy_for_all_cycles},
	{"no-copy-of-the-unused", no_copy_of_the_unused},
	{"generations", generations},
	{"two-images", two_images},
};

int main(int argc, char **argv) { return RUN_ONE(argc, argv, scenarios); }
