/* SPDX-License-Identifier: Apache-2.0 */

/* locks MODULE SCENARIO: locks of files in processes that fork and are killed. */
#include <signal.h>

#include "forks.h"

static CK_RV change_something(CK_SESSION_HANDLE h)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}};
	CK_OBJECT_HANDLE object;
	CK_RV rv = F->C_CreateObject(h, template, 2, &object);
	return rv == CKR_OK ? F->C_DestroyObject(h, object) : rv;
}

static CK_SESSION_HANDLE writer(void)
{
	CK_SESSION_HANDLE h;
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h), CKR_OK);
	return h;
}

static void *change_for_ever(void *session)
{
	for (;;)
		change_something(*(CK_SESSION_HANDLE *)session);
	return NULL;
}

/* Forks while another thread writes, and tells the pid of the child. */
static void busy_parent(int tell)
{
	pthread_t thread;
	alarm(30);
	CK_SESSION_HANDLE h = writer();
	CHECK(pthread_create(&thread, NULL, change_for_ever, &h) == 0);
	usleep(20000);
	pid_t child = fork();
	if (child != 0)
		pause();
	alarm(30); /* alarms are not inherited */
	child = getpid();
	CHECK(write(tell, &child, sizeof child) == sizeof child); /* so its fork handlers have run */
	pause();
}

/* What a process held when it was killed is free, although its child lives. */
static void killed_while_writing(void)
{
	int ends[2], rounds = 6;
	CHECK(pipe(ends) == 0);
	while (rounds-- > 0) {
		pid_t grandchild, child = fork();
		if (child == 0)
			busy_parent(ends[1]);
		CHECK(read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
		CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
		CK_SESSION_HANDLE h = writer();
		CK_RV rv = change_something(h);
		kill(grandchild, SIGKILL);
		EXPECT(rv, CKR_OK);
		EXPECT(F->C_Finalize(NULL), CKR_OK);
	}
}

static const struct scenario scenarios[] = {
	{"killed-while-writing", killed_while_writing},
};

int main(int argc, char **argv) { return RUN_ONE(argc, argv, scenarios); }
