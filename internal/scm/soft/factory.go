// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/sharedfile"
)

// flashName is the name of the flash in the directory of the SCM; what belongs
// to it has names that begin with it.
const flashName = "flash.db"

// manufacture makes a new SCM in the flash. When several processes do so at the
// same time, the first one wins and the others find its SCM.
func (d *Device) manufacture() error {
	r := newRoot()
	defer r.destroy()
	return deviceError(d.file.Update(func(tx *sql.Tx) error {
		if _, err := rootIDOf(tx); !errors.Is(err, errBlank) {
			return err
		}
		if err := d.rootKey.write(r); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO scm (id, serial, root_id, condition) VALUES (1, ?, ?, '')", cmp.Or(d.options.Serial, newSerial()), r.id)
		if err != nil {
			return err
		}
		return furnish(tx, r, d.clock(), 0)
	}))
}

// furnish gives an SCM without anything what it has from the factory.
func furnish(tx *sql.Tx, r *root, now time.Time, daemon int) error {
	if err := writeCondition(tx, board.FactoryCondition(now, daemon)); err != nil {
		return err
	}
	if err := addLockKeys(tx, r); err != nil {
		return err
	}
	return addPermanent(tx, r)
}

func addPermanent(tx *sql.Tx, r *root) error {
	secret := make([]byte, secretSize)
	defer clear(secret)
	for s := range scm.Slot(scm.PermanentSlots) {
		c := scm.PermanentCurve(s)
		public, err := generate(c, secret)
		if err != nil {
			return err
		}
		if err := writeKey(tx, r, &sealedKey{Key: scm.Key{Slot: s, Curve: c, Public: public}}, secret); err != nil {
			return err
		}
	}
	return nil
}

// newSerial returns 16 random hexadecimal digits.
func newSerial() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// SerialOf returns a serial number for the SCM of a name that goes with something drawn at
// random, and "" with nothing.
func SerialOf(drawn, name string) string {
	if drawn == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(drawn + "\x00" + name))
	return hex.EncodeToString(sum[:8])
}

// removeRootFile removes the root key file of a flash that is sealed to a secret, or has
// destroyed its keys. It is there while either takes effect, and after a crash in
// that moment.
// That it cannot be removed is no failure: the key in it opens nothing in the
// flash any more, and the next Open tries again.
func (d *Device) removeRootFile() {
	if !d.rootKey.exists() {
		return
	}
	// As a writer, because no other process may be making the flash one that needs the
	// file meanwhile.
	_ = d.release(func(tx *sql.Tx, _ *effect) error {
		r, err := readRest(tx)
		if err != nil || r.sealed == nil && !r.condition.Destroyed {
			return err
		}
		return d.rootKey.remove()
	})
}

// Destroy removes the soft SCM in dir, with all its keys, if there is one.
// Processes that have it open get ErrDevice from then on.
func Destroy(dir string) error {
	return errors.Join(
		rootFile{dir: dir}.remove(),
		sharedfile.Remove(filepath.Join(dir, flashName), sharedfile.DefaultWait),
		removeQueue(dir),
	)
}
