// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// bondColumns are part of format 2: which device the token belongs to. mate is its serial
// number, open whether it needs no secret, and bond authenticates both; it is empty while
// no device is known, as in a token of version 0.1.0. identity is a random number by which
// the counts of wrong PINs are known to be those of this token. device is how many changes
// the device had had, as far as was known, at the latest change of a record.
const bondColumns = `
ALTER TABLE token ADD COLUMN mate TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN bond BLOB NOT NULL DEFAULT x'';
ALTER TABLE token ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN identity BLOB NOT NULL DEFAULT x'';
UPDATE token SET identity = randomblob(16);
`

// Mate is what a token knows of the device that it belongs to.
type Mate struct {
	Serial string
	Open   bool // the device needs no secret
}

// Pairing is what the token tells of its device without its secret.
type Pairing struct {
	Initialized bool // else the token belongs to no device yet
	Mate        Mate
	Bond        []byte // with Mate; empty while no device is known
}

// Pairing returns what is known of the device. It reads the database only after a change.
func (s *Store) Pairing() (Pairing, error) {
	rows, err := s.tokenRows()
	if err != nil {
		return Pairing{}, err
	}
	return rows.Pairing, nil
}

// Bond returns what binds a token with this secret to a device: nobody else can make it,
// and it tells nothing of the secret.
func Bond(tokenSecret []byte, m Mate) []byte {
	key := derive(tokenSecret, nil, "bond with a device")
	defer key.Destroy()
	code := secret.MAC(key.Bytes(), fmt.Appendf(nil, "open %t, serial %s", m.Open, m.Serial))
	return code[:]
}

// Bind notes which device the token belongs to, of one that has no bond yet. ErrSecret.
func (s *Store) Bind(tokenSecret []byte, m Mate) error {
	b := &binding{tokenSecret, m, Bond(tokenSecret, m)}
	_, err := s.file.Change(b.execute)
	return err
}

// binding is a bond to be noted.
type binding struct {
	tokenSecret []byte
	mate        Mate
	bond        []byte
}

func (b *binding) execute(tx *sql.Tx) ([]int, error) {
	if err := verifySecret(tx, b.tokenSecret); err != nil {
		return nil, err
	}
	return nil, saveBond(tx, b.mate, b.bond)
}

func saveBond(tx *sql.Tx, m Mate, bond []byte) error {
	_, err := tx.Exec("UPDATE token SET mate = ?, open = ?, bond = ?", m.Serial, m.Open, bond)
	return err
}
