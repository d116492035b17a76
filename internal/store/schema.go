// SPDX-License-Identifier: Apache-2.0

package store

// The formats of the token's file; docs of the columns are those of the Go types that
// they fill. A new file is made in format 1 and upgraded as one of version 0.1.0 is.

// format1 is that of version 0.1.0. AUTOINCREMENT keeps the numbers of deleted records
// from being used again.
const format1 = `
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

// format2 makes format 2 of format 1.
//
// token.revision counts the transactions that change records; a record has that of the
// last one that wrote it. deletions is a list of the latest: those up to the revision
// token.floor are not in it.
//
// What a record has in apart are its Values, encoded, and sealed when sealed. digest is
// the SHA-256 of that, empty when there are none, and NULL in a record as format 1 has
// it. records.terms lists the rows of the record in the table of terms, by which it is
// found; NULL means that it has none yet.
//
// journal has an Entry for each change of a key slot that is under way; the number of one
// that was taken out is not used again.
const format2 = `
ALTER TABLE token ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE token ADD COLUMN floor INTEGER NOT NULL DEFAULT 1;

ALTER TABLE records ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE records ADD COLUMN digest BLOB;
ALTER TABLE records ADD COLUMN terms BLOB;
ALTER TABLE records ADD COLUMN apart BLOB;
UPDATE records SET terms = x'' WHERE slot <> -2147483648;
CREATE INDEX records_revision ON records (revision);
CREATE INDEX records_slot ON records (slot, private) WHERE slot <> -2147483648;
CREATE INDEX records_sealed ON records (slot) WHERE sealed = 1;
CREATE INDEX records_without_terms ON records (sealed) WHERE terms IS NULL;

CREATE TABLE terms (
	term   INTEGER NOT NULL,
	record INTEGER NOT NULL,
	PRIMARY KEY (term, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE deletions (
	revision INTEGER NOT NULL,
	record   INTEGER NOT NULL,
	PRIMARY KEY (revision, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	kind   INTEGER NOT NULL,
	slot   INTEGER NOT NULL,
	public BLOB NOT NULL,
	apart  INTEGER NOT NULL,
	known  BLOB NOT NULL
) STRICT;
`
