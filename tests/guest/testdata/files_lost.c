/* SPDX-License-Identifier: Apache-2.0 */

/*
 * files_lost MODULE SCENARIO: the host closes descriptors that it has not opened, and
 * opens files of its own, which get the same numbers.
 */
#include "files.h"

#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { LAST = 300 }; /* past all numbers that the module has */

static void take_over(void)
{
	if (syscall(SYS_close_range, 3, LAST, 0) != 0) {
		for (int fd = 3; fd <= LAST; fd++)
			close(fd);
	}
	while (open_own(-1) < LAST)
		;
}

/* After C_Finalize and C_Initialize all is well. */
static void recover(void)
{
	MUST(F->C_Finalize(NULL));
	check_own();
	whole();
	check_own();
}

static void loaded(void)
{
	take_over();
	whole();
	check_own();
}

static void initialised(void)
{
	MUST(F->C_Initialize(NULL));
	take_over();
	work(F);
	recover();
}

static void opened(void)
{
	char *pin = getenv("ZK_TEST_PIN");
	MUST(F->C_Initialize(NULL));
	CK_SESSION_HANDLE h = session(F);
	take_over();
	for (int i = 0; i < 3; i++)
		EXPECT(F->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), CKR_DEVICE_ERROR);
	recover();
}

/* A key that is at hand needs no file. */
static void signing(void)
{
	CK_BYTE signature[64];
	CK_OBJECT_HANDLE made[2];
	MUST(F->C_Initialize(NULL));
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	CK_OBJECT_HANDLE key = half(F, h, CKO_PRIVATE_KEY);
	MUST(try_sign(F, h, key, signature));
	take_over();
	MUST(try_sign(F, h, key, signature));
	EXPECT(try_generate(h, made), CKR_DEVICE_ERROR);
	MUST(try_sign(F, h, key, signature));
	recover();
}

/* The same program as another process, which uses the token meanwhile. */
static void in_another_process(const char *self)
{
	char *arguments[] = {(char *)self, (char *)module, "whole", NULL};
	pid_t child;
	int status = 0;
	CHECK(posix_spawn(&child, self, NULL, NULL, arguments, environ) == 0);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The n-th descriptor of the module that is a file of the state; -1 when there are fewer. */
static int descriptor_of_module(int n)
{
	char *home = getenv("ZK_PKCS11_HOME");
	for (int fd = 3; fd < 1024; fd++) {
		char link[64], path[4096];
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(link, path, sizeof path - 1);
		if (length < 0)
			continue;
		path[length] = 0;
		CHECK(fd >= 100 || strncmp(path, home, strlen(home)) != 0);
		if (strncmp(path, home, strlen(home)) == 0 && n-- == 0)
			return fd;
	}
	return -1;
}

static void one_of_them(void)
{
	CK_BYTE signature[64];
	CK_OBJECT_HANDLE made[2];
	for (int n = 0;; n++) {
		MUST(F->C_Initialize(NULL));
		CK_SESSION_HANDLE h = session(F);
		login(F, h);
		CK_OBJECT_HANDLE key = half(F, h, CKO_PRIVATE_KEY);
		MUST(try_sign(F, h, key, signature));
		int fd = descriptor_of_module(n);
		CHECK(n >= 5 || fd >= 0);
		if (fd < 0)
			break;
		open_own(fd);
		in_another_process("/proc/self/exe");
		CK_RV signed_ = try_sign(F, h, key, signature);
		CHECK(signed_ == CKR_OK || signed_ == CKR_DEVICE_ERROR);
		CK_RV generated = try_generate(h, made);
		CHECK(generated == CKR_OK || generated == CKR_DEVICE_ERROR);
		check_own();
		recover();
		close(own[--owned]);
	}
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"whole", whole}, {"loaded", loaded}, {"initialised", initialised}, {"opened", opened},
		{"signing", signing}, {"one", one_of_them},
	};
	alarm(120);
	return RUN_ONE(argc, argv, all);
}
