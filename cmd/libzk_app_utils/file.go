// SPDX-License-Identifier: Apache-2.0

package main

import "os"

// writeSecret writes a file that only its owner may read.
func writeSecret(path string, b []byte) error { return os.WriteFile(path, b, 0o600) }

// writePublic writes a file that everybody may read.
func writePublic(path string, b []byte) error { return os.WriteFile(path, b, 0o644) }
