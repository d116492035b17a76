/* SPDX-License-Identifier: Apache-2.0 */
#include "oversize.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

long zk_without_signal(long result)
{
	const struct timespec now = {0};
	sigset_t oversize;
	if (result >= 0 || errno != EFBIG)
		return result;
	sigemptyset(&oversize);
	sigaddset(&oversize, SIGXFSZ);
	sigtimedwait(&oversize, NULL, &now);
	errno = EFBIG;
	return result;
}
