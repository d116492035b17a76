// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/ecdh"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// foreignKey is a row of the table foreign_key: somebody else's public key.
type foreignKey struct {
	scm.Key
	hidden bool // it is not given away
}

// Foreign lists the foreign public keys in ascending order of their slots,
// without those that are not given away.
func (d *Device) Foreign() ([]scm.Key, error) {
	known, err := d.current()
	if err != nil {
		return nil, err
	}
	var keys []scm.Key
	for _, s := range known.foreignSlots() {
		if k := known.foreign[s]; !k.hidden {
			keys = append(keys, cloneKey(k.Key))
		}
	}
	return keys, nil
}

// ForeignSlots lists the slots of all foreign public keys in ascending order.
func (d *Device) ForeignSlots() ([]scm.Slot, error) {
	known, err := d.current()
	if err != nil {
		return nil, err
	}
	return known.foreignSlots(), nil
}

func (r *rest) foreignSlots() []scm.Slot { return slices.Sorted(maps.Keys(r.foreign)) }

// ForeignKey returns one foreign public key. ErrSlotRange, ErrSlotEmpty,
// ErrExport.
func (d *Device) ForeignKey(s scm.Slot) (scm.Key, error) {
	known, err := d.current()
	if err != nil {
		return scm.Key{}, err
	}
	k, err := known.foreignKey(s)
	if err != nil {
		return scm.Key{}, d.missing(known, s, err)
	}
	if k.hidden {
		return scm.Key{}, errHidden(s)
	}
	return cloneKey(k.Key), nil
}

func (r *rest) foreignKey(s scm.Slot) (foreignKey, error) {
	if s < 0 || s >= scm.ForeignSlots {
		return foreignKey{}, errRange(s)
	}
	k, ok := r.foreign[s]
	if !ok {
		return foreignKey{}, errEmpty(s)
	}
	return k, nil
}

// StoreForeign keeps a public key, in the form of scm.Key.Public, in the lowest
// free foreign slot. ErrCurve, ErrInput for what is no public key on the curve,
// ErrFull.
func (d *Device) StoreForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	if err := checkPublic(c, public); err != nil {
		return 0, err
	}
	if _, err := d.current(); err != nil {
		return 0, err
	}
	k := foreignKey{Key: scm.Key{Curve: c, Public: slices.Clone(public)}}
	err := d.transact(func(tx *sql.Tx, e *effect) (err error) {
		if k.Slot, err = freeForeign(tx); err != nil {
			return err
		}
		r := e.changeRest()
		r.foreign = maps.Clone(r.foreign)
		r.foreign[k.Slot] = k
		_, err = tx.Exec("INSERT INTO foreign_key (slot, curve, public, hidden) VALUES (?, ?, ?, FALSE)",
			int(k.Slot), int(c), public)
		return err
	})
	return k.Slot, err
}

func freeForeign(tx *sql.Tx) (s scm.Slot, err error) {
	const query = `
SELECT min(s) FROM (SELECT 0 AS s UNION ALL SELECT slot + 1 FROM foreign_key)
WHERE s NOT IN (SELECT slot FROM foreign_key)`
	if err := tx.QueryRow(query).Scan(&s); err != nil {
		return 0, err
	}
	if s >= scm.ForeignSlots {
		return 0, fmt.Errorf("all %d foreign slots hold keys: %w", scm.ForeignSlots, scm.ErrFull)
	}
	return s, nil
}

// RemoveForeign erases a foreign public key. ErrSlotRange, ErrSlotEmpty.
func (d *Device) RemoveForeign(s scm.Slot) error {
	known, err := d.current()
	if err != nil {
		return err
	}
	if s < 0 || s >= scm.ForeignSlots {
		return d.missing(known, s, errRange(s))
	}
	return d.release(func(tx *sql.Tx, e *effect) error {
		r := e.changeRest()
		r.foreign = maps.Clone(r.foreign)
		delete(r.foreign, s)
		done, err := tx.Exec("DELETE FROM foreign_key WHERE slot = ?", int(s))
		return someRow(done, err, s)
	})
}

// someRow returns ErrSlotEmpty when a statement about slot s found no row.
func someRow(done sql.Result, err error, s scm.Slot) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errEmpty(s))
	}
	return nil
}

// checkPublic refuses what is no public key on the curve.
func checkPublic(c scm.Curve, public []byte) error {
	if !isCurve(c) {
		return errUnknown(c)
	}
	if err := checkPeer(c, public); err != nil {
		return err
	}
	var err error
	switch c {
	case scm.P256:
		_, err = ecdh.P256().NewPublicKey(uncompressed(public))
	case scm.Secp256k1:
		_, err = secp256k1.ParsePubKey(uncompressed(public))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return nil
}
