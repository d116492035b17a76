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
	fingerprint BLOB NOT NULL, -- of the secret
	revision    INTEGER NOT NULL, -- counts the transactions that change records
	floor       INTEGER NOT NULL  -- deletions up to this revision are forgotten
) STRICT;
INSERT INTO token VALUES (0, 0, '', x'', 1, 1);

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
	code       BLOB NOT NULL, -- authenticates what stands before and the digest, or empty
	revision   INTEGER NOT NULL, -- of the transaction that wrote it
	digest     BLOB,          -- of apart; empty when there are no values, NULL in a record of format 1
	terms      BLOB,          -- the record's rows in terms, 8 bytes each; NULL when it is not indexed yet
	apart      BLOB           -- the values, encoded, and sealed when sealed
) STRICT;
CREATE INDEX records_revision ON records (revision);

CREATE TABLE deletions (
	revision INTEGER NOT NULL,
	record   INTEGER NOT NULL,
	PRIMARY KEY (revision, record)
) STRICT, WITHOUT ROWID;
`
