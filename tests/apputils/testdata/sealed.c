/* SPDX-License-Identifier: Apache-2.0 */

/* A soft SCM that a PIN seals shows itself and uses no private key. */
#include "check.h"

int main(void)
{
	zkCTX ctx = opened();
	uint8_t *pk = NULL;
	int size = 0;
	OK(zkExportPubKey(ctx, &pk, &size, 0, false));
	free(pk);
	for (int i = 0; i < 3; i++)
		EXPECT(signs(ctx, 0), -EACCES);
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), -EACCES);
	OK(zkClose(ctx));
	return 0;
}
