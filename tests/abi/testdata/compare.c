/* SPDX-License-Identifier: Apache-2.0 */

/* Prints each fact that the headers of the two other units do not agree on. */
#include <stdio.h>

extern const struct fact { const char *text; unsigned long value; } ours[], theirs[];

int main(void)
{
	for (int i = 0; ours[i].text; i++)
		if (ours[i].value != theirs[i].value)
			printf("%s: ours 0x%lx, theirs 0x%lx\n", ours[i].text, ours[i].value, theirs[i].value);
	return 0;
}
