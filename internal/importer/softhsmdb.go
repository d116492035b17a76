// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// softDatabase is the file of a token of the back end of SQLite. Object 1 is the token itself.
const (
	softDatabase       = "sqlite3.db"
	softTokenID  int64 = 1
)

func (t *softToken) readDatabase() error {
	from := url.URL{Scheme: "file", Path: filepath.Join(t.path, softDatabase), RawQuery: "mode=ro"}
	db, err := sql.Open("sqlite3", from.String())
	if err != nil {
		return err
	}
	defer db.Close()
	if err := t.readTables(db); err != nil {
		return fmt.Errorf("%s: the file %w (%w)%s", softDatabase, ErrDamaged, err, locked)
	}
	return nil
}

// readTables reads all objects, as they are at one moment.
func (t *softToken) readTables(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // it has only read
	all := map[int64]softObject{}
	for table, kind := range map[string]uint64{
		"boolean": kindTruth, "integer": kindNumber, "binary": kindOctets, "array": kindMechanisms,
	} {
		if err := readTable(tx, table, kind, all); err != nil {
			return err
		}
	}
	t.token = all[softTokenID]
	if t.token == nil {
		return fmt.Errorf("it has no token")
	}
	delete(all, softTokenID)
	ids := make([]int64, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t.objects = append(t.objects, all[id])
	}
	return nil
}

func readTable(tx *sql.Tx, table string, kind uint64, all map[int64]softObject) error {
	rows, err := tx.Query("SELECT object_id, type, value FROM attribute_" + table + " WHERE object_id IN (SELECT id FROM object)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, attribute int64
		v := value{kind: kind}
		switch kind {
		case kindTruth:
			err = rows.Scan(&id, &attribute, &v.truth)
		case kindNumber:
			var n int64 // a CK_ULONG that SQLite took for a number with a sign
			err = rows.Scan(&id, &attribute, &n)
			v.number = uint64(n)
		default:
			err = rows.Scan(&id, &attribute, &v.octets)
		}
		if err != nil {
			return err
		}
		if kind == kindMechanisms {
			v.octets = mechanismsOf(v.octets)
		}
		if all[id] == nil {
			all[id] = softObject{}
		}
		all[id][uint64(attribute)] = v
	}
	return rows.Err()
}

// mechanismsOf are mechanisms as an attribute has them, of a column that has eight bytes for each.
func mechanismsOf(column []byte) []byte {
	var b bytes.Buffer
	for some := range slices.Chunk(column, 8) {
		if len(some) == 8 {
			b.Write(ulong(uint(binary.NativeEndian.Uint64(some))))
		}
	}
	return b.Bytes()
}
