/* SPDX-License-Identifier: Apache-2.0 */

/*
 * client MODULE: each line of the standard input is a command. It is answered by one line: the code of the first
 * call that failed, the nanoseconds that the command took, and words that it has found.
 */
#include <stdatomic.h>
#include <time.h>

#include "host.h"

static CK_SESSION_HANDLE current;
static CK_OBJECT_HANDLE key, public_key; /* to sign and verify with */
static FILE *words; /* of the answer */

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

#define TRY(CALL) \
	do { \
		CK_RV rv_ = (CALL); \
		if (rv_ != CKR_OK) \
			return rv_; \
	} while (0)

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_until(long long moment)
{
	struct timespec t = {moment / 1000000000LL, moment % 1000000000LL};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static CK_OBJECT_CLASS class_of(const char *name)
{
	return strcmp(name, "data") == 0 ? CKO_DATA : strcmp(name, "private") == 0 ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
}

/* ---- sessions and PINs -------------------------------------------------------------------------- */

static CK_RV initialize(char **a) { (void)a; return F->C_Initialize(NULL); }
static CK_RV log_out(char **a) { (void)a; return F->C_Logout(current); }

static CK_RV open_session(char **a)
{
	(void)a;
	return F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &current);
}

static CK_RV log_in(char **a)
{
	return F->C_Login(current, CKU_USER, (CK_UTF8CHAR *)a[0], strlen(a[0]));
}

static CK_RV set_pin(char **a)
{
	return F->C_SetPIN(current, (CK_UTF8CHAR *)a[0], strlen(a[0]), (CK_UTF8CHAR *)a[1], strlen(a[1]));
}

/* Reports whether the token tells that wrong PINs were given. */
static CK_RV pin_count_low(char **a)
{
	(void)a;
	CK_TOKEN_INFO info;
	TRY(F->C_GetTokenInfo(0, &info));
	fprintf(words, " %d", (info.flags & CKF_USER_PIN_COUNT_LOW) != 0);
	return CKR_OK;
}

/* sessions COUNT: opens and closes a session again and again. */
static CK_RV sessions(char **a)
{
	for (long i = atol(a[0]); i > 0; i--) {
		CK_SESSION_HANDLE h;
		TRY(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h));
		TRY(F->C_CloseSession(h));
	}
	return CKR_OK;
}

/* ---- finding ------------------------------------------------------------------------------------ */

static CK_RV find(CK_ATTRIBUTE *wanted, CK_ULONG attributes, CK_OBJECT_HANDLE *found, CK_ULONG room, CK_ULONG *n)
{
	TRY(F->C_FindObjectsInit(current, wanted, attributes));
	CK_RV rv = F->C_FindObjects(current, found, room, n);
	CK_RV end = F->C_FindObjectsFinal(current);
	return rv != CKR_OK ? rv : end;
}

/* Finds the object of a class with a label. One that is not there is CKR_OBJECT_HANDLE_INVALID, as one that has just gone. */
static CK_RV find_one(const char *class_name, char *label, CK_OBJECT_HANDLE *object)
{
	CK_OBJECT_CLASS class = class_of(class_name);
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, strlen(label)}};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 0;
	TRY(find(t, 2, found, 2, &n));
	if (n > 1)
		return CKR_GENERAL_ERROR;
	*object = found[0];
	return n == 1 ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

/* Adds an attribute to the words of the answer, without blanks. */
static CK_RV tell(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, char before)
{
	char text[4096];
	CK_ATTRIBUTE t = {type, text, sizeof text - 1};
	TRY(F->C_GetAttributeValue(current, object, &t, 1));
	text[t.ulValueLen] = 0;
	for (char *c = strchr(text, ' '); c; c = strchr(c, ' '))
		*c = '_';
	fprintf(words, "%c%s", before, text);
	return CKR_OK;
}

