// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

// schema of the flash, in the format of version 0.1.0; see format2. The table scm has one row. Its column root is the root
// key sealed to the secret, NULL while the root key lies in its file; prepared
// is the same root key sealed to the secret of Prepare, if there is one;
// condition is a board.Condition as JSON.
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

// format2 makes format 2 of format 1. bond is that of the token to which the SCM belongs,
// offered the one of Offer; NULL stands for none. changes counts changes, seen is what Saw
// has told.
const format2 = `
ALTER TABLE scm ADD COLUMN bond BLOB;
ALTER TABLE scm ADD COLUMN offered BLOB;
ALTER TABLE scm ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scm ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
`

// The parts of the flash that have versions of their own: each permanent and user slot,
// by its number, and everything else.
const (
	restPart  = int(scm.LastUser) + 1
	flashSize = restPart + 1
)

// partOf returns the part of the flash that a key slot is in.
func partOf(s scm.Slot) int {
	if s < 0 {
		return restPart
	}
	return int(s)
}

// flash is what the flash held when it was read. It is never changed: a call
// that reads or writes more makes another one.
type flash struct {
	*rest                 // nil when it was not read
	cells [restPart]*cell // by slot; nil for those that were not read
}

// rest is the part of the flash beside the permanent and user slots.
type rest struct {
	version   uint64 // of the part, when it was read
	serial    string
	rootID    []byte
	sealed    []byte // the root key sealed to the secret; nil while it lies in its file
	prepared  []byte // the root key sealed to the secret of Prepare, or nil
	bond      []byte // of the token to which the SCM belongs, or nil
	offered   []byte // the bond of Offer, or nil
	condition board.Condition
	ephemeral *cell
	foreign   map[scm.Slot]foreignKey
	secrets   map[string][]byte // sealed
}

// cell is a key slot.
type cell struct {
	version uint64                  // of its part, when it was read; the ephemeral slot has none
	key     *sealedKey              // nil for an empty slot
	ready   atomic.Pointer[private] // set when the key is used for the first time
}

// errBlank says that nobody has made an SCM of the flash yet.
var errBlank = errors.New("no SCM in the flash")

// readFlash reads everything but the boot files, which nobody asks for often.
// errBlank when there is no SCM yet.
func readFlash(tx *sql.Tx) (*flash, error) {
	r, err := readRest(tx)
	if err != nil {
		return nil, err
	}
	f := &flash{rest: r}
	for s := range f.cells {
		f.cells[s] = new(cell)
	}
	return f, f.readCells(tx)
}

// readRest reads everything but the boot files, and the keys in permanent and user slots.
// errBlank when there is no SCM yet.
func readRest(tx *sql.Tx) (*rest, error) {
	r := new(rest)
	row := tx.QueryRow("SELECT serial, root_id, root, prepared, bond, offered FROM scm")
	err := row.Scan(&r.serial, &r.rootID, &r.sealed, &r.prepared, &r.bond, &r.offered)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errBlank
	}
	if err != nil {
		return nil, err
	}
	for _, read := range []func(*sql.Tx) error{r.readCondition, r.readEphemeral, r.readForeign, r.readSecrets} {
		if err := read(tx); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rest) readCondition(tx *sql.Tx) (err error) {
	r.condition, err = readCondition(tx)
	return err
}

func (r *rest) readEphemeral(tx *sql.Tx) error {
	r.ephemeral = new(cell)
	keys, err := readKeys(tx, scm.EphemeralSlot)
	for _, k := range keys {
		r.ephemeral.key = k
	}
	return err
}

// readCells reads the keys in the slots that have a cell.
func (f *flash) readCells(tx *sql.Tx) error {
	var slots []scm.Slot
	for s, c := range f.cells {
		if c != nil {
			slots = append(slots, scm.Slot(s))
		}
	}
	if slots == nil {
		return nil
	}
	keys, err := readKeys(tx, slots...)
	for _, k := range keys {
		f.cells[k.Slot].key = k
	}
	return err
}

func (r *rest) readForeign(tx *sql.Tx) error {
	r.foreign = make(map[scm.Slot]foreignKey)
	for rows, err := range queryRows(tx, "SELECT slot, curve, public, hidden FROM foreign_key") {
		if err != nil {
			return err
		}
		var k foreignKey
		if err := rows.Scan(&k.Slot, &k.Curve, &k.Public, &k.hidden); err != nil {
			return err
		}
		if err := checkKey(k.Key); err != nil {
			return err
		}
		r.foreign[k.Slot] = k
	}
	return nil
}

func (r *rest) readSecrets(tx *sql.Tx) error {
	r.secrets = make(map[string][]byte)
	for rows, err := range queryRows(tx, "SELECT name, sealed FROM secret") {
		if err != nil {
			return err
		}
		var name string
		var sealed []byte
		if err := rows.Scan(&name, &sealed); err != nil {
			return err
		}
		r.secrets[name] = sealed
	}
	return nil
}

// queryRows returns the rows that a statement finds, or at the end the error that it ends with.
func queryRows(tx *sql.Tx, statement string, args ...any) iter.Seq2[*sql.Rows, error] {
	return func(yield func(*sql.Rows, error) bool) {
		rows, err := tx.Query(statement, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if !yield(rows, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// cellOf returns a permanent, user or ephemeral slot, and nil for other numbers.
func (f *flash) cellOf(s scm.Slot) *cell {
	switch {
	case s == scm.EphemeralSlot:
		return f.ephemeral
	case s.Permanent(), s.User():
		return f.cells[s]
	}
	return nil
}

// keyIn returns the key in a permanent, user or ephemeral slot.
func (f *flash) keyIn(s scm.Slot) (sealedKey, error) {
	c := f.cellOf(s)
	switch {
	case c == nil:
		return sealedKey{}, errRange(s)
	case c.key == nil:
		return sealedKey{}, errEmpty(s)
	}
	return *c.key, nil
}

// allKeys lists the keys in ascending order of their slots, of which the ephemeral one is
// the first.
func (f *flash) allKeys() []*sealedKey {
	keys := make([]*sealedKey, 0, flashSize)
	if k := f.ephemeral.key; k != nil {
		keys = append(keys, k)
	}
	for _, c := range f.cells {
		if c != nil && c.key != nil {
			keys = append(keys, c.key)
		}
	}
	return keys
}

// rootIDOf returns the identity of the root key. errBlank when there is no SCM yet.
func rootIDOf(tx *sql.Tx) (id []byte, err error) {
	err = tx.QueryRow("SELECT root_id FROM scm").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = errBlank
	}
	return id, err
}

// checkRoot returns ErrSealed when r is not the root key of the flash any more.
func checkRoot(tx *sql.Tx, r *root) error {
	id, err := rootIDOf(tx)
	if err != nil {
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
	if !isCurve(k.Curve) || len(k.Public) != k.Curve.PublicSize() {
		return fmt.Errorf("key slot %d: %w", k.Slot, scm.ErrDevice)
	}
	return nil
}
