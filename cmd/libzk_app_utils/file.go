// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"

	"libzk_pkcs11/internal/descriptor"
)

// readFile returns what is in a file of the caller's.
func (c *call) readFile(path string) (b []byte) {
	if c.accepted() {
		b, c.err = readLimited(path)
	}
	return b
}

// readLimited reads a file that is not larger than what a caller may pass.
func readLimited(path string) ([]byte, error) {
	f, err := descriptor.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if len(b) > maxBytes {
		return nil, errTooLong
	}
	return b, err
}

// writeSecret writes a file that only its owner may read.
func writeSecret(path string, b []byte) error { return descriptor.WriteFile(path, b, 0o600) }

// writePublic writes a file that everybody may read.
func writePublic(path string, b []byte) error { return descriptor.WriteFile(path, b, 0o644) }
