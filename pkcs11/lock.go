// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// The SCM locks data as a whole, signs it, and gives nothing of it back before it has
// checked the signature: data comes in by parts, but goes out in one piece, at the end.

// locking is an encryption or a decryption under way.
type locking struct {
	way    *lockWay
	shared bool
	data   []byte // that came in by parts
}

// eraseSecrets overwrites what came in.
func (w *locking) eraseSecrets() { clear(w.data) }

// lockWay is one of the two ways of CKM_ZK_LOCK.
type lockWay struct {
	run func(l scm.Locker, data []byte, shared bool) ([]byte, error)
	// size is how long the result can be, for callers who ask before there is one.
	size func(data int) int
}

var (
	lockingWay   = lockWay{scm.Locker.Lock, lockedSize}
	unlockingWay = lockWay{scm.Locker.Unlock, unlockedSize}
)

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

// lockInfo describes CKM_ZK_LOCK, if the device has it.
func (t *token) lockInfo() (MechanismInfo, error) {
	if _, can := t.device.(scm.Locker); !can {
		return MechanismInfo{}, CKR_MECHANISM_INVALID
	}
	info := MechanismInfo{Flags: CKF_ENCRYPT | CKF_DECRYPT}
	if t.slot.options.Hardware {
		info.Flags |= CKF_HW
	}
	return info, nil
}

// beginLocking begins an operation, or cancels it without a mechanism.
func (s *session) beginLocking(o *operation[locking], way *lockWay, m *Mechanism, key uint) error {
	if m == nil {
		o.end()
		return nil
	}
	if err := o.checkIdle(); err != nil {
		return err
	}
	if _, err := mechanismFor(m, CKF_ENCRYPT); err != nil {
		return err
	}
	if _, err := s.token.mechanismInfo(m.Type); err != nil {
		return err
	}
	if err := s.lockKey(key, m); err != nil {
		return err
	}
	return o.begin(&locking{way: way, shared: len(m.Parameter) > 0 && m.Parameter[0] == CK_TRUE})
}

// lockKey checks the key that a caller gives. The SCM locks with keys that are no
// objects, so that CK_INVALID_HANDLE is right. A key in a key slot is taken, too, for
// callers that cannot go without one, and stands for the SCM that it is in.
func (s *session) lockKey(key uint, m *Mechanism) error {
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

// lockWhole locks or unlocks data in one part.
func (s *session) lockWhole(o *operation[locking], data []byte, out Output[byte]) error {
	w, err := o.workInOne()
	if err != nil {
		return err
	}
	return s.finishLocking(o, w, data, out)
}

// lockPart takes a part of the data in, and gives nothing out.
func (s *session) lockPart(o *operation[locking], part []byte, out Output[byte]) error {
	w, err := o.workInParts()
	if err != nil {
		return err
	}
	ok, err := out.isWanted(0)
	if ok {
		w.data = secret.Append(w.data, part...)
		out.copyResult(nil)
	}
	return o.endOnError(err)
}

// lockFinal locks or unlocks the data that came in by parts.
func (s *session) lockFinal(o *operation[locking], out Output[byte]) error {
	w, err := o.workInParts()
	if err != nil {
		return err
	}
	return s.finishLocking(o, w, w.data, out)
}

// finishLocking gives the result to the caller. One that asks for its size is told what it can
// be at most, because that costs the device nothing; who gives a buffer needs room for
// the result as it is.
func (s *session) finishLocking(o *operation[locking], w *locking, data []byte, out Output[byte]) error {
	if out.Buffer == nil {
		_, err := out.isWanted(w.way.size(len(data)))
		return o.endOnError(err)
	}
	result, err := s.token.lockData(w, data)
	defer clear(result)
	if err == nil {
		err = out.writeResult(result)
	}
	if err != error(CKR_BUFFER_TOO_SMALL) {
		o.end()
	}
	return err
}

// lockData asks the device. An operation does not outlive the login: there is no code for
// one that is missing by then.
func (t *token) lockData(w *locking, data []byte) ([]byte, error) {
	locker, can := t.device.(scm.Locker)
	if !can || t.user() != CKU_USER {
		return nil, CKR_OPERATION_NOT_INITIALIZED
	}
	result, err := w.way.run(locker, data, w.shared)
	if errors.Is(err, scm.ErrSealed) {
		return nil, CKR_OPERATION_NOT_INITIALIZED // logged out meanwhile
	}
	return result, err
}
