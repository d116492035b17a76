// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// kind says what a key slot holds beside a public key.
type kind int

const (
	plainKey kind = iota // a private key
	seedKey              // the topmost key of a wallet: a private key and a chain code
	childKey             // a private key derived from another, and a chain code
	watchKey             // a chain code only: part of an oversight wallet

	extendedSeedKey  // a seedKey of BIP32-Ed25519
	extendedChildKey // a childKey of BIP32-Ed25519
)

// isSeed reports whether the key is the topmost one of a wallet that signs.
func (k kind) isSeed() bool { return k == seedKey || k == extendedSeedKey }

// privateSize is the length in bytes of the private key.
func (k kind) privateSize() int {
	switch k {
	case watchKey:
		return 0
	case extendedSeedKey, extendedChildKey:
		return extendedSize
	}
	return secretSize
}

// chainSize is the length in bytes of the chain code of a key in a wallet.
const chainSize = 32

// sealedSize is the length in bytes of what is sealed beside a key of the kind:
// the private key, then the chain code.
func (k kind) sealedSize() int {
	if k == plainKey {
		return secretSize
	}
	return k.privateSize() + chainSize
}

// sealedKey is a row of the table key.
type sealedKey struct {
	scm.Key
	kind   kind
	blob   []byte // what belongs to the kind, sealed under the root key
	hidden bool   // the public key is not given away
	node   node
}

// node is the place of a key in its wallet, the zero value for other keys.
type node struct {
	parent  scm.Slot // meaningless at the top
	master  scm.Slot // slot of the topmost key
	address string   // such as m/44'/0'/1
	wallet  string   // name of the wallet, at the top only
}

func (n node) isTop(s scm.Slot) bool { return n.address != "" && n.master == s }

const keyColumns = "slot, curve, kind, public, sealed, hidden, coalesce(parent, 0), coalesce(master, 0), coalesce(address, ''), coalesce(wallet, '')"

// readKeys returns the keys in the slots.
func readKeys(tx *sql.Tx, slots ...scm.Slot) (keys []*sealedKey, err error) {
	list, err := json.Marshal(slots)
	if err != nil {
		return nil, err
	}
	const statement = "SELECT " + keyColumns + " FROM key WHERE slot IN (SELECT value FROM json_each(?))"
	for rows, err := range queryRows(tx, statement, string(list)) {
		if err != nil {
			return nil, err
		}
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func scanKey(rows *sql.Rows) (*sealedKey, error) {
	k := new(sealedKey)
	err := rows.Scan(&k.Slot, &k.Curve, &k.kind, &k.Public, &k.blob, &k.hidden,
		&k.node.parent, &k.node.master, &k.node.address, &k.node.wallet)
	if err != nil {
		return nil, err
	}
	return k, checkKey(k.Key)
}

// sameAs reports whether two keys are one, in the same form.
func (k *sealedKey) sameAs(other *sealedKey) bool {
	return k != nil && other != nil && k.Curve == other.Curve && k.kind == other.kind &&
		bytes.Equal(k.Public, other.Public) && bytes.Equal(k.blob, other.blob)
}

// writeKey stores a new key, sealed under r, in its slot, which is empty.
func writeKey(tx *sql.Tx, r *root, k *sealedKey, secret []byte) (err error) {
	if k.blob, err = r.seal(k.context(), secret); err != nil {
		return err
	}
	var parent, master, address, wallet any
	if n := k.node; n.address != "" {
		master, address = int(n.master), n.address
		if n.isTop(k.Slot) {
			wallet = n.wallet
		} else {
			parent = int(n.parent)
		}
	}
	_, err = tx.Exec(`INSERT INTO key (slot, curve, kind, public, sealed, hidden, parent, master, address, wallet)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int(k.Slot), int(k.Curve), int(k.kind), k.Public, k.blob, k.hidden, parent, master, address, wallet)
	return err
}

// resealKey seals a key that is stored anew.
func resealKey(tx *sql.Tx, r *root, k *sealedKey, secret []byte) error {
	blob, err := r.seal(k.context(), secret)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE key SET sealed = ? WHERE slot = ?", blob, int(k.Slot))
	return err
}

// eraseKey erases the key if it is in its slot, whatever is there if it has no
// public key, and what was derived from it, and returns the slots of all of them.
func eraseKey(tx *sql.Tx, k scm.Key) (erased []scm.Slot, err error) {
	if erased, err = slotsWith(tx, k); err != nil {
		return nil, err
	}
	if erased == nil {
		return nil, errEmpty(k.Slot)
	}
	_, err = tx.Exec("DELETE FROM key WHERE slot = ?", int(k.Slot))
	return erased, err
}

// slotsWith returns the slot of a key, and those of the keys that are derived from it.
func slotsWith(tx *sql.Tx, k scm.Key) (slots []scm.Slot, err error) {
	const derived = `
WITH RECURSIVE erased (slot) AS (
	SELECT slot FROM key WHERE slot = ?1 AND (?2 IS NULL OR public = ?2)
	UNION SELECT key.slot FROM key JOIN erased ON key.parent = erased.slot
) SELECT slot FROM erased`
	for rows, err := range queryRows(tx, derived, int(k.Slot), k.Public) {
		if err != nil {
			return nil, err
		}
		var s scm.Slot
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		slots = append(slots, s)
	}
	return slots, nil
}

// freeSlot returns the user slot without a key that the next new key gets.
func (d *Device) freeSlot(tx *sql.Tx) (scm.Slot, error) {
	for _, query := range freeSlotQueries(d.options.Allocation) {
		var s scm.Slot
		if err := tx.QueryRow(query, int(scm.FirstUser)).Scan(&s); err != nil {
			return 0, err
		}
		if int(s-scm.FirstUser) < d.options.UserSlots {
			return s, nil
		}
	}
	return 0, fmt.Errorf("all %d user slots hold keys: %w", d.options.UserSlots, scm.ErrFull)
}

// freeSlotQueries ask for the slot of the next key, the second one when the first has none.
func freeSlotQueries(allocation string) []string {
	const (
		highest = "SELECT coalesce(max(slot), ?1 - 1) + 1 FROM key WHERE slot >= ?1"
		lowest  = `
SELECT min(s) FROM (SELECT ?1 AS s UNION ALL SELECT slot + 1 FROM key WHERE slot >= ?1)
WHERE s NOT IN (SELECT slot FROM key)`
	)
	if allocation == settings.AllocateNext {
		return []string{highest, lowest}
	}
	return []string{lowest}
}

// slotHolds reports whether there is a key in slot s.
func slotHolds(tx *sql.Tx, s scm.Slot) (yes bool, err error) {
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM key WHERE slot = ?)", int(s)).Scan(&yes)
	return yes, err
}
