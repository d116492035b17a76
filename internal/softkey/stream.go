// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"reflect"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// Stream turns one message into another: an encryption, a decryption, a key that is wrapped or
// unwrapped. The message comes as a whole, or in parts. All results are appended to dst, whose
// room beyond its length may be the memory of a caller; it may be that of the input, too.
// What comes back with an error is nil, and ends the operation.
type Stream interface {
	// WholeSize is how many bytes Whole gives for a message of n: as many, or where only the
	// decryption can tell, no more than that.
	WholeSize(n int) int
	// Whole does the whole message, of which there was no Update.
	Whole(dst, message []byte) ([]byte, error)
	// UpdateSize is how many bytes Update gives for n more.
	UpdateSize(n int) int
	// Update goes on with a part of the message.
	Update(dst, part []byte) ([]byte, error)
	// FinalSize is how many bytes Final gives, or no fewer.
	FinalSize() int
	// Final ends the message.
	Final(dst []byte) ([]byte, error)
}

// Signer makes a signature or an authentication code. Sign ends the operation.
type Signer interface {
	// Update goes on with a part of the message, or with all of it.
	Update(part []byte) error
	// Size is the length of the signature.
	Size() int
	// Sign appends the signature to dst.
	Sign(dst []byte) ([]byte, error)
}

// Verifier checks a signature or an authentication code. Verify ends the operation.
type Verifier interface {
	// Update goes on with a part of the message, or with all of it.
	Update(part []byte) error
	// Verify returns ErrSignature or ErrSignatureLength for a signature that is none.
	Verify(signature []byte) error
}

// separated returns the input, or a copy of it where dst would overwrite what was not read yet:
// the ciphers of the standard library panic then. Into its own place a message may go.
func separated(dst, input []byte) []byte {
	if addressOf(dst[len(dst):cap(dst)]) == addressOf(input) {
		return input
	}
	return elsewhere(dst, input)
}

// elsewhere is separated for what writes ahead of where it reads.
func elsewhere(dst, input []byte) []byte {
	room := dst[len(dst):cap(dst)]
	if len(room) == 0 || len(input) == 0 {
		return input
	}
	out, in := addressOf(room), addressOf(input)
	if out >= in+uintptr(len(input)) || in >= out+uintptr(len(room)) {
		return input
	}
	return slices.Clone(input)
}

// addressOf is where a slice lies.
func addressOf(b []byte) uintptr {
	if len(b) == 0 {
		return 0
	}
	return reflect.ValueOf(&b[0]).Pointer()
}

// gathered is a message that has to be there as a whole, in memory that is overwritten at the end.
type gathered struct {
	message []byte
	most    int // or -1: any length
	ended   bool
}

// addPart takes one more part.
func (g *gathered) addPart(part []byte) error {
	if g.ended {
		return ErrEnded
	}
	if g.most >= 0 && len(g.message)+len(part) > g.most {
		g.endMessage()
		return ErrLength
	}
	g.message = secret.Append(g.message, part...)
	return nil
}

// endMessage overwrites the message.
func (g *gathered) endMessage() {
	clear(g.message)
	g.message, g.ended = nil, true
}

// transform is what a whole message is turned by.
type transform interface {
	// size is the length of the result, or an upper bound, for a message of n bytes.
	outputSize(n int) int
	// apply appends the result to dst.
	applyTo(dst, message []byte) ([]byte, error)
}

// whole is the Stream of what needs the whole message.
type whole struct {
	gathered
	transform transform
}

// newWhole returns the Stream of messages of up to most bytes, or of any length for -1.
func newWhole(t transform, most int) *whole { return &whole{gathered{most: most}, t} }

func (w *whole) WholeSize(n int) int { return w.transform.outputSize(n) }

func (w *whole) Whole(dst, message []byte) ([]byte, error) {
	if w.ended {
		return nil, ErrEnded
	}
	w.endMessage()
	if w.most >= 0 && len(message) > w.most {
		return nil, ErrLength
	}
	return w.transform.applyTo(dst, separated(dst, message))
}

func (w *whole) UpdateSize(int) int { return 0 }

func (w *whole) Update(dst, part []byte) ([]byte, error) {
	if err := w.addPart(part); err != nil {
		return nil, err
	}
	return dst, nil
}

func (w *whole) FinalSize() int { return w.transform.outputSize(len(w.message)) }

func (w *whole) Final(dst []byte) ([]byte, error) {
	if w.ended {
		return nil, ErrEnded
	}
	defer w.endMessage()
	return w.transform.applyTo(dst, w.message)
}