/* look CLASS LABEL: tells how many there are, and the value of one. */
static CK_RV look(char **a)
{
	CK_OBJECT_HANDLE object;
	CK_RV rv = find_one(a[0], a[1], &object);
	if (rv == CKR_OK && class_of(a[0]) == CKO_DATA)
		rv = tell(object, CKA_VALUE, ' ');
	return rv;
}

/* Tells of all objects of a class, and counts those that have gone since they were found. */
static CK_RV list_once(CK_OBJECT_CLASS class, int *gone)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}};
	static CK_OBJECT_HANDLE found[20000];
	CK_ULONG n = 0;
	TRY(find(t, 1, found, 20000, &n));
	*gone = 0;
	for (CK_ULONG i = 0; i < n; i++) {
		CK_RV rv = tell(found[i], CKA_LABEL, ' ');
		if (rv == CKR_OBJECT_HANDLE_INVALID) {
			++*gone;
			continue;
		}
		TRY(rv);
		if (class == CKO_DATA && (rv = tell(found[i], CKA_VALUE, '=')) != CKR_OBJECT_HANDLE_INVALID)
			TRY(rv);
	}
	return CKR_OK;
}

/*
 * list CLASS: tells of all objects LABEL, or LABEL=VALUE of data. When one goes meanwhile all are looked for anew: it may have moved between a
 * key slot and the store, and have another handle. After ten searches it is left out.
 */
static CK_RV list(char **a)
{
	long start = ftell(words);
	int gone = 1;
	for (int searches = 0; gone > 0 && searches < 10; searches++) {
		if (fseek(words, start, SEEK_SET) != 0)
			return CKR_FUNCTION_FAILED;
		TRY(list_once(class_of(a[0]), &gone));
	}
	return CKR_OK;
}

/* ---- changes ------------------------------------------------------------------------------------ */

static CK_RV make_data(char *label, void *value, CK_ULONG size, int private, int on_token, CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *object)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, on_token ? &yes : &no, 1}, {CKA_PRIVATE, private ? &yes : &no, 1},
		{CKA_LABEL, label, strlen(label)}, {CKA_VALUE, value, size},
	};
	return F->C_CreateObject(h, t, 5, object);
}

/* create LABEL VALUE PRIVATE */
static CK_RV create(char **a)
{
	CK_OBJECT_HANDLE object;
	return make_data(a[0], a[1], strlen(a[1]), atoi(a[2]), 1, current, &object);
}

/* stuff LABEL SIZE: makes an object that takes room. */
static CK_RV stuff(char **a)
{
	static char value[1 << 20];
	CK_OBJECT_HANDLE object;
	return make_data(a[0], value, atol(a[1]), 0, 1, current, &object);
}

/* fill FIRST END: makes objects, every other one private. */
static CK_RV fill(char **a)
{
	char label[32], value[] = "some sixty bytes, which is about what a small object may hold";
	CK_OBJECT_HANDLE object;
	for (long i = atol(a[0]); i < atol(a[1]); i++) {
		snprintf(label, sizeof label, "filler-%ld", i);
		TRY(make_data(label, value, sizeof value, i % 2, 1, current, &object));
	}
	return CKR_OK;
}

/* own COUNT: makes public session objects of another session. */
static CK_RV own(char **a)
{
	CK_SESSION_HANDLE other;
	CK_OBJECT_HANDLE object;
	TRY(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &other));
	for (long i = atol(a[0]); i > 0; i--)
		TRY(make_data("own", "value", 5, 0, 0, other, &object));
	return CKR_OK;
}

static CK_RV make_pair(char *label, CK_SESSION_HANDLE h, CK_OBJECT_HANDLE half[2])
{
	static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_ULONG n = strlen(label);
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1}, {CKA_LABEL, label, n}, {CKA_ID, label, n}, {CKA_EC_PARAMS, p256, sizeof p256}};
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	return F->C_GenerateKeyPair(h, &m, public, 4, public, 3, &half[0], &half[1]);
}

/* pair LABEL: makes a key pair on the token. */
static CK_RV pair(char **a)
{
	CK_OBJECT_HANDLE half[2];
	return make_pair(a[0], current, half);
}

