// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/softkey"
)

// The SCM locks data as a whole, signs it, and gives nothing of it back before it has
// checked the signature: data comes in by parts, but goes out in one piece, at the end.

// locking is the stream of CKM_ZK_LOCK: data that is locked, or unlocked.
type locking struct {
	token *token
	run   func(l scm.Locker, data []byte, under scm.LockKey) ([]byte, error)
	size  func(data int) int // of the result at most
	key   scm.LockKey
	data  []byte // that came in by parts
}

// lockData begins to lock data.
func lockData(t *task) (softkey.Stream, error) {
	return &locking{token: t.token, run: scm.Locker.Lock, size: lockedSize, key: t.how.lockKey()}, nil
}

// unlockData begins to unlock data.
func unlockData(t *task) (softkey.Stream, error) {
	return &locking{token: t.token, run: scm.Locker.Unlock, size: unlockedSize, key: t.how.lockKey()}, nil
}

// lockKey returns the key that is to lock data.
func (m *Mechanism) lockKey() scm.LockKey {
	if len(m.Parameter) > 0 && m.Parameter[0] == CK_TRUE {
		return scm.SharedKey
	}
	return scm.OneWayKey
}

// canLock reports whether a token's device locks data.
func canLock(m abilities) bool {
	_, can := m.device.(scm.Locker)
	return can
}

// eraseSecrets overwrites what came in.
func (w *locking) eraseSecrets() { clear(w.data) }

// lockedSize is the length of n bytes when they are locked: a header of 8 bytes,
// padded blocks of 16, and a signature of 64.
func lockedSize(n int) int { return 8 + (n/16+1)*16 + 64 }

// unlockedSize is at least the length of what n bytes of locked data hold.
func unlockedSize(n int) int { return n }

// lockParams checks the parameter of CKM_ZK_LOCK: none, or a CK_BBOOL.
func lockParams(m *Mechanism) error {
	p := m.Parameter
	if m.Params != nil || len(p) > 1 || len(p) == 1 && p[0] > CK_TRUE {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// checkLockKey checks the key that a caller gives. The SCM locks with keys that are no
// objects, so that CK_INVALID_HANDLE is right. A key in a key slot is taken, too, for
// callers that cannot go without one, and stands for the SCM that it is in.
func (s *session) checkLockKey(key uint, m *Mechanism) error {
	if s.token.user() != CKU_USER {
		return CKR_USER_NOT_LOGGED_IN
	}
	if key == CK_INVALID_HANDLE {
		return nil
	}
	o, err := s.findKey(key)
	switch {
	case err != nil:
		return err
	case o.heldKey() == nil:
		return CKR_KEY_TYPE_INCONSISTENT
	}
	return o.checkAllowed(m.Type)
}

func (w *locking) WholeSize(n int) int { return w.size(n) }
func (w *locking) UpdateSize(int) int  { return 0 }
func (w *locking) FinalSize() int      { return w.size(len(w.data)) }

// Whole asks the device. An operation does not outlive the login: there is no code for
// one that is missing by then.
func (w *locking) Whole(_, data []byte) ([]byte, error) {
	locker, can := w.token.device.(scm.Locker)
	if !can || w.token.user() != CKU_USER {
		return nil, CKR_OPERATION_NOT_INITIALIZED
	}
	result, err := w.run(locker, data, w.key)
	if errors.Is(err, scm.ErrSealed) {
		return nil, CKR_OPERATION_NOT_INITIALIZED // logged out meanwhile
	}
	return result, err
}

// Update takes a part of the data in, and gives nothing out.
func (w *locking) Update(dst, part []byte) ([]byte, error) {
	w.data = secret.Append(w.data, part...)
	return dst, nil
}

func (w *locking) Final([]byte) ([]byte, error) { return w.Whole(nil, w.data) }
