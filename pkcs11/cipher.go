// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// ciphering is an encryption or a decryption under way.
type ciphering struct {
	softkey.Stream
	onePart bool
	way     direction
	task    task
	use     use

	ended  bool   // all has come in, and the result is pending
	result []byte // for which the caller's buffer was too small
}

// eraseSecrets overwrites what came in, and what did not go out.
func (w *ciphering) eraseSecrets() {
	clear(w.result)
	if e, holds := w.Stream.(eraser); holds {
		e.eraseSecrets()
	}
}

// beginCiphering begins an operation by a row's function, which the flag and the attribute of the key name.
func (s *session) beginCiphering(o *operation[ciphering], d direction, m *Mechanism, key uint) error {
	if m == nil {
		o.end()
		return nil
	}
	if err := o.checkIdle(); err != nil {
		return err
	}
	row, err := s.token.mechanismFor(m, d.flag)
	if err != nil {
		return err
	}
	if _, err := s.token.abilities().mechanismInfo(m.Type); err != nil {
		return err
	}
	era := s.token.privateEra()
	k, err := s.cipherKey(key, d, m, row)
	if err != nil {
		return err
	}
	w := &ciphering{onePart: row.onePart, way: d, task: task{s.token, k, m, row}, use: s.beginUse(k, era)}
	if err := w.restart(); err != nil {
		return err
	}
	return o.begin(w)
}

// direction is one of the two ways in which a cipher works.
type direction struct {
	flag, attribute uint
	class           uint // of the key, if it is not a secret key
}

var (
	encrypting = direction{CKF_ENCRYPT, CKA_ENCRYPT, CKO_PUBLIC_KEY}
	decrypting = direction{CKF_DECRYPT, CKA_DECRYPT, CKO_PRIVATE_KEY}
)

// begin begins with a message.
func (d direction) begin(t *task) (softkey.Stream, error) {
	if d == encrypting {
		return t.row.encrypt(t)
	}
	return t.row.decrypt(t)
}

// failure is the error of a message, for which a decryption has codes of its own.
func (d direction) failure(err error) error {
	switch {
	case d == encrypting:
		return err
	case errors.Is(err, softkey.ErrLength):
		return CKR_ENCRYPTED_DATA_LEN_RANGE
	case errors.Is(err, softkey.ErrData):
		return CKR_ENCRYPTED_DATA_INVALID
	}
	return err
}

// cipherKey finds the key of an operation.
func (s *session) cipherKey(key uint, d direction, m *Mechanism, row *mechanism) (*object, error) {
	if row.keys == nil {
		return nil, s.checkLockKey(key, m)
	}
	return s.keyFor(key, row.keys.classOr(d.class), d.attribute, m, row)
}

// restart begins with the message anew.
func (w *ciphering) restart() (err error) {
	w.Stream, err = w.way.begin(&w.task)
	return err
}

// cipherWhole works on a message in one part. Where only the result tells its size, a caller without a buffer is told
// what it can be at most; a caller who gives a buffer needs room for the result as it is.
func cipherWhole(o *operation[ciphering], data []byte, out Output[byte]) error {
	w, err := o.workInOne()
	if err != nil {
		return err
	}
	if out.Buffer == nil {
		_, err := out.isWanted(w.WholeSize(len(data)))
		return o.endOnError(err)
	}
	if err := w.task.token.checkUsable(&w.use); err != nil {
		return o.endOnError(err)
	}
	result, err := w.Whole(nil, data)
	defer clear(result)
	if err = w.way.failure(err); err == nil {
		err = out.writeResult(result)
	}
	if err == error(CKR_BUFFER_TOO_SMALL) {
		return o.endUnless(w.restart(), err)
	}
	o.end()
	return err
}

// cipherPart works on a part of a message.
func cipherPart(o *operation[ciphering], part []byte, out Output[byte]) error {
	w, err := o.workInParts()
	if err != nil {
		return err
	}
	if w.onePart || w.ended {
		return o.endOnError(CKR_OPERATION_NOT_INITIALIZED)
	}
	wanted, err := out.isWanted(w.UpdateSize(len(part)))
	if !wanted {
		return o.keepFor(err)
	}
	if err := w.task.token.checkUsable(&w.use); err != nil {
		return o.endOnError(err)
	}
	result, err := w.Update(nil, part)
	defer clear(result)
	return o.endOnError(out.copyUnless(result, w.way.failure(err)))
}

// cipherFinal ends a message that came in by parts. A result for which there is no room waits for the next call.
func cipherFinal(o *operation[ciphering], out Output[byte]) error {
	w, err := o.workInParts()
	if err != nil {
		return err
	}
	if w.onePart {
		return o.endOnError(CKR_OPERATION_NOT_INITIALIZED)
	}
	if out.Buffer == nil && !w.ended {
		_, err := out.isWanted(w.FinalSize())
		return o.endOnError(err)
	}
	if err := w.task.token.checkUsable(&w.use); err != nil {
		return o.endOnError(err)
	}
	if !w.ended {
		w.ended = true
		if w.result, err = w.Final(nil); err != nil {
			return o.endOnError(w.way.failure(err))
		}
	}
	wanted, err := out.isWanted(len(w.result))
	if !wanted {
		return o.keepFor(err)
	}
	out.copyResult(w.result)
	o.end()
	return nil
}