/* set LABEL VALUE */
static CK_RV set(char **a)
{
	CK_OBJECT_HANDLE object;
	CK_ATTRIBUTE t = {CKA_VALUE, a[1], strlen(a[1])};
	TRY(find_one("data", a[0], &object));
	return F->C_SetAttributeValue(current, object, &t, 1);
}

/* destroy CLASS LABEL */
static CK_RV destroy(char **a)
{
	CK_OBJECT_HANDLE object;
	TRY(find_one(a[0], a[1], &object));
	return F->C_DestroyObject(current, object);
}

/* change MILLISECONDS RATE: changes the token so often a second, and tells how often it did. */
static CK_RV change(char **a)
{
	long rate = atol(a[1]), done = 0;
	long long start = now(), end = start + atol(a[0]) * 1000000LL;
	for (; now() < end; done++) {
		if (done % 2 == 0)
			TRY(create((char *[]){"changing", "value", "0"}));
		else
			TRY(destroy((char *[]){"data", "changing"}));
		pause_until(start + (done + 1) * 1000000000LL / rate);
	}
	fprintf(words, " %ld", done);
	return done % 2 ? destroy((char *[]){"data", "changing"}) : CKR_OK;
}

/* ---- signing ------------------------------------------------------------------------------------ */

/* key: finds the key pair to sign and verify with, and has it in memory. */
static CK_RV find_key(char **a)
{
	(void)a;
	CK_BYTE signature[64];
	TRY(find_one("private", "SCM slot 0", &key));
	TRY(find_one("public", "SCM slot 0", &public_key));
	return try_sign(F, current, key, signature);
}

/* sign MILLISECONDS PAUSE: signs so long, at least once, with pauses of microseconds. It tells how many signatures
 * failed and the nanoseconds that each took. The code is that of the last failure. The last signature must be right. */
static CK_RV sign(char **a)
{
	static long long took[1 << 20];
	CK_BYTE signature[64];
	CK_RV failure = CKR_OK;
	long n = 0, failed = 0;
	long long end = now() + atol(a[0]) * 1000000LL;
	do {
		long long start = now();
		CK_RV rv = try_sign(F, current, key, signature);
		took[n++] = now() - start;
		if (rv != CKR_OK) {
			failure = rv;
			failed++;
		}
		if (atol(a[1]) > 0)
			usleep(atol(a[1]));
	} while (now() < end && n < 1 << 20);
	fprintf(words, " %ld", failed);
	for (long i = 0; i < n; i++)
		fprintf(words, " %lld", took[i]);
	return failure != CKR_OK ? failure : try_verify(F, current, public_key, signature);
}

/* prove LABEL: the two halves belong together. */
static CK_RV prove(char **a)
{
	CK_OBJECT_HANDLE private, public;
	CK_BYTE signature[64];
	TRY(find_one("private", a[0], &private));
	TRY(find_one("public", a[0], &public));
	TRY(try_sign(F, current, private, signature));
	return try_verify(F, current, public, signature);
}

/* ---- threads that change the token at the same time --------------------------------------------- */

enum { THREADS = 8 };

/* One thread, with a session of its own. */
static struct worker {
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object[2];
	char label[64];
	CK_RV rv;
	long long took;
} workers[THREADS];

static pthread_barrier_t gathered;
static atomic_int at_work;

static CK_RV ready_data(struct worker *w) { return make_data(w->label, "value", 5, 0, 1, w->session, w->object); }
static CK_RV ready_pair(struct worker *w) { return make_pair(w->label, w->session, w->object); }
static CK_RV ready_nothing(struct worker *w) { (void)w; return CKR_OK; }


static CK_RV work_set(struct worker *w)
{
	CK_ATTRIBUTE t = {CKA_LABEL, "named anew", 10};
	return F->C_SetAttributeValue(w->session, w->object[0], &t, 1);
}

