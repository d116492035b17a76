/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Calls functions of the module at random, with arguments of which many are
 * wrong, for some seconds: fuzz MODULE SECONDS SEED THREADS JOURNAL [bad]. Every
 * answer must be one that the specification lists for the function. At the end
 * the token must work as before. With "bad" half of the calls have a pointer that leads
 * nowhere, and the answer may say so.
 *
 * The journal is a file that holds the latest call of each thread, for those who
 * find the program dead. The same seed makes the same calls, of one thread.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "template.h"

enum { THREADS = 16, LINE = 512, AGAIN = 400, ENOUGH = 40000 };

/* Each function: the pointer to it, and what is listed in codes.h. */
struct function {
	const char *name, *arguments;
	int weight, offset;
	CK_RV codes[32]; /* up to the first 0 behind the first */
};

#define ROW(NAME, ARGUMENTS, WEIGHT, ...) {#NAME, ARGUMENTS, WEIGHT, offsetof(CK_FUNCTION_LIST_3_2, C_##NAME), {__VA_ARGS__}},
#define NO_ROW(NAME, ARGUMENTS) {#NAME, ARGUMENTS, 1, offsetof(CK_FUNCTION_LIST_3_2, C_##NAME), {CKR_FUNCTION_NOT_SUPPORTED}},
static const struct function functions[] = {FUNCTIONS(ROW) UNSUPPORTED(NO_ROW)};
enum { N = sizeof functions / sizeof functions[0] };

static CK_FUNCTION_LIST_3_2 *f;
static uint64_t seed;
static time_t end;
static int bad;	    /* pointers */
static int running; /* threads */
static char *journal; /* THREADS lines of LINE bytes */
static CK_BYTE point_before[80];

/* thread is a caller and what it counts. */
struct thread {
	struct caller c;
	int number;
	long calls[N], ok[N], bad;
};

static struct thread threads[THREADS];

/* listed tells whether a function may answer with a code. */
static int listed(const struct function *x, CK_RV rv)
{
	if (bad && (rv == CKR_ARGUMENTS_BAD || rv == CKR_OK))
		return 1;
	for (int i = 0; i < 32 && (i == 0 || x->codes[i] || x->codes[i - 1]); i++)
		if (x->codes[i] == rv && (rv != CKR_OK || i == 0 || x->codes[i - 1]))
			return 1;
	return 0;
}

static void push_argument(struct caller *c, char kind)
{
	struct dice *d = &c->dice;
	static CK_UTF8CHAR blank[33] = "a label of 32 bytes             ";
	static const char *names[] = {"PKCS 11", "", "Vendor", "C_Sign"};
	CK_VERSION version = {roll(d, 4), roll(d, 2) ? roll(d, 4) : 40};
	switch (kind) {
	case 's': push(c, a_session(c)); break;
	case 'k': push(c, some(d, &c->objects, HANDLES)); break;
	case 'S': push(c, one_in(d, 8) ? number(d) : 0); break;
	case 'K': push(c, one_in(d, 8) ? some(d, &c->objects, HANDLES) : CK_INVALID_HANDLE); break;
	case 'M': push(c, mechanism_type(d, 'y')); break;
	case 'u': push(c, number(d)); break;
	case '1': push(c, roll(d, 3)); break;
	case 'U': push_user(c); break;
	case 'O': push(c, one_in(d, 8) ? number(d) : CKF_SERIAL_SESSION | (roll(d, 2) ? CKF_RW_SESSION : 0)); break;
	case 'E': push(c, CKF_DONT_BLOCK); break;
	case 'C': push(c, roll(d, 2) ? some(d, &c->objects, HANDLES) : CK_INVALID_HANDLE); break;
	case 'm': case 'h': case 'y': case 'r': case 'n': case 'a': case 'e': case 'l': case 'W': case 'v': push_mechanism(c, kind); break;
	case 'w': push_result(c); break;
	case 'z': push_pointer(c, one_in(d, 10) ? block(d, 64) : NULL); break;
	case 'N': push_pointer(c, one_in(d, 8) ? NULL : (void *)PICK(d, names)); break;
	case 'V': push_pointer(c, one_in(d, 3) ? NULL : copy(d, &version, sizeof version)); break;
	case 'L': push_pointer(c, one_in(d, 8) ? NULL : copy(d, blank, 32)); break;
	case 'I': push_init(c); break;
	case 'x': push_message(c); break;
	case 'd': push_data(c); break;
	case 'b': push_buffer(c, 1); break;
	case 'c': push_true_buffer(c); break;
	case 'B': push_buffer(c, sizeof(CK_INTERFACE)); break;
	case 'g': push_both(c, block(d, PAGE), roll(d, PAGE)); break;
	case 't': push_template(c); break;
	case 'G': push_new_public(c); break;
	case 'R': push_new_private(c); break;
	case 'T': push_new_secret(c); break;
	case 'q': push_query(c); break;
	case 'o': push_state(c); break;
	case 'P': push_pin(c); break;
	case 'H': push_handles(c); break;
	default: abort();
	}
}

