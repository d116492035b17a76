// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// schema of the flash. The table scm has one row. Its column root is the root
// key sealed to the secret, NULL while the root key lies in its file; prepared
// is the same root key sealed to the secret of Prepare, if there is one;
// condition is a condition as JSON.
//
// A key in a wallet has a master, the slot of the wallet's topmost key, which
// carries the wallet's name. Erasing a key erases what was derived from it.
const schema = `
CREATE TABLE scm (
	id        INTEGER PRIMARY KEY CHECK (id = 1),
	serial    TEXT NOT NULL,
	root_id   BLOB NOT NULL,
	root      BLOB,
	prepared  BLOB,
	condition TEXT NOT NULL
) STRICT;
CREATE TABLE key (
	slot    INTEGER PRIMARY KEY CHECK (slot BETWEEN -1 AND 527),
	curve   INTEGER NOT NULL,
	kind    INTEGER NOT NULL,
	public  BLOB NOT NULL,
	sealed  BLOB NOT NULL,
	hidden  INTEGER NOT NULL,
	parent  INTEGER REFERENCES key (slot) ON DELETE CASCADE,
	master  INTEGER,
	address TEXT,
	wallet  TEXT UNIQUE,
	UNIQUE (master, address)
) STRICT;
CREATE INDEX child ON key (parent);
CREATE TABLE foreign_key (
	slot   INTEGER PRIMARY KEY CHECK (slot BETWEEN 0 AND 127),
	curve  INTEGER NOT NULL,
	public BLOB NOT NULL,
	hidden INTEGER NOT NULL
) STRICT;
CREATE TABLE secret (
	name   TEXT PRIMARY KEY,
	sealed BLOB NOT NULL
) STRICT;
CREATE TABLE boot_file (
	path      TEXT PRIMARY KEY,
	slot      INTEGER NOT NULL,
	signature BLOB NOT NULL
) STRICT;
`

// flash is what the flash held in one moment.
type flash struct {
	serial    string
	rootID    []byte
	root      []byte // the root key sealed to the secret; nil while it lies in its file
	prepared  []byte // the root key sealed to the secret of Prepare, or nil
	condition condition
	keys      []sealedKey
	index     map[scm.Slot]int // of keys
	foreign   map[scm.Slot]foreignKey
	secrets   map[string][]byte // sealed
}

// errBlank says that nobody has made an SCM of the flash yet.
var errBlank = errors.New("no SCM in the flash")

// readFlash reads everything but the boot files, which nobody asks for often.
// errBlank when there is no SCM yet.
func readFlash(tx *sql.Tx) (*flash, error) {
	f := new(flash)
	row := tx.QueryRow("SELECT serial, root_id, root, prepared FROM scm")
	err := row.Scan(&f.serial, &f.rootID, &f.root, &f.prepared)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errBlank
	}
	if err != nil {
		return nil, err
	}
	for _, read := range []func(*sql.Tx) error{f.readCondition, f.readKeys, f.readForeign, f.readSecrets} {
		if err := read(tx); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *flash) readCondition(tx *sql.Tx) (err error) {
	f.condition, err = readCondition(tx)
	return err
}

func (f *flash) readKeys(tx *sql.Tx) error {
	f.index = make(map[scm.Slot]int)
	return each(tx, "SELECT "+keyColumns+" FROM key ORDER BY slot", func(rows *sql.Rows) error {
		k, err := scanKey(rows)
		if err != nil {
			return err
		}
		f.index[k.Slot] = len(f.keys)
		f.keys = append(f.keys, k)
		return nil
	})
}

func (f *flash) readForeign(tx *sql.Tx) error {
	f.foreign = make(map[scm.Slot]foreignKey)
	return each(tx, "SELECT slot, curve, public, hidden FROM foreign_key", func(rows *sql.Rows) error {
		var k foreignKey
		if err := rows.Scan(&k.Slot, &k.Curve, &k.Public, &k.hidden); err != nil {
			return err
		}
		f.foreign[k.Slot] = k
		return checkKey(k.Key)
	})
}

func (f *flash) readSecrets(tx *sql.Tx) error {
	f.secrets = make(map[string][]byte)
	return each(tx, "SELECT name, sealed FROM secret", func(rows *sql.Rows) error {
		var name string
		var sealed []byte
		err := rows.Scan(&name, &sealed)
		f.secrets[name] = sealed
		return err
	})
}

// each calls f for each row that the query finds.
func each(tx *sql.Tx, query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// key returns the key in a permanent, user or ephemeral slot.
func (f *flash) key(s scm.Slot) (sealedKey, error) {
	if !s.Permanent() && !s.User() && s != scm.EphemeralSlot {
		return sealedKey{}, errRange(s)
	}
	i, ok := f.index[s]
	if !ok {
		return sealedKey{}, errEmpty(s)
	}
	return f.keys[i], nil
}

// same tells whether the slot s holds in g the key that it holds in f.
func (f *flash) same(g *flash, s scm.Slot) bool {
	a, errA := f.key(s)
	b, errB := g.key(s)
	return errA == nil && errB == nil && a.Curve == b.Curve && a.kind == b.kind &&
		bytes.Equal(a.Public, b.Public) && bytes.Equal(a.blob, b.blob)
}

// checkRoot answers ErrSealed when r is not the root key of the flash any more.
func checkRoot(tx *sql.Tx, r *root) error {
	var id []byte
	if err := tx.QueryRow("SELECT root_id FROM scm").Scan(&id); err != nil {
		return err
	}
	if r == nil || !bytes.Equal(id, r.id) {
		return scm.ErrSealed
	}
	return nil
}

// writeRoot stores the identity of the root key and the root key sealed, nil
// for one that lies in its file.
func writeRoot(tx *sql.Tx, id, sealed []byte) error {
	_, err := tx.Exec("UPDATE scm SET root_id = ?, root = ?, prepared = NULL", id, sealed)
	return err
}

func writePrepared(tx *sql.Tx, sealed []byte) error {
	_, err := tx.Exec("UPDATE scm SET prepared = ?", sealed)
	return err
}

// writeSecret stores a secret of the device itself, sealed under r.
func writeSecret(tx *sql.Tx, r *root, name string, secret []byte) error {
	blob, err := r.seal(secretContext(name), secret)
	if err != nil {
		return err
	}
	_, err = tx.Exec("REPLACE INTO secret (name, sealed) VALUES (?, ?)", name, blob)
	return err
}

// checkKey refuses a public key of a form that nobody wrote.
func checkKey(k scm.Key) error {
	if !known(k.Curve) || len(k.Public) != k.Curve.PublicSize() {
		return fmt.Errorf("key slot %d: %w", k.Slot, scm.ErrDevice)
	}
	return nil
}
