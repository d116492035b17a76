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
// is the same root key sealed to the secret of Prepare, if there is one.
const schema = `
CREATE TABLE scm (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	serial   TEXT NOT NULL,
	root_id  BLOB NOT NULL,
	root     BLOB,
	prepared BLOB
) STRICT;
CREATE TABLE key (
	slot   INTEGER PRIMARY KEY CHECK (slot BETWEEN 0 AND 527),
	curve  INTEGER NOT NULL,
	public BLOB NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
`

// flash is what the flash held in one moment.
type flash struct {
	serial   string
	rootID   []byte
	root     []byte // the root key sealed to the secret; nil while it lies in its file
	prepared []byte // the root key sealed to the secret of Prepare, or nil
	keys     []sealedKey
	index    map[scm.Slot]int // of keys
}

// sealedKey is a row of the table key.
type sealedKey struct {
	scm.Key
	blob []byte // the private key, sealed under the root key
}

// errBlank says that nobody has made an SCM of the flash yet.
var errBlank = errors.New("no SCM in the flash")

// readFlash reads everything. errBlank when there is no SCM yet.
func readFlash(tx *sql.Tx) (*flash, error) {
	f := &flash{index: make(map[scm.Slot]int)}
	row := tx.QueryRow("SELECT serial, root_id, root, prepared FROM scm")
	err := row.Scan(&f.serial, &f.rootID, &f.root, &f.prepared)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errBlank
	}
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query("SELECT slot, curve, public, sealed FROM key ORDER BY slot")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k sealedKey
		if err := rows.Scan(&k.Slot, &k.Curve, &k.Public, &k.blob); err != nil {
			return nil, err
		}
		if !known(k.Curve) || len(k.Public) != k.Curve.PublicSize() {
			return nil, fmt.Errorf("key slot %d: %w", k.Slot, scm.ErrDevice)
		}
		f.index[k.Slot] = len(f.keys)
		f.keys = append(f.keys, k)
	}
	return f, rows.Err()
}

// key returns the key in a permanent or user slot.
func (f *flash) key(s scm.Slot) (sealedKey, error) {
	if !s.Permanent() && !s.User() {
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
	return errA == nil && errB == nil && a.Curve == b.Curve &&
		bytes.Equal(a.Public, b.Public) && bytes.Equal(a.blob, b.blob)
}

// freeSlot returns the lowest user slot without a key.
func freeSlot(tx *sql.Tx) (scm.Slot, error) {
	const query = `
SELECT min(s) FROM (SELECT ?1 AS s UNION ALL SELECT slot + 1 FROM key WHERE slot >= ?1)
WHERE s NOT IN (SELECT slot FROM key)`
	var s scm.Slot
	if err := tx.QueryRow(query, int(scm.FirstUser)).Scan(&s); err != nil {
		return 0, err
	}
	if !s.User() {
		return 0, fmt.Errorf("all %d user slots hold keys: %w", scm.UserSlots, scm.ErrFull)
	}
	return s, nil
}

// holds tells whether there is a key in slot s.
func holds(tx *sql.Tx, s scm.Slot) (yes bool, err error) {
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM key WHERE slot = ?)", int(s)).Scan(&yes)
	return yes, err
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

// writeKey stores a key, sealed under r, over the one that is in its slot.
func writeKey(tx *sql.Tx, r *root, k scm.Key, secret []byte) error {
	blob, err := r.seal(k, secret)
	if err != nil {
		return err
	}
	_, err = tx.Exec("REPLACE INTO key (slot, curve, public, sealed) VALUES (?, ?, ?, ?)",
		int(k.Slot), int(k.Curve), k.Public, blob)
	return err
}

// eraseKey erases the key in the slot s.
func eraseKey(tx *sql.Tx, s scm.Slot) error {
	done, err := tx.Exec("DELETE FROM key WHERE slot = ?", int(s))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errEmpty(s))
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
