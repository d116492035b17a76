/* SPDX-License-Identifier: Apache-2.0 */

/*
 * losses LOSS: a forked child that has lost what led its parent to the settings uses
 * the same SCM with the same settings, and so do its own children.
 */
#include <pthread.h>

#include "check.h"

static void lose_nothing(void) {}
static void lose_environment(void) { OK(clearenv()); }
static void lose_directory(void) { OK(chdir("/")); }
static void lose_file(void) { OK(unlink(getenv("ZK_PKCS11_CONF"))); }

static void lose_root(void)
{
	OK(chroot(getenv("ZK_TEST_ROOT")));
	OK(chdir("/"));
	OK(clearenv());
	CHECK(access("/proc/self", F_OK) != 0);
}

static const struct {
	const char *name;
	void (*lose)(void);
} losses[] = {
	{"nothing", lose_nothing}, {"environment", lose_environment}, {"directory", lose_directory}, {"file", lose_file}, {"root", lose_root},
};

static void (*lose)(void);
static uint8_t parents_key[64]; /* which no other SCM has */

static void know(zkCTX ctx, uint8_t key[64])
{
	uint8_t *bytes = NULL;
	int size = 0;
	OK(zkExportPubKey(ctx, &bytes, &size, 0, false));
	EXPECT(size, 64);
	memcpy(key, bytes, 64);
	free(bytes);
}

static void same(zkCTX ctx)
{
	uint8_t key[64];
	char *serial = NULL;
	know(ctx, key);
	CHECK(memcmp(key, parents_key, sizeof key) == 0);
	OK(zkGetSerialNumberString(ctx, &serial));
	CHECK(strcmp(serial, "ZK0001") == 0); /* of the file of settings */
	free(serial);
	OK(signs(ctx, 0));
}

static void uses(zkCTX of_parent)
{
	same(of_parent);
	zkCTX ctx = opened();
	same(ctx);
	OK(zkClose(ctx));
}

static void loses(zkCTX of_parent)
{
	lose();
	uses(of_parent);
	in_child(uses, of_parent);
}

static void loses_later(zkCTX of_parent)
{
	uses(of_parent);
	in_child(loses, of_parent);
}

/* Threads in one child open contexts at the same time. */
static void *open_often(void *unused)
{
	for (int i = 0; i < 20; i++)
		OK(zkClose(opened()));
	return unused;
}

static void opens_by_threads(zkCTX of_parent)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		OK(pthread_create(&threads[i], NULL, open_often, NULL));
	for (int i = 0; i < THREADS; i++)
		OK(pthread_join(threads[i], NULL));
	same(of_parent);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
		if (argc == 2 && strcmp(argv[1], losses[i].name) == 0)
			lose = losses[i].lose;
	CHECK(lose != NULL);
	zkCTX ctx = opened();
	know(ctx, parents_key);
	in_child(opens_by_threads, ctx);
	in_child(loses_later, ctx);
	if (lose != lose_file) /* which is lost but once */
		in_child(loses, ctx);
	OK(zkClose(ctx));
	return 0;
}
