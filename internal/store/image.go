// SPDX-License-Identifier: Apache-2.0

package store

import (
	"libzk_pkcs11/internal/secret"
)

// The files that are a token, the rest of which is made anew.
const (
	DatabaseFile = databaseName
	CountsFile   = countsName
)

// Image calls fn with the token's database as it is at this moment. Nobody changes it until fn
// returns.
func (s *Store) Image(fn func(image []byte) error) error { return s.file.Image(fn) }

// BackupKey is what authenticates backups of a token with this secret. The caller destroys it.
func BackupKey(tokenSecret []byte) *secret.Buffer { return derive(tokenSecret, nil, "backup") }
