/* SPDX-License-Identifier: Apache-2.0 */
/* make LIBRARY N makes N key pairs by the vendor's C API, as another program does. */
#include <dlfcn.h>
#include <err.h>
#include <stdlib.h>

#include "zk_app_utils.h"

int main(int argc, char **argv)
{
	void *library = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (!library)
		errx(1, "want LIBRARY N: %s", dlerror());
	int (*open)(zkCTX *) = (int (*)(zkCTX *))dlsym(library, "zkOpen");
	int (*generate)(zkCTX, ZK_EC_KEY_TYPE) = (int (*)(zkCTX, ZK_EC_KEY_TYPE))dlsym(library, "zkGenKeyPair");
	zkCTX ctx = NULL;
	int rc = open(&ctx);
	for (int i = atoi(argv[2]); rc >= 0 && i > 0; i--)
		rc = generate(ctx, ZK_NISTP256);
	if (rc < 0)
		errx(1, "%d", rc);
	return 0;
}
