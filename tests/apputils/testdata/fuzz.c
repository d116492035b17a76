/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz LIBRARY SECONDS SEED THREADS: calls all functions at random, with
 * arguments of which many are wrong. The arguments are chosen by the types and
 * names in the table of functions. It prints for each function how often it was
 * called and how often it succeeded.
 *
 * Every function is called by one type: integers, pointers and floats have
 * places of their own among the arguments, on 64-bit machines.
 */
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "zk_app_utils.h"

enum { ARGUMENTS = 12, CONTEXTS = 8, ROOM = 1 << 16, NAME = 64, KINDS = 4 };

typedef int (*any_function)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
	uintptr_t, uintptr_t, uintptr_t, uintptr_t, float);

static struct function {
	const char *name, *parameters;
	any_function call;
	int calls, good;
} functions[] = {
#define ROW(NAME, PARAMETERS, ARGUMENTS) {"zk" #NAME, #PARAMETERS, NULL, 0, 0},
	ZK_FUNCTIONS(ROW)
#undef ROW
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static zkCTX contexts[CONTEXTS]; /* open ones and closed ones, shared by all threads */
static char endless[2 * ROOM];
static time_t end;

/* What one thread calls with. */
struct caller {
	unsigned seed;
	uint8_t read[KINDS][ROOM]; /* what is read: keys, locked data, signatures, the rest */
	uint8_t written[ROOM];     /* what is written to by the caller's own buffers */
	void *given[ARGUMENTS];    /* what the library gives */
	int takes[ARGUMENTS];      /* whether an argument is one of those */
};

static uint8_t *readable(struct caller *c, const char *name)
{
	if (strstr(name, "pk") || strstr(name, "pub"))
		return c->read[0];
	if (strstr(name, "_ct"))
		return c->read[1];
	return c->read[strstr(name, "sig") ? 2 : 3];
}

static unsigned draw(struct caller *c, unsigned n)
{
	return (unsigned)rand_r(&c->seed) % n;
}

static int number(struct caller *c, const char *name)
{
	static const int some[] = {-1, 0, 1, 2, 3, 14, 15, 16, 17, 18, 19, 20, 31, 32, 33, 64, 65, 127, 128, 527, 528, 1000, INT_MAX, INT_MIN};
	if (strstr(name, "rounds") || strstr(name, "num_iterations") || strstr(name, "timeout"))
		return (int[]){-1, 0, 1, 3, 20, 100}[draw(c, 6)] & (strstr(name, "timeout") ? 31 : -1);
	if (draw(c, 3) == 0)
		return some[draw(c, sizeof some / sizeof *some)];
	if (strstr(name, "_pt_sz"))
		return (int[]){4, 32, (int)draw(c, ROOM)}[draw(c, 3)];
	if (strstr(name, "_ct_sz"))
		return draw(c, 2) ? 88 : 120; /* of 4 and 32 bytes */
	if (strstr(name, "salt_sz") || strstr(name, "info_sz"))
		return (int)draw(c, 130);
	if (strstr(name, "key_sz") || strstr(name, "pk_sz") || strstr(name, "sig_sz"))
		return 64;
	if (strstr(name, "_sz") || strstr(name, "_size"))
		return (int[]){32, 64, 64, (int)draw(c, ROOM)}[draw(c, 4)];
	if (strstr(name, "type") || strstr(name, "channel") || strstr(name, "action") || strstr(name, "policy"))
		return (int)draw(c, 4);
	if (strstr(name, "count") || strstr(name, "threshold") || strstr(name, "exponent") || strstr(name, "index"))
		return (int)draw(c, 3);
	return (int)draw(c, 24);
}

static const char *text(struct caller *c, const char *name)
{
	static const char *const some[] = {"", "m", "m/0", "m/1'/2", "wallet", "other", "a", "b", "abandon ability", "/", "..", endless};
	if (draw(c, 8) == 0)
		return some[draw(c, sizeof some / sizeof *some)];
	if (strstr(name, "file"))
		return draw(c, 2) ? "a" : "b";
	if (strstr(name, "wallet"))
		return draw(c, 2) ? "wallet" : "other";
	if (strstr(name, "node"))
		return draw(c, 2) ? "m" : "m/0";
	return "";
}

static float measure(struct caller *c)
{
	static const float some[] = {-1000, -10, 0, 2.3f, 2.4f, 2.7f, 25, 65, 100, 1e30f, NAN, INFINITY};
	return some[draw(c, sizeof some / sizeof *some)];
}

/* A place for what the library gives, NULL now and then. */
static uintptr_t place(struct caller *c, int i)
{
	c->given[i] = NULL;
	c->takes[i] = draw(c, 20) != 0;
	return c->takes[i] ? (uintptr_t)&c->given[i] : 0;
}

/* A value for the parameter that is declared by the text. */
static uintptr_t argument(struct caller *c, int i, const char *declared)
{
	c->takes[i] = 0;
	if (strstr(declared, "**") || strstr(declared, "zkCTX *"))
		return place(c, i);
	if (strstr(declared, "zkCTX"))
		return draw(c, 50) ? (uintptr_t)contexts[draw(c, CONTEXTS)] : draw(c, 2) ? 0 : (uintptr_t)c;
	if (strstr(declared, "char *"))
		return draw(c, 20) ? (uintptr_t)text(c, declared) : 0;
	if (strstr(declared, "const uint8_t *") || strstr(declared, "*pk"))
		return draw(c, 20) ? (uintptr_t)readable(c, declared) : 0;
	if (strchr(declared, '*'))
		return draw(c, 20) ? (uintptr_t)(c->written + 64 * i) : 0;
	if (strstr(declared, "bool"))
		return strstr(declared, "precise") ? 0 : draw(c, 2);
	return (uintptr_t)number(c, declared);
}

/* Fills the arguments by the list of parameters, "(int a, char *b)". */
static void arguments(struct caller *c, const char *parameters, uintptr_t values[ARGUMENTS])
{
	const char *at = parameters + 1;
	for (int i = 0; i < ARGUMENTS; i++)
		values[i] = 0, c->takes[i] = 0;
	for (int i = 0; *at;) {
		char declared[NAME];
		size_t n = strcspn(at, ",)");
		snprintf(declared, sizeof declared, "%.*s", (int)n, at);
		if (!strstr(declared, "float") || strchr(declared, '*'))
			values[i] = argument(c, i, declared), i++;
		at += n + 1;
	}
}

/* Lets later calls work on what earlier ones have made. */
static void remember(struct caller *c, const char *name, void *given)
{
	uint8_t *to = strstr(name, "Export") ? c->read[0] : strstr(name, "Lock") ? c->read[1] : c->read[strstr(name, "Sig") ? 2 : 3];
	size_t n = malloc_usable_size(given);
	memcpy(to, given, n < ROOM ? n : ROOM);
}

/* Releases what was given, and checks that a failure gives nothing. */
static void take(struct caller *c, struct function *f, int rc)
{
	for (int i = 0; i < ARGUMENTS; i++) {
		if (!c->takes[i] || !c->given[i])
			continue;
		if (rc < 0 && (rc != -1 || !strstr(f->name, "SLIP39Member"))) {
			fprintf(stderr, "%s failed with %d and gave something\n", f->name, rc);
			abort();
		}
		if (strcmp(f->name, "zkOpen") == 0) {
			contexts[draw(c, CONTEXTS)] = c->given[i];
			continue;
		}
		remember(c, f->name, c->given[i]);
		free(c->given[i]);
	}
}

static void step(struct caller *c)
{
	struct function *f = &functions[draw(c, FUNCTIONS)];
	if (strcmp(f->name, "zkClose") == 0 && draw(c, 10))
		return; /* else there is nothing open most of the time */
	uintptr_t v[ARGUMENTS];
	arguments(c, f->parameters, v);
	int rc = f->call(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], measure(c));
	if (rc < -4095) {
		fprintf(stderr, "%s returned %d\n", f->name, rc);
		abort();
	}
	__atomic_add_fetch(&f->calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&f->good, rc >= 0, __ATOMIC_RELAXED);
	take(c, f, rc);
}

static void *run(void *seed)
{
	struct caller *c = calloc(1, sizeof *c);
	c->seed = *(unsigned *)seed;
	while (time(NULL) < end)
		step(c);
	free(c);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	for (int i = 0; i < FUNCTIONS; i++) {
		functions[i].call = library ? (any_function)dlsym(library, functions[i].name) : NULL;
		if (!functions[i].call) {
			fprintf(stderr, "%s: %s\n", functions[i].name, dlerror());
			return 1;
		}
	}
	memset(endless, 'x', sizeof endless - 1);
	end = time(NULL) + atoi(argv[2]);
	int threads = atoi(argv[4]);
	pthread_t thread[16];
	unsigned seed[16];
	for (int i = 0; i < threads; i++) {
		seed[i] = (unsigned)atoi(argv[3]) + (unsigned)i;
		if (pthread_create(&thread[i], NULL, run, &seed[i]) != 0)
			return 1;
	}
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < FUNCTIONS; i++)
		printf("%s %d %d\n", functions[i].name, functions[i].calls, functions[i].good);
	return 0;
}