/* misplace changes a pointer among the arguments from number at on, which a letter has pushed. */
static void misplace(struct caller *c, char kind, int at)
{
	struct dice *d = &c->dice;
	CK_ULONG *a = &c->arguments[at];
	int length_too = strchr("bcB", kind) && roll(d, 2);
	if (strchr("tGRTq", kind) && a[0] && a[1] && roll(d, 2))
		((CK_ATTRIBUTE *)a[0])[roll(d, a[1])].pValue = nowhere(d);
	else if (strchr("mhyrnaelWv", kind) && a[0] && ((CK_MECHANISM *)a[0])->ulParameterLen && roll(d, 2))
		((CK_MECHANISM *)a[0])->pParameter = nowhere(d);
	else if (strchr("mhyrnaelWvxwNVLIdgtGRTqoHbcB", kind))
		a[length_too] = (CK_ULONG)nowhere(d);
}

static void note(struct thread *t, const struct function *x)
{
	const CK_ULONG *a = t->c.arguments;
	snprintf(journal + t->number * LINE, LINE, "thread %d: C_%s(%lx, %lx, %lx, %lx, %lx, %lx, %lx, %lx, %lx, %lx)", t->number,
		 x->name, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
}

/* All arguments are integers or pointers, which the calling conventions of Linux pass alike. */
typedef CK_RV (*any)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

static CK_RV call(struct thread *t, const struct function *x)
{
	struct caller *c = &t->c;
	const CK_ULONG *a = c->arguments;
	any function = *(any *)((char *)f + x->offset);
	memset(c->arguments, 0, sizeof c->arguments);
	c->count = c->expected = 0;
	c->list = NULL;
	int some = bad && one_in(&c->dice, 2) ? (int)roll(&c->dice, strlen(x->arguments)) : -1;
	for (const char *kind = x->arguments; *kind; kind++) {
		int at = c->count;
		push_argument(c, *kind);
		if (kind == x->arguments + some)
			misplace(c, *kind, at);
	}
	note(t, x);
	return function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
}

static int is(const struct function *x, const char *name) { return strcmp(x->name, name) == 0; }

/* learn remembers what a call has given: handles, or a saved state. */
static void learn(struct caller *c, const struct function *x)
{
	if (bad && (is(x, "GetOperationState") || is(x, "FindObjects")))
		return;
	if (is(x, "FindObjects")) {
		for (CK_ULONG i = 0; c->list && c->results[0] && i < *c->results[0]; i++)
			remember(&c->objects, c->list[i]);
	} else if (is(x, "GetOperationState") && c->arguments[1]) {
		c->state_length = *(CK_ULONG *)c->arguments[2];
		memcpy(c->state, (void *)c->arguments[1], c->state_length);
	} else if (is(x, "OpenSession")) {
		remember(&c->sessions, *c->results[0]);
	} else if (is(x, "CreateObject") || is(x, "CopyObject") || is(x, "GenerateKey") || is(x, "UnwrapKey") || is(x, "GenerateKeyPair") || is(x, "DeriveKey")) {
		for (int i = 0; i < c->expected; i++)
			remember(&c->objects, *c->results[i]);
	}
}

/* prepare opens some sessions, logs the user in mostly, and looks what there is. */
static void prepare(struct caller *c)
{
	CK_OBJECT_HANDLE found[HANDLES];
	CK_SESSION_HANDLE s = 0;
	CK_ULONG n = 0;
	for (int i = 0; i < 4; i++)
		if (f->C_OpenSession(0, CKF_SERIAL_SESSION | (i % 2 ? CKF_RW_SESSION : 0), NULL, NULL, &s) == CKR_OK)
			remember(&c->sessions, s);
	c->session = s;
	if (one_in(&c->dice, 8))
		f->C_Logout(s);
	if (!one_in(&c->dice, 4))
		f->C_Login(s, CKU_USER, right_pin, PIN);
	f->C_FindObjectsInit(s, NULL, 0);
	f->C_FindObjects(s, found, HANDLES, &n);
	f->C_FindObjectsFinal(s);
	for (CK_ULONG i = 0; i < n; i++)
		remember(&c->objects, found[i]);
}

/* must ends the program when something fails that has to work. */
#define must(CALL) \
	do { \
		CK_RV must_rv = (CALL); \
		if (must_rv != CKR_OK) { \
			printf("%s: 0x%lx (seed %lu)\n", #CALL, must_rv, (unsigned long)seed); \
			exit(1); \
		} \
	} while (0)

/* pins gives both PINs their right value again, and their counts of failures 0. */
static void pins(void)
{
	CK_SESSION_HANDLE s;
	must(f->C_CloseAllSessions(0));
	must(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	must(f->C_Login(s, CKU_SO, right_pin, PIN));
	must(f->C_InitPIN(s, right_pin, PIN));
	must(f->C_CloseSession(s));
}

/* closes tells whether a function leaves no session open. */
static int closes(const struct function *x)
{
	return is(x, "Finalize") || is(x, "InitToken") || is(x, "CloseAllSessions");
}

/* aftermath puts right what would end the fun. */
static void aftermath(struct thread *t, const struct function *x, CK_RV rv)
{
	int closed = rv == CKR_PIN_INCORRECT || (rv == CKR_OK && closes(x));
	if (is(x, "Finalize") && rv == CKR_OK)
		must(f->C_Initialize(NULL));
	if (rv == CKR_PIN_INCORRECT || (is(x, "InitToken") && rv == CKR_OK))
		pins();
	if (rv == CKR_OK)
		learn(&t->c, x);
	if (closed)
		prepare(&t->c);
}

/* possible tells whether a function may be called now: not when other threads
 * would lose their sessions, and rarely when it is slow or closes everything. */
static int possible(struct caller *c, const struct function *x)
{
	static const char *only_alone[] = {"Initialize", "Finalize", "InitToken", "InitPIN", "SetPIN"};
	for (int i = 0; !c->alone && i < 5; i++)
		if (is(x, only_alone[i]))
			return 0;
	return (!strchr(x->arguments, 'P') && !closes(x)) || one_in(&c->dice, 10);
}

/* next chooses a function. */
static const struct function *next(struct caller *c)
{
	int total = 0, i = 0;
	for (int k = 0; k < N; k++)
		total += functions[k].weight;
	for (int at = roll(&c->dice, total); at >= functions[i].weight; i++)
		at -= functions[i].weight;
	return possible(c, &functions[i]) ? &functions[i] : next(c);
}

static void *run(void *argument)
{
	struct thread *t = argument;
	dice_init(&t->c.dice, seed + t->number);
	long enough = bad ? 0 : ENOUGH / running; /* also on a machine that is busy */
	for (long round = 0; time(NULL) < end || round < enough; round++) {
		if (round % AGAIN == 0)
			prepare(&t->c);
		const struct function *x = t->c.alone && round < N ? &functions[round] : next(&t->c); /* each once at least */
		CK_RV rv = call(t, x);
		t->calls[x - functions]++;
		t->ok[x - functions] += rv == CKR_OK;
		if (!listed(x, rv) && t->bad++ < 10)
			printf("bad 0x%lx of call %ld: %s\n", rv, round, journal + t->number * LINE);
		aftermath(t, x, rv);
	}
	return NULL;
}

/* works checks that a token does what it should: it signs with slot 0, whose key is the same as ever. */
static void works(void)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY, public = CKO_PUBLIC_KEY;
	CK_ULONG slot = 0, n, size = 64;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &private, sizeof private}, {CKA_ZK_SLOT, &slot, sizeof slot}};
	CK_MECHANISM m = {CKM_ECDSA_SHA256, NULL, 0};
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE keys[2];
	CK_BYTE signature[64], now[sizeof point_before] = {0};
	CK_ATTRIBUTE point = {CKA_EC_POINT, now, sizeof now};
	pins();
	must(f->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &s));
	must(f->C_Login(s, CKU_USER, right_pin, PIN));
	for (int i = 0; i < 2; i++) {
		t[0].pValue = i ? &public : &private;
		must(f->C_FindObjectsInit(s, t, 2));
		must(f->C_FindObjects(s, &keys[i], 1, &n));
		must(f->C_FindObjectsFinal(s));
	}
	must(f->C_GetAttributeValue(s, keys[1], &point, 1));
	if (!point_before[0])
		memcpy(point_before, now, sizeof now);
	if (memcmp(point_before, now, sizeof now) != 0)
		must(CKR_KEY_CHANGED);
	must(f->C_SignInit(s, &m, keys[0]));
	must(f->C_Sign(s, text, sizeof text, signature, &size));
	/* The attribute may have been set to false, and comes back with the next C_InitToken. */
	CK_RV rv = f->C_VerifyInit(s, &m, keys[1]);
	if (rv != CKR_KEY_FUNCTION_NOT_PERMITTED)
		must(rv);
	if (rv == CKR_OK)
		must(f->C_Verify(s, text, sizeof text, signature, size));
	must(f->C_CloseAllSessions(0));
}

