// SPDX-License-Identifier: Apache-2.0

// Package scm is the Secure Compute Module as this project sees it: a few
// numbered key slots that sign, agree and make keys, and never give a private
// key away. It speaks of keys and signatures, not of PKCS#11.
//
// A device is anything that implements [Device] and passes package scmtest.
// What only some devices can do stands in small interfaces of its own
// ([Agreer], [Sealer], [Volatile], [Placer], [Locker] and more), which callers
// find by type assertion.
package scm

import "errors"

// Slot is the number of a key slot.
type Slot int

// The slots of an SCM. Volatile slots exist only in devices that are
// [Volatile].
const (
	LastPermanent  Slot = 15  // 0 to 13 P-256, 14 and 15 Ed25519; never removed
	FirstEd25519   Slot = 14  // first of the two permanent Ed25519 slots
	FirstUser      Slot = 16  // first slot that Generate may take
	LastUser       Slot = 527 // 512 user slots
	EphemeralSlot  Slot = -1  // the vendor's single ephemeral key pair
	FirstVolatile  Slot = -2  // volatile slots count down from here
	PermanentSlots      = 16  // how many permanent slots there are
	UserSlots           = 512 // how many user slots there are
	ForeignSlots        = 128 // foreign public keys have slots 0 to 127 of their own
)

// Permanent reports whether s is one of the slots that are there from the
// factory on and cannot be removed.
func (s Slot) Permanent() bool { return s >= 0 && s <= LastPermanent }

// User reports whether s is one of the slots in which Generate puts keys.
func (s Slot) User() bool { return s >= FirstUser && s <= LastUser }

// Volatile reports whether s holds a key that lives only as long as the device
// is open in this process.
func (s Slot) Volatile() bool { return s <= FirstVolatile }

// Info describes a device. The strings are plain ASCII.
type Info struct {
	Model        string // "SCM" or "Soft SCM"
	Manufacturer string // "Zymbit" or "zk_pkcs11"
	Serial       string // at most 16 characters, the same for the life of the device
	Firmware     string // as the device reports it, such as "01.02.02release"
}

// Key is the public side of a key slot.
type Key struct {
	Slot  Slot
	Curve Curve
	// Public is x‖y, 64 bytes big-endian, for P-256 and secp256k1, and the 32
	// bytes of RFC 8032 or RFC 7748 for Ed25519 and X25519.
	Public []byte
}

// Device is an SCM. Its methods may be called from any goroutine.
//
// Several processes may use one device at the same time; what one changes is
// seen by the next call in another.
type Device interface {
	// Info describes the device. It does not need the device to be unsealed.
	Info() (Info, error)
	// Version is a number that changes whenever Keys or Info would answer
	// differently from before, whichever process made the change. It costs no
	// call to the device.
	Version() uint64
	// Keys lists the allocated key slots in ascending order, without the
	// volatile ones and those whose public key is not given away.
	Keys() ([]Key, error)
	// PublicKey returns one allocated slot. ErrSlotRange, ErrSlotEmpty,
	// ErrExport.
	PublicKey(Slot) (Key, error)
	// Generate makes a key pair in the lowest free user slot. ErrFull when
	// there is none, or no room to store the key.
	Generate(Curve) (Key, error)
	// Remove erases the key pair of a user or volatile slot for good. The slot
	// has to hold this key; a Key without Public stands for whatever is there.
	// ErrSlotEmpty when it does not, ErrPermanent for the permanent slots.
	Remove(Key) error
	// Sign returns a signature of 64 bytes: r‖s over a digest of exactly 32
	// bytes for P-256 and secp256k1, R‖S over the message for Ed25519.
	// ErrInput when the device cannot sign an input of that length, ErrCurve
	// when the slot's key cannot sign at all.
	Sign(Slot, []byte) ([]byte, error)
	// Random fills the buffer from the device's generator.
	Random([]byte) error
	// Close releases the device; volatile keys are gone after it.
	Close() error
}

// Agreer is a device that computes Diffie-Hellman secrets.
type Agreer interface {
	// Agree returns the shared secret of 32 bytes: the x coordinate for P-256
	// and secp256k1, the output of X25519 for X25519. The peer's public key
	// has the form of Key.Public. ErrInput for a peer that is no valid public
	// key on the slot's curve, ErrCurve for Ed25519 slots.
	Agree(slot Slot, peer []byte) ([]byte, error)
}

