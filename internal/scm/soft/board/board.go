// SPDX-License-Identifier: Apache-2.0

// Package board is what an SCM has around its keys: battery, thermometer, LED,
// accelerometer, perimeter circuits, clock, the binding to its host and supervised boot.
// Its state is a [Condition]. Where that is kept, and what becomes of the keys, is the
// affair of the soft SCM, which a board sees as a [Memory].
package board

import (
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// Board is that of one SCM.
type Board struct{ memory Memory }

// New returns the board of the SCM with this memory.
func New(m Memory) *Board { return &Board{m} }

// Memory is the SCM around a board: it remembers the condition, and has the keys.
type Memory interface {
	// Settings are what kind of SCM it is.
	Settings() *settings.Settings
	// Now is the time that a right clock tells.
	Now() time.Time
	// Pause sleeps.
	Pause(time.Duration)

	// Answering returns the condition as it is now, also with the error that says why the
	// SCM does not answer its host. It stands for a call of the host.
	Answering() (Condition, error)
	// Latest returns the condition, whether the SCM answers or not.
	Latest() (Condition, error)
	// Inject changes the condition and nothing else, whether the SCM answers or not.
	Inject(change func(*Condition) error) error
	// Change changes the condition and keys in one transaction. An SCM that is destroyed
	// after it has lost all its keys.
	Change(change func(Keys, *Condition) error) error

	// View lets the keys be looked at. ErrDestroyed when there are none any more.
	View(look func(Keys) error) error
	// Files lists the files of supervised boot.
	Files() ([]File, error)
	// SignFile signs a digest as the SCM does for itself.
	SignFile(signer scm.Slot, digest []byte) ([]byte, error)
	// StoreFile adds a file of supervised boot, or takes the place of the one of its name.
	StoreFile(File) error
	// RemoveFile removes one. ErrInput when it is not there.
	RemoveFile(path string) error
}

// Keys are the keys and files of an SCM within a transaction.
type Keys interface {
	// Files lists the files of supervised boot.
	Files() ([]File, error)
	// Verify reports whether the signature of a digest is that of the key in a slot.
	// ErrSlotEmpty.
	Verify(signer scm.Slot, digest, signature []byte) (bool, error)
	// DropEphemeral erases the ephemeral key, if there is one.
	DropEphemeral() error
	// DropGenerated erases the keys in user slots that are in no wallet, and returns their
	// slots.
	DropGenerated() ([]scm.Slot, error)
}

// File is a file of supervised boot.
type File struct {
	Path      string // relative to Settings.BootDir
	Signer    scm.Slot
	Signature []byte // of the SHA-256 digest
}

func (b *Board) settings() *settings.Settings { return b.memory.Settings() }
func (b *Board) now() time.Time               { return b.memory.Now() }

// changeByHost is a call of the host that changes the condition.
func (b *Board) changeByHost(change func(*Condition) error) error {
	if _, err := b.memory.Answering(); err != nil {
		return err
	}
	return b.memory.Inject(change)
}

// waitPause is between two looks at the condition, because nothing tells one
// process what another has done.
const waitPause = 5 * time.Millisecond

// waitFor returns when something has happened. ErrTimeout when it has not within
// the time given; 0 does not wait.
func (b *Board) waitFor(timeout time.Duration, happened func(*Condition) bool) error {
	deadline := time.Now().Add(timeout)
	for {
		c, err := b.memory.Answering()
		if err != nil {
			return err
		}
		if happened(&c) {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return scm.ErrTimeout
		}
		b.memory.Pause(min(left, waitPause))
	}
}
