// SPDX-License-Identifier: Apache-2.0

package store

// schema is the format of the token's file; docs of the columns are those of the Go
// types that they fill. AUTOINCREMENT keeps the numbers of deleted records from
// being used again.
const schema = `
CREATE TABLE token (
	id          INTEGER PRIMARY KEY CHECK (id = 0),
	initialized INTEGER NOT NULL,
	label       TEXT NOT NULL,
	fingerprint BLOB NOT NULL -- of the secret
) STRICT;
INSERT INTO token VALUES (0, 0, '', x'');

CREATE TABLE pins (
	user    INTEGER PRIMARY KEY CHECK (user IN (0, 1)),
	passes  INTEGER NOT NULL, -- of Argon2id
	memory  INTEGER NOT NULL, -- of Argon2id, in KiB
	lanes   INTEGER NOT NULL, -- of Argon2id
	salt    BLOB NOT NULL,
	wrapped BLOB NOT NULL -- the secret
) STRICT;

CREATE TABLE records (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	slot       INTEGER NOT NULL,
	private    INTEGER NOT NULL,
	sealed     INTEGER NOT NULL,
	hidden     INTEGER NOT NULL,
	public     BLOB NOT NULL,
	attributes BLOB NOT NULL, -- encoded, and sealed when sealed
	code       BLOB NOT NULL  -- authenticates the rest, or empty
) STRICT;
`