/* report prints how often each function was called, and how often it did something. */
static long report(int count)
{
	long bad = 0;
	for (int i = 0; i < N; i++) {
		long calls = 0, ok = 0;
		for (int k = 0; k < count; k++) {
			calls += threads[k].calls[i];
			ok += threads[k].ok[i];
		}
		printf("C_%s %ld %ld\n", functions[i].name, calls, ok);
	}
	for (int k = 0; k < count; k++)
		bad += threads[k].bad;
	return bad;
}

static void open_journal(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, THREADS * LINE) != 0)
		abort();
	journal = mmap(NULL, THREADS * LINE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (journal == MAP_FAILED)
		abort();
}

static void open_module(const char *path)
{
	CK_C_GetInterface get;
	CK_INTERFACE_PTR interface;
	CK_VERSION version = {3, 2};
	CK_UTF8CHAR label[33] = "fuzz                            ";
	void *library = dlopen(path, RTLD_NOW);
	if (!library)
		abort();
	*(void **)&get = dlsym(library, "C_GetInterface");
	must(get(NULL, &version, &interface, 0));
	f = interface->pFunctionList;
	must(f->C_Initialize(NULL));
	must(f->C_InitToken(0, right_pin, PIN, label));
}

int main(int argc, char **argv)
{
	pthread_t ids[THREADS];
	if (argc != 6 && argc != 7)
		return 2;
	bad = argc == 7;
	int count = running = atoi(argv[4]);
	seed = strtoull(argv[3], NULL, 10);
	open_journal(argv[5]);
	open_module(argv[1]);
	works();
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < count; i++) {
		threads[i].number = i;
		threads[i].c.alone = count == 1;
		if (pthread_create(&ids[i], NULL, run, &threads[i]) != 0)
			abort();
	}
	for (int i = 0; i < count; i++)
		pthread_join(ids[i], NULL);
	works();
	return report(count) > 0;
}