// Placer is a device that makes a key pair before it puts it into a slot, which is of the
// caller's choice: a caller that remembers keys can write down beforehand which one it will be.
type Placer interface {
	// Draft makes a key pair that is in no slot.
	Draft(Curve) (Draft, error)
	// Free returns the slot that Generate would take, were it only for those that the
	// caller wants. ErrFull when none of them is free.
	Free(wanted func(Slot) bool) (Slot, error)
}

// Draft is a key pair that is in no slot yet.
type Draft interface {
	// Public is Key.Public.
	Public() []byte
	// Place puts the key pair into a slot, as Generate does. ErrSlotTaken, ErrSlotRange.
	Place(Slot) (Key, error)
	// Discard forgets the private key. It is to be called at the end in any case.
	Discard()
}

// Volatile is a device that has room for key pairs that live only as long as
// the device is open in this process.
type Volatile interface {
	// GenerateVolatile makes a key pair in a slot below EphemeralSlot.
	GenerateVolatile(Curve) (Key, error)
}

// Heritable is a Volatile device whose volatile keys can go on in another image of it,
// that of a forked child.
type Heritable interface {
	// VolatileSecret returns what is secret of the key in a volatile slot.
	VolatileSecret(Slot) ([]byte, error)
	// AdoptVolatile puts a key into the volatile slot that it has, with what
	// VolatileSecret has returned. ErrSlotTaken, ErrInput.
	AdoptVolatile(key Key, secret []byte) error
}

// Sealer is a device whose private keys stay sealed until a secret opens them.
// Sign, Agree, Generate and GenerateVolatile return ErrSealed before. A new
// secret is given in two steps, between which the caller stores it, so that a
// crash never leaves a device that nothing unseals any more.
type Sealer interface {
	// Prepare makes secret unseal the device, too, and changes nothing else.
	// The first Unseal with it then makes it the only thing that unseals the
	// device, and everything sealed under an earlier secret, or none, is
	// sealed anew; other processes that had the device unsealed find it
	// sealed. The device has to be unsealed, or never have been sealed. A
	// second Prepare takes the place of one that no Unseal has followed.
	Prepare(secret []byte) error
	// Unseal opens the device for this process. ErrSecret when the secret is
	// not the one.
	Unseal(secret []byte) error
	// Forget seals the device again for this process.
	Forget()
}

// Capability is what a device can do with a curve.
type Capability struct {
	Generate, Sign, Agree bool
	// Message is the only length in bytes that Sign takes, 0 for any.
	Message int
}

// Capable is a device that says what it can do with a curve; one that does
// not is taken to do everything that its interfaces offer with every curve.
type Capable interface {
	Capability(Curve) Capability
}

// The errors of a device. Implementations wrap them; callers use errors.Is.
var (
	ErrSlotRange = errors.New("no such key slot")
	ErrSlotEmpty = errors.New("key slot is empty")
	ErrSlotTaken = errors.New("key slot is in use")
	ErrPermanent = errors.New("key slot is permanent")
	ErrFull      = errors.New("no room for more")
	ErrCurve     = errors.New("not possible with a key on this curve")
	ErrInput     = errors.New("input has the wrong form")
	ErrSealed    = errors.New("private keys are sealed")
	ErrSecret    = errors.New("wrong secret")
	ErrReadOnly  = errors.New("device state cannot be written")
	ErrExport    = errors.New("public key is not given away")
	ErrAuth      = errors.New("data was not locked by this device or has been changed")
	ErrName      = errors.New("wallet name is in use")
	ErrBusy      = errors.New("device is busy with something else")
	ErrFixed     = errors.New("setting cannot be changed any more")
	ErrDestroyed = errors.New("device has destroyed its keys")
	ErrAbsent    = errors.New("device does not answer")
	ErrTimeout   = errors.New("device did not answer in time")
	ErrAbility   = errors.New("device has no such ability")
	ErrDevice    = errors.New("device failure")
	ErrNone      = errors.New("there is no device")
	ErrForeign   = errors.New("the token and its SCM do not belong together")
)
