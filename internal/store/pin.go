// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// User is a role. The numbers are those of CK_USER_TYPE.
type User int

// The users who have a PIN.
const (
	SO User = iota
	NormalUser
)

// PIN is what can be told of a PIN without knowing it.
type PIN struct {
	Set      bool
	Failures int  // wrong ones since the last right one
	Low      bool // there were some
	LastTry  bool // the next wrong one locks it
	Locked   bool
}

// pinRow is a PIN as the file holds it: the token's secret, wrapped with a key
// that the PIN gives. It has no wrapped secret when the PIN has not been set.
type pinRow struct {
	derivation
	wrapped []byte
}

func (p *pinRow) set() bool { return len(p.wrapped) > 0 }

func (p *pinRow) describe(failures, maxFailures int) PIN {
	return PIN{
		Set:      p.set(),
		Failures: failures,
		Low:      failures > 0,
		LastTry:  failures == maxFailures-1,
		Locked:   failures >= maxFailures,
	}
}

// check returns the error of trying the PIN when none can be right.
func (p *pinRow) check() error {
	switch {
	case !p.set():
		return ErrNoPIN
	case !p.derivation.valid():
		return fmt.Errorf("PIN: %w", ErrCorrupt)
	}
	return nil
}

// wrap makes the row of a new PIN. It takes as long as derivation.key.
func wrap(u User, tokenSecret, pin []byte) *pinRow {
	p := &pinRow{derivation: newDerivation()}
	key := p.key(pin)
	defer key.Destroy()
	p.wrapped = seal(key, tokenSecret, purpose(u))
	return p
}

// unwrap returns the token's secret, or ErrPIN. The key comes from the PIN.
func (p *pinRow) unwrap(u User, key *secret.Buffer) ([]byte, error) {
	tokenSecret, err := open(key, p.wrapped, purpose(u))
	if err != nil {
		return nil, ErrPIN
	}
	return tokenSecret, nil
}

// purpose keeps what was wrapped for one user from being taken for another's.
func purpose(u User) []byte { return fmt.Appendf(nil, "libzk_pkcs11 PIN of user %d", u) }

func loadPIN(tx *sql.Tx, u User) (*pinRow, error) {
	p := &pinRow{}
	err := tx.QueryRow("SELECT passes, memory, lanes, salt, wrapped FROM pins WHERE user = ?", u).
		Scan(&p.passes, &p.memory, &p.lanes, &p.salt, &p.wrapped)
	if err == sql.ErrNoRows {
		return p, nil
	}
	return p, err
}

func (p *pinRow) save(tx *sql.Tx, u User) error {
	_, err := tx.Exec("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?, ?)",
		u, p.passes, p.memory, p.lanes, p.salt, p.wrapped)
	return err
}
