// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (

	"libzk_pkcs11/internal/sharedfile"
)
