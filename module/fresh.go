// SPDX-License-Identifier: Apache-2.0

package main

import _ "libzk_pkcs11/internal/fresh" // what the C files call
