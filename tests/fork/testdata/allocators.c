/* SPDX-License-Identifier: Apache-2.0 */

/*
 * allocators MODULE SCENARIO: a host that brings an allocator of its own, as haproxy of Debian 13 does, and loads the module with
 * RTLD_DEEPBIND, as pkcs11-provider does. The module then has the C library's allocator, its copies in children
 * have the host's, and what comes from one must not get to the other.
 */
#include <errno.h>
#include <stdint.h>

#include "forks.h"

enum { MARK = 0x5A4B, ALIGNED = 64 };

typedef struct {
	size_t mark, size;
} head;

static char memory[512 << 20];
static size_t used;

static void *take(size_t alignment, size_t size)
{
	size_t at, next;
	do {
		at = __atomic_load_n(&used, __ATOMIC_RELAXED);
		next = at + size + sizeof(head) + alignment + ALIGNED;
		if (next > sizeof memory)
			return NULL;
	} while (!__atomic_compare_exchange_n(&used, &at, next, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	uintptr_t start = ((uintptr_t)memory + at + sizeof(head) + alignment - 1) / alignment * alignment;
	((head *)start)[-1] = (head){MARK, size};
	return (void *)start;
}

/* What is given back is looked at, and never used again: it is zero when it is taken. */
static head *owned(void *p)
{
	head *h = (head *)p - 1;
	if ((char *)p < memory || (char *)p >= memory + sizeof memory || h->mark != MARK) {
		static const char complaint[] = "the host's allocator gets memory that is none of its own\n";
		if (write(1, complaint, sizeof complaint - 1) < 0)
			_exit(2);
		_exit(1);
	}
	return h;
}

void *malloc(size_t size) { return take(ALIGNED, size); }
void *calloc(size_t n, size_t size) { return take(ALIGNED, n * size); }
void *memalign(size_t alignment, size_t size) { return take(alignment < ALIGNED ? ALIGNED : alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **p, size_t alignment, size_t size)
{
	*p = memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	if (p)
		owned(p);
}

void *realloc(void *p, size_t size)
{
	void *larger = malloc(size);
	if (p && larger) {
		size_t before = owned(p)->size;
		memcpy(larger, p, before < size ? before : size);
	}
	return larger;
}

static void sign(void)
{
	CK_BYTE signature[64];
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	MUST(try_sign(F, h, half(F, h, CKO_PRIVATE_KEY), signature));
	MUST(F->C_CloseAllSessions(0));
	MUST(F->C_Finalize(NULL));
	MUST(F->C_Initialize(NULL)); /* tells children of the settings once more */
	slots(F);
}

static void child(void)
{
	MUST(F->C_Initialize(NULL));
	sign();
}

static void parent_of_child(void)
{
	child();
	in_child(child);
}

int main(int argc, char **argv)
{
	void *library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	CHECK(library != NULL);
	MUST(((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&F));
	MUST(F->C_Initialize(NULL));
	sign();
	in_child(parent_of_child);
	sign();
	return 0;
}
