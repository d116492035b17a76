/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A libzk_app_utils.so that hands every call on to the one which ZK_FAKE_BELOW names, writes
 * the name of the function to the file of ZK_FAKE_CALLS, and answers in the ways that the
 * file of ZK_FAKE_WAYS lists, a word each. Those for single functions are in ways.c, and here
 *	zkX=CODE    zkX fails, and does nothing
 *	zkX~CODE    zkX does what it is to do, and fails
 *	...*N       so the first N calls of a process only
 *	slow=MS     each call takes so long
 *	dies=N      each context answers N calls, and then none
 *	alone       of two calls at once one is refused
 */
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zk_app_utils.h"

const char *way(const char *word);

static void *library;
static int calls = -1;
static const char *path;
static atomic_int inside, age;

__attribute__((constructor)) static void begin(void)
{
	const char *below = getenv("ZK_FAKE_BELOW"), *written = getenv("ZK_FAKE_CALLS");
	path = getenv("ZK_FAKE_WAYS");
	library = below ? dlopen(below, RTLD_NOW | RTLD_LOCAL) : NULL;
	calls = written ? open(written, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (!library || !path)
		errx(1, "nothing is below: %s", dlerror());
}

const char *way(const char *word)
{
	static _Thread_local char words[4096];
	size_t length = strlen(word);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? 0 : read(file, words, sizeof words - 1);
	close(file);
	words[n < 0 ? 0 : n] = 0;
	for (char *at = words; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, word, length) == 0)
			return at + length;
	return NULL;
}

/* The answer that a word gives to a call, 0 for none. count are the calls before. */
static int answer(const char *name, char how, int count)
{
	char word[80];
	snprintf(word, sizeof word, "%s%c", name, how);
	const char *code = way(word);
	const char *times = code ? strchr(code, '*') : NULL;
	if (!code || (times && times < strchrnul(code, '\n') && count >= atoi(times + 1)))
		return 0;
	return atoi(code);
}

static int enter(const char *name, int count)
{
	const char *n;
	if (calls >= 0)
		dprintf(calls, "%s\n", name);
	if ((n = way("slow=")))
		usleep(1000 * (useconds_t)atoi(n));
	if (strcmp(name, "zkOpen") == 0)
		age = 0;
	else if (age++ >= ((n = way("dies=")) ? atoi(n) : age))
		return -EIO;
	if (inside++ && way("alone"))
		return -EBUSY;
	return answer(name, '=', count);
}

#define HAND(NAME, PARAMETERS, ARGUMENTS) \
	int below##NAME PARAMETERS \
	{ \
		static int (*next) PARAMETERS, count; \
		int rc = enter("zk" #NAME, count), late = answer("zk" #NAME, '~', count); \
		count++; \
		if (!next) \
			*(void **)&next = dlsym(library, "zk" #NAME); \
		if (rc == 0) \
			rc = next ARGUMENTS; \
		inside--; \
		return late ? late : rc; \
	} \
	__attribute__((weak)) int zk##NAME PARAMETERS { return below##NAME ARGUMENTS; }
ZK_FUNCTIONS(HAND)
