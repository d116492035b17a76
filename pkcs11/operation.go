// SPDX-License-Identifier: Apache-2.0

package pkcs11

// operation is the state of one kind of cryptographic operation in a session:
// idle (work is nil) or begun, and by which functions it goes on. The kinds are
// independent of each other, so that a session can digest and sign at the same time.
type operation[T any] struct {
	work *T
	way  way
}

// way is how data comes in. The first function that takes some decides it.
type way uint8

const (
	undecided way = iota
	inOne         // C_Sign and the like, also when it only asks for the size
	inParts       // Update and Final functions
	inMessage     // Next functions, until the message ends that C_EncryptMessageBegin and the like have begun
)

// begin starts an operation.
func (o *operation[T]) begin(work *T) error {
	if o.work != nil {
		return CKR_OPERATION_ACTIVE
	}
	o.work, o.way = work, undecided
	return nil
}

// checkIdle returns an error unless begin would succeed, before the work for it is done.
func (o *operation[T]) checkIdle() error {
	if o.work != nil {
		return CKR_OPERATION_ACTIVE
	}
	return nil
}

// workInOne returns the work for a function that takes all data at once.
func (o *operation[T]) workInOne() (*T, error) { return o.workBy(inOne) }

// workInParts returns the work for an Update or Final function.
func (o *operation[T]) workInParts() (*T, error) { return o.workBy(inParts) }

// workBy returns the work for a function that works in one way. To go on in the
// other ends the operation.
func (o *operation[T]) workBy(w way) (*T, error) {
	switch {
	case o.work == nil:
		return nil, CKR_OPERATION_NOT_INITIALIZED
	case o.way != undecided && o.way != w:
		o.end()
		return nil, CKR_OPERATION_ACTIVE
	}
	o.way = w
	return o.work, nil
}

// workForMessage returns the work for a function that takes a message, or begins one. There may be many in an operation,
// one after another.
func (o *operation[T]) workForMessage() (*T, error) {
	switch {
	case o.work == nil:
		return nil, CKR_OPERATION_NOT_INITIALIZED
	case o.way != undecided:
		return nil, CKR_OPERATION_ACTIVE
	}
	return o.work, nil
}

// workInMessage returns the work for a function that goes on with a message.
func (o *operation[T]) workInMessage() (*T, error) {
	if o.work == nil || o.way != inMessage {
		return nil, CKR_OPERATION_NOT_INITIALIZED
	}
	return o.work, nil
}

// beginMessage begins a message.
func (o *operation[T]) beginMessage() { o.way = inMessage }

// endMessage ends one. The operation goes on with the next.
func (o *operation[T]) endMessage() {
	o.eraseSecrets()
	o.way = undecided
}

// endMessageOnError ends a message if err says that it failed: too small a buffer is no failure.
func (o *operation[T]) endMessageOnError(err error) error {
	if err != nil && err != error(CKR_BUFFER_TOO_SMALL) {
		o.endMessage()
	}
	return err
}

// finishMessages ends an operation of messages. One that is in the middle of a message does not end so.
func (o *operation[T]) finishMessages() error {
	if _, err := o.workForMessage(); err != nil {
		return err
	}
	o.end()
	return nil
}

// eraser is work that holds secrets.
type eraser interface{ eraseSecrets() }

// end makes the operation idle.
func (o *operation[T]) end() {
	o.eraseSecrets()
	o.work, o.way = nil, undecided
}

// eraseSecrets overwrites the secrets that the work holds.
func (o *operation[T]) eraseSecrets() {
	if w, holds := any(o.work).(eraser); holds && o.work != nil {
		w.eraseSecrets()
	}
}

// endOnError ends the operation if err says that it failed.
func (o *operation[T]) endOnError(err error) error {
	if err != nil {
		o.end()
	}
	return err
}

// endUnless is endOnError for an error that ends the operation, and returns another if there is none.
func (o *operation[T]) endUnless(failed, err error) error {
	if failed != nil {
		return o.endOnError(failed)
	}
	return err
}

// keepFor returns the error of a result that is not wanted now. Asking for the size, and too small a buffer, leave the
// operation as it is.
func (o *operation[T]) keepFor(err error) error {
	if err == error(CKR_BUFFER_TOO_SMALL) {
		return err
	}
	return o.endOnError(err)
}

// finish reports whether the result of an operation, which has size bytes, is wanted now,
// and then ends the operation. Asking for the size, and too small a buffer, leave the
// operation as it is; everything else ends it.
func (o *operation[T]) finish(out Output[byte], size int) (wanted bool, err error) {
	wanted, err = out.isWanted(size)
	if wanted || err != nil && err != CKR_BUFFER_TOO_SMALL {
		o.end()
	}
	return wanted, err
}
