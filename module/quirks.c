/* SPDX-License-Identifier: Apache-2.0 */
#include "quirks.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

static int count(struct dl_phdr_info *info, size_t size, void *adds)
{
	*(unsigned long long *)adds = info->dlpi_adds;
	return 1; /* the same in every object */
}

unsigned long long zk_objects_loaded(void)
{
	unsigned long long adds = 0;
	dl_iterate_phdr(count, &adds);
	return adds;
}

/* libp11.so*, or pkcs11.so or libpkcs11.so in a directory of OpenSSL's engines */
static int is_libp11(const char *path)
{
	const char *name = strrchr(path, '/');
	name = name ? name + 1 : path;
	if (strncmp(name, "libp11.so", 9) == 0)
		return 1;
	return strstr(path, "/engines-") && (strcmp(name, "pkcs11.so") == 0 || strcmp(name, "libpkcs11.so") == 0);
}

static int contains(const struct dl_phdr_info *info, const char *text)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_R))
			continue;
		if (memmem((const char *)info->dlpi_addr + p->p_vaddr, p->p_memsz, text, strlen(text)))
			return 1;
	}
	return 0;
}

/*
 * 0.4.17 understands Ed25519 keys, and imports a function for it that earlier
 * versions have no use for. An engine without C_GetFunctionList in it leaves
 * the work to a libp11 that is an object of its own.
 */
static int look(struct dl_phdr_info *info, size_t size, void *found)
{
	if (is_libp11(info->dlpi_name) && contains(info, "C_GetFunctionList") &&
	    !contains(info, "EVP_PKEY_new_raw_public_key"))
		*(int *)found = 1;
	return 0;
}

int zk_old_libp11(void)
{
	int found = 0;
	dl_iterate_phdr(look, &found);
	return found;
}

/* by hand: a program with a sanitizer in it has the C library's functions mind the gaps between its variables */
__attribute__((no_sanitize("address"))) static int begins(const char *at, const char *end, const char *text)
{
	while (*text && at < end && *at == *text) {
		at++;
		text++;
	}
	return !*text;
}

/*
 * A program in Go tells by its build information with which modules it was built: a mark at a multiple of 16 bytes, and lines of text behind it.
 * No version of crypto11 up to 1.6.2 knows keys that are neither RSA nor EC.
 */
__attribute__((no_sanitize("address"))) static int names_crypto11(const char *at, const char *end)
{
	while (at < end && !begins(at, end, "\xff Go buildinf:"))
		at += 16;
	for (; at < end; at++)
		if (begins(at, end, "dep\tgithub.com/ThalesIgnite/crypto11\t") || begins(at, end, "dep\tgithub.com/ThalesGroup/crypto11\t"))
			return 1;
	return 0;
}

static int is_crypto11(struct dl_phdr_info *info, size_t size, void *found)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)info->dlpi_addr + p->p_vaddr, *end = at + p->p_filesz;
		if (p->p_type == PT_LOAD && (p->p_flags & (PF_R | PF_W)) == (PF_R | PF_W) &&
		    names_crypto11((const char *)(((uintptr_t)at + 15) & ~(uintptr_t)15), end))
			*(int *)found = 1;
	}
	return 1; /* the first object is the program */
}

int zk_has_crypto11(void)
{
	int found = 0;
	dl_iterate_phdr(is_crypto11, &found);
	return found;
}

static int is_p11_kit(struct dl_phdr_info *info, size_t size, void *found)
{
	const char *name = strrchr(info->dlpi_name, '/');
	name = name ? name + 1 : info->dlpi_name;
	if (strncmp(name, "libp11-kit.so", 13) == 0 || strncmp(name, "p11-kit-proxy.so", 16) == 0)
		*(int *)found = 1;
	return 0;
}

int zk_has_p11_kit(void)
{
	int found = 0;
	dl_iterate_phdr(is_p11_kit, &found);
	return found;
}

int zk_in_ssh_helper(void)
{
	return strcmp(program_invocation_short_name, "ssh-pkcs11-helper") == 0;
}

int zk_in_haproxy(void)
{
	return strcmp(program_invocation_short_name, "haproxy") == 0;
}
