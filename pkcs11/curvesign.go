// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"hash"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// message is one that comes in, by parts or as a whole: hashed, or as it is.
type message struct {
	hash   hash.Hash // nil for one that is not hashed
	buffer []byte
	room   [64]byte // of the buffer, for a digest
}

func (t *task) newMessage() message {
	if t.row.hash == 0 {
		return message{}
	}
	return message{hash: t.row.hash.New()}
}

// Update takes a part in.
func (m *message) Update(part []byte) error {
	if m.hash == nil {
		if m.buffer == nil {
			m.buffer = m.room[:0]
		}
		m.buffer = append(m.buffer, part...)
		return nil
	}
	m.hash.Write(part)
	return nil
}

// taken is what there is to sign after all has come in.
func (m *message) taken() []byte {
	if m.hash == nil {
		return m.buffer
	}
	return m.hash.Sum(nil)
}

// deviceSigner signs with a key in the device.
type deviceSigner struct {
	message
	token *token
	key   *heldKey
}

// signOnCurve begins a signature of ECDSA or EdDSA.
func signOnCurve(t *task) (softkey.Signer, error) {
	if k := t.key.heldKey(); k != nil {
		if !t.how.isPure() {
			return nil, CKR_MECHANISM_PARAM_INVALID
		}
		return &deviceSigner{t.newMessage(), t.token, k}, nil
	}
	k, err := t.token.softKey(t.key)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *softkey.EC:
		return k.Sign(t.row.hash)
	case *softkey.Edwards:
		return k.Sign(t.how.eddsa())
	}
	return nil, CKR_KEY_TYPE_INCONSISTENT
}

func (w *deviceSigner) Size() int { return curves[w.key.Curve].signature }

func (w *deviceSigner) Sign(dst []byte) ([]byte, error) {
	signature, err := w.key.sign(w.token, w.taken())
	if dst == nil { // nothing to append to: it is given out as the device gave it
		return signature, err
	}
	return append(dst, signature...), err
}

// sign has the device sign a digest or, on Edwards curves, a message.
func (k *heldKey) sign(t *token, input []byte) ([]byte, error) {
	if err := t.checkAtHand(k); err != nil {
		return nil, err
	}
	if k.Curve != scm.Ed25519 {
		input = fitDigest(new([32]byte), input)
	}
	seen := k.held.Load()
	signature, err := t.device.Sign(k.Slot, input)
	if isGone(err) {
		return nil, err
	}
	if t.slotStamp(k.Slot) == seen { // nobody has come between
		return signature, err
	}
	if lost := t.checkStillHeld(k); lost != nil {
		return nil, lost
	}
	if err == nil && !k.hasSigned(input, signature) {
		return nil, CKR_FUNCTION_FAILED
	}
	return signature, err
}

// hasSigned reports whether a signature is one of this key, and not of one that stood in its slot for
// a moment, before this one was derived from its wallet again.
func (k *heldKey) hasSigned(input, signature []byte) bool {
	c := &curves[k.Curve]
	return len(signature) == c.signature && (&publicKey{curve: c, public: k.Public}).newVerifier().verify(input, signature)
}

// fitDigest makes a digest of 32 bytes of any input of ECDSA on a curve of 256 bits:
// the leftmost bits of a longer one, a shorter one as the same number.
func fitDigest(digest *[32]byte, input []byte) []byte {
	if len(input) >= len(digest) {
		return input[:len(digest)]
	}
	copy(digest[len(digest)-len(input):], input)
	return digest[:]
}

// curveVerifier verifies with a public key on a curve of the device.
type curveVerifier struct {
	message
	key *publicKey
}

// verifyOnCurve begins a verification of ECDSA or EdDSA.
func verifyOnCurve(t *task) (softkey.Verifier, error) {
	switch k := t.key.public.(type) {
	case *softkey.ECPublic:
		return k.Verify(t.row.hash)
	case *softkey.EdwardsPublic:
		return k.Verify(t.how.eddsa())
	}
	if !t.how.isPure() {
		return t.verifyVariant(t.key.verify.public)
	}
	return &curveVerifier{t.newMessage(), t.key.verify}, nil
}

// Verify holds a signature against what was signed.
//
// Deviates: r and s of ECDSA have all their bytes. Section 6.3.1 lets zeros be cut
// that both begin with; Wycheproof has such signatures among those to refuse.
func (w *curveVerifier) Verify(signature []byte) error {
	if n := w.key.curve.signature; n == 0 || len(signature) != n {
		return softkey.ErrSignatureLength
	}
	if !w.key.verify(w.taken(), signature) {
		return softkey.ErrSignature
	}
	return nil
}
