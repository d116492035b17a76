/* SPDX-License-Identifier: Apache-2.0 */

/* stranger MODULE: loads the module and uses it; it is linked in ways that the module is not made for. */
#include "host.h"

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	F = load(argv[1]);
	MUST(F->C_Initialize(NULL));
	work(F);
	puts("done");
	return 0;
}