static CK_RV work_destroy(struct worker *w) { return F->C_DestroyObject(w->session, w->object[0]); }
static CK_RV work_destroy_key(struct worker *w) { return F->C_DestroyObject(w->session, w->object[1]); }

/* What each thread needs, and what it does. */
static const struct {
	const char *name;
	CK_RV (*ready)(struct worker *), (*change)(struct worker *);
} roles[THREADS] = {
	{"create", ready_nothing, ready_data}, {"set", ready_data, work_set}, {"destroy", ready_data, work_destroy},
	{"pair", ready_nothing, ready_pair}, {"set-key", ready_pair, work_set}, {"destroy-key", ready_pair, work_destroy_key},
	{"pair", ready_nothing, ready_pair}, {"create", ready_nothing, ready_data},
};

/* ready LABEL: makes what the threads of "together" are to change. */
static CK_RV ready(char **a)
{
	for (int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];
		if (!w->session)
			TRY(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &w->session));
		snprintf(w->label, sizeof w->label, "%s-%d", a[0], i);
		TRY(roles[i].ready(w));
	}
	return CKR_OK;
}

static void *join_work(void *argument)
{
	struct worker *w = argument;
	pthread_barrier_wait(&gathered);
	long long start = now();
	w->rv = roles[w - workers].change(w);
	w->took = now() - start;
	at_work--;
	return NULL;
}

/* together: changes the token in as many threads, and signs meanwhile. It tells NAME=CODE=NANOSECONDS of each, then how many
 * signatures there were, how many failed, and the nanoseconds of the slowest. */
static CK_RV work_together(char **a)
{
	(void)a;
	pthread_t thread[THREADS];
	long signatures = 0, failed = 0;
	long long slowest = 0;
	at_work = THREADS;
	CHECK(pthread_barrier_init(&gathered, NULL, THREADS) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, join_work, &workers[i]) == 0);
	for (; at_work > 0; signatures++) {
		CK_BYTE signature[64];
		long long start = now();
		failed += try_sign(F, current, key, signature) != CKR_OK;
		slowest = now() - start > slowest ? now() - start : slowest;
		usleep(1000);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		fprintf(words, " %s=%lu=%lld", roles[i].name, workers[i].rv, workers[i].took);
	}
	fprintf(words, " %ld %ld %lld", signatures, failed, slowest);
	pthread_barrier_destroy(&gathered);
	return CKR_OK;
}

static CK_RV tell_resident(char **a)
{
	(void)a;
	fprintf(words, " %ld", resident());
	return CKR_OK;
}

/* ---- commands ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	CK_RV (*run)(char **arguments);
} commands[] = {
	{"initialize", initialize}, {"open", open_session}, {"login", log_in}, {"logout", log_out},
	{"set-pin", set_pin}, {"pin-count-low", pin_count_low}, {"sessions", sessions}, {"look", look}, {"list", list},
	{"create", create}, {"stuff", stuff}, {"fill", fill}, {"own", own}, {"pair", pair}, {"set", set}, {"destroy", destroy},
	{"change", change}, {"ready", ready}, {"together", work_together}, {"key", find_key}, {"sign", sign},
	{"prove", prove}, {"resident", tell_resident},
};

static CK_RV run(char *line)
{
	enum { MOST = 4 };
	char *word[MOST] = {strtok(line, " \n")};
	for (int i = 1; i < MOST; i++)
		word[i] = strtok(NULL, " \n");
	for (size_t i = 0; word[0] && i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name, word[0]) == 0)
			return commands[i].run(word + 1);
	}
	return CKR_FUNCTION_NOT_SUPPORTED;
}

int main(int argc, char **argv)
{
	char line[512];
	CHECK(argc == 2);
	F = load(argv[1]);
	while (fgets(line, sizeof line, stdin)) {
		char *found;
		size_t n;
		words = open_memstream(&found, &n);
		long long start = now();
		CK_RV rv = run(line);
		long long time = now() - start;
		fclose(words);
		printf("%lu %lld%s\n", rv, time, found);
		fflush(stdout);
		free(found);
	}
	return 0;
}
