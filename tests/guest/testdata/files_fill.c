/* SPDX-License-Identifier: Apache-2.0 */

/* files_fill FOLDER: the copy of a library ends when its file is shorter than it was a moment ago. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static off_t more; /* than there is */

static int old_size(int fd, struct stat *st)
{
	int got = fstat(fd, st);
	st->st_size += more;
	return got;
}

#include "../../../internal/fresh/descriptors.c"
#include "../../../internal/fresh/oversize.c"
#define fstat old_size
#include "../../../internal/fresh/fresh.c"
#undef fstat

int main(int argc, char **argv)
{
	char path[4096], text[5000] = {0};
	CHECK(argc == 2);
	alarm(20);
	snprintf(path, sizeof path, "%s/file", argv[1]);
	int from = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(from >= 0 && write(from, text, sizeof text) == sizeof text);
	int to = open_memory("libzk_test.so");
	CHECK(to >= HIGH && fill(to, from) == 0 && lseek(to, 0, SEEK_END) == sizeof text);
	more = 100;
	errno = EINTR; /* of some call before */
	CHECK(fill(to, from) == -1);
	CHECK(zk_load_fresh("libzk_test.so") == NULL); /* this program is no library */
	zk_forget_source();
	return 0;
}
