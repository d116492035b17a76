// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// memory is the device as its board sees it.
type memory struct{ device *Device }

// Settings returns those that the device was opened with.
func (m memory) Settings() *settings.Settings { return &m.device.options.Settings }

// Now returns the time by the clock of the host.
func (m memory) Now() time.Time { return m.device.clock() }

// Pause sleeps as the process wants it.
func (m memory) Pause(t time.Duration) { m.device.pauseFor(t) }

// Answering passes the gate of all calls.
func (m memory) Answering() (board.Condition, error) { return conditionOf(m.device.answering()) }

// Latest goes past the gate.
func (m memory) Latest() (board.Condition, error) { return conditionOf(m.device.refresh()) }

// conditionOf returns the condition, if it is known, also with an error.
func conditionOf(s *snapshot, err error) (c board.Condition, _ error) {
	if s.rest != nil {
		c = s.condition
	}
	return c, err
}

// Inject changes the condition and nothing else.
func (m memory) Inject(change func(*board.Condition) error) error { return m.device.inject(change) }

// Change changes the condition and keys.
func (m memory) Change(change func(board.Keys, *board.Condition) error) error {
	return m.device.change(func(tx *sql.Tx, c *board.Condition) error { return change(flashKeys{tx}, c) })
}

// View lets the keys be looked at by a call of the host.
func (m memory) View(look func(board.Keys) error) error {
	if _, err := m.device.current(); err != nil {
		return err
	}
	return deviceError(m.device.file.View(func(tx *sql.Tx) error { return look(flashKeys{tx}) }))
}

// Files reads the files of supervised boot.
func (m memory) Files() (files []board.File, err error) {
	err = m.device.file.View(func(tx *sql.Tx) error {
		files, err = flashKeys{tx}.Files()
		return err
	})
	return files, deviceError(err)
}

// SignFile signs with an Ed25519 key also where hosts get no such signatures.
func (m memory) SignFile(s scm.Slot, digest []byte) ([]byte, error) {
	return m.device.signWith(s, func(k *private) ([]byte, error) {
		always := *k
		always.use = settings.Ed25519Digest
		return always.signMessage(m.device.options.Nonce, digest)
	})
}

// StoreFile stores a file of supervised boot.
func (m memory) StoreFile(f board.File) error {
	return m.device.transact(func(tx *sql.Tx, _ *effect) error {
		_, err := tx.Exec("REPLACE INTO boot_file (path, slot, signature) VALUES (?, ?, ?)", f.Path, int(f.Signer), f.Signature)
		return err
	})
}

// RemoveFile removes a file of supervised boot.
func (m memory) RemoveFile(path string) error {
	return m.device.release(func(tx *sql.Tx, _ *effect) error {
		done, err := tx.Exec("DELETE FROM boot_file WHERE path = ?", path)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("boot file %q is not in the manifest: %w", path, scm.ErrInput))
		}
		return nil
	})
}

// flashKeys are the keys in the flash, within a transaction.
type flashKeys struct{ tx *sql.Tx }

// Files reads the table boot_file.
func (k flashKeys) Files() (files []board.File, err error) {
	for rows, err := range queryRows(k.tx, "SELECT path, slot, signature FROM boot_file ORDER BY path") {
		if err != nil {
			return nil, err
		}
		var f board.File
		if err := rows.Scan(&f.Path, &f.Signer, &f.Signature); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Verify reports whether a signature is right, by the key that it reads.
func (k flashKeys) Verify(signer scm.Slot, digest, signature []byte) (bool, error) {
	keys, err := readKeys(k.tx, signer)
	if err != nil {
		return false, err
	}
	if len(keys) == 0 {
		return false, errEmpty(signer)
	}
	return verify(keys[0].Key, digest, signature)
}

// DropEphemeral erases the ephemeral key.
func (k flashKeys) DropEphemeral() error { return dropEphemeral(k.tx) }

// DropGenerated erases the keys in user slots that are in no wallet.
func (k flashKeys) DropGenerated() (slots []scm.Slot, err error) {
	const generated = " FROM key WHERE slot >= ? AND kind = ?"
	for rows, err := range queryRows(k.tx, "SELECT slot"+generated+" ORDER BY slot", int(scm.FirstUser), int(plainKey)) {
		if err != nil {
			return nil, err
		}
		var s scm.Slot
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		slots = append(slots, s)
	}
	_, err = k.tx.Exec("DELETE"+generated, int(scm.FirstUser), int(plainKey))
	return slots, err
}
