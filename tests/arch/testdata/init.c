/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The first and only process of an emulated machine that nobody starts. It runs each line of /tests, a program with
 * arguments, with a state of its own, prints how it ended, and switches the machine off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 8 };

static void child(char *line, int number)
{
	char home[32], *words[WORDS + 1] = {NULL};
	int n = 0;
	for (char *word = strtok(line, " "); word && n < WORDS; word = strtok(NULL, " "))
		words[n++] = word;
	snprintf(home, sizeof home, "/tmp/%d", number);
	mkdir(home, 0700);
	setenv("ZK_PKCS11_HOME", home, 1);
	dup2(1, 2);
	execv(words[0], words);
	perror(words[0]);
	_exit(127);
}

static void test(const char *line, int number)
{
	int status = -1;
	printf("begins: %s\n", line);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		child(strdup(line), number);
	for (pid_t ended = 0; ended != pid && ended != -1;) /* orphans end here, too */
		ended = wait(&status);
	printf("ended with %d: %s\n", WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), line);
	fflush(stdout);
}

int main(void)
{
	char line[256];
	struct utsname u;
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	int console = open("/dev/console", O_RDWR);
	for (int fd = 0; console >= 0 && fd < 3; fd++)
		dup2(console, fd);
	setenv("PATH", "/board", 1);
	uname(&u);
	printf("\nLinux %s, %s\n", u.release, u.machine);
	FILE *tests = fopen("/tests", "r");
	for (int number = 0; tests && fgets(line, sizeof line, tests); number++) {
		line[strcspn(line, "\n")] = 0;
		test(line, number);
	}
	reboot(RB_POWER_OFF);
}
