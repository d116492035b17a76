// SPDX-License-Identifier: Apache-2.0

package scm

// Locker is a device that encrypts and signs data so that only it gets them back.
type Locker interface {
	// Lock returns the data locked under a key of the device.
	Lock(plain []byte, under LockKey) ([]byte, error)
	// Unlock undoes Lock with the same key. ErrAuth for anything else than what
	// Lock of this device has returned.
	Unlock(locked []byte, under LockKey) ([]byte, error)
}

// LockKey is one of the keys under which a Locker locks.
type LockKey int

// The keys of a Locker.
const (
	OneWayKey LockKey = iota
	SharedKey         // which the device shares
)

// Keeper is a device that keeps the public keys of others, in foreign slots with
// numbers of their own.
type Keeper interface {
	// Foreign lists the foreign keys in ascending order, without those that
	// are not given away.
	Foreign() ([]Key, error)
	// ForeignKey returns one of them. ErrSlotRange, ErrSlotEmpty, ErrExport.
	ForeignKey(Slot) (Key, error)
	// StoreForeign keeps a public key in the form of Key.Public. ErrInput for
	// what is no public key on the curve, ErrFull.
	StoreForeign(Curve, []byte) (Slot, error)
	// RemoveForeign erases one of them. ErrSlotRange, ErrSlotEmpty.
	RemoveForeign(Slot) error
}

// Wallet is a device that has keys in trees, from which others are derived.
// Removing a key removes what was derived from it.
type Wallet interface {
	// NodeAddress returns where in its wallet the key in a slot is, such as
	// m/44'/0'/1, the wallet's name, and the slot of its topmost key. ErrInput
	// for a key that is in no wallet.
	NodeAddress(Slot) (address, wallet string, master Slot, err error)
}

// Reconnector is a device whose connection can break without the device being gone.
type Reconnector interface {
	// Reconnect connects anew, after which calls may work again that answered
	// ErrAbsent.
	Reconnect() error
}

// Stamper is a device that tells cheaply whether a key slot is as it was.
type Stamper interface {
	// Stamp returns a number that changes whenever the key in the slot, or whether the
	// device lets it be used, may have changed, whichever process made the change: it
	// never comes back. It costs no call to the device and never waits. It is 0 once
	// the device is closed, and only then.
	Stamp(Slot) uint64
}

// StampOf is the stamp of a key slot, and of a device that has none its version, which tells as much.
func StampOf(d Device, s Slot) uint64 {
	if stamper, can := d.(Stamper); can {
		return stamper.Stamp(s)
	}
	return d.Version()
}

// Clock is a device that knows the time.
type Clock interface {
	// Time returns seconds since 1970.
	Time() (uint32, error)
	// NextSecond is Time that answers at the moment in which the second begins.
	NextSecond() (uint32, error)
}

// Monitor is a device that tells of itself what has nothing to do with keys.
type Monitor interface {
	Health() (Health, error)
}

// Health is the state of a device; nil stands for what the device does not tell.
type Health struct {
	Production, Bound *bool
	Volts             *float32 // of the battery
	Celsius           *float32 // of the processor
	Events            []uint32 // s since 1970 of the first breach of each perimeter channel, 0 = none
}

// Bonded is a device that remembers to which token it belongs. A bond is a name for a
// token, its secret and the device, which anybody may know.
type Bonded interface {
	// Bonds tells what the device remembers. It answers like Info of a device that
	// answers, also when this one does not.
	Bonds() (Bonds, error)
	// Offer has the device remember a bond beside the one that it has, until the caller
	// has stored what belongs to it. A second Offer takes the place of the first.
	Offer(bond []byte) error
	// Bind makes a bond the only one. So does the Unseal that makes a new root key after
	// Prepare, with the bond that was offered last; one that has no room to write leaves it.
	Bind(bond []byte) error
	// Seals reports whether the secret of Prepare will be needed to unseal the device.
	Seals() bool
	// SealedTo reports whether this secret unseals the root key: that of the latest
	// Prepare, too. It does not for a device that is open to everybody.
	SealedTo(secret []byte) (bool, error)
	Witness
}

// Witness is a device that counts, so that an older copy of its memory, or of what goes
// with that, is noticed.
type Witness interface {
	// Changes returns how many changes the device has had, and what it was told to have
	// seen when the latest of them was made. Both grow, unless an older copy was put back.
	Changes() (changes, seen uint64, err error)
	// Counted is the number of changes that this process knows of. It costs nothing.
	Counted() uint64
	// Saw tells the device a number that grows, which it notes with its next change.
	Saw(seen uint64)
	// Note has it noted at once, also one that is smaller.
	Note(seen uint64) error
}

// Bonds are what a device remembers of the token that it belongs to.
type Bonds struct {
	Serial string // of the device, as in Info
	Token  []byte // of the token, nil for none
	Next   []byte // of the latest Offer, nil when a Bind has followed
	Sealed bool   // a secret is needed to unseal the device
}
