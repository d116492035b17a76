// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

// Values of Options.Seal.
const (
	SealPIN    = "pin"    // the root key is sealed to the secret of Device.Prepare
	SealDevice = "device" // the root key stays in its file, protected by its mode only
)

// Values of Options.Ed25519: what the SCM makes of the input to a signature with
// an Ed25519 key, which the vendor does not say.
const (
	Ed25519Message = "message" // it is a message of any length
	Ed25519Digest  = "digest"  // it is a message of exactly 32 bytes
	Ed25519None    = "none"    // there are no such signatures
)

// Values of Options.Nonce: where the nonces of ECDSA signatures come from (docs/adr/0019).
const (
	NonceRandom  = "random"  // two signatures of one digest differ, as those of the hardware do
	NonceRFC6979 = "rfc6979" // from the key and the digest alone
)

// Values of Options.Generator: how the generator key of a wallet goes into its master
// key, which the vendor does not say.
const (
	GeneratorKeyed    = "keyed"    // it takes the place of the constant that the standard hashes the seed with
	GeneratorAppended = "appended" // it is appended to the seed
)

// Values of Options.Allocation: which free slot a new key gets, which the vendor does
// not say.
const (
	AllocateLowest = "lowest" // the lowest one
	AllocateNext   = "next"   // the one after the highest that is in use, the lowest when that is the last
)

// Values of Options.Unlisted: which allocated slots the vendor's interface leaves out of
// its list. The vendor does not say whether it does.
const (
	UnlistedNone    = "none"
	UnlistedSeeds   = "seeds"   // the topmost keys of wallets
	UnlistedEd25519 = "ed25519" // the permanent Ed25519 keys
	UnlistedBoth    = "both"
)

// defaultFirmware is a version that keeps its keys, unlike some later ones.
const defaultFirmware = "01.00.00"

// Options are the settings of a soft SCM. The zero value is right for a
// process of root, and makes an SCM that is quick and has no defects.
type Options struct {
	Mode  fs.FileMode   // of the files that it makes; 0 means 0600
	Group int           // gid of these files, -1 for that of the process
	Seal  string        // SealPIN or SealDevice; "" means SealPIN
	Wait  time.Duration // how long to wait for other processes; 0 means 5 s

	Process sharedfile.Process // that has the SCM open

	Firmware string   // that Info tells, and from which Defects follow; "" means "01.00.00"
	Defects  []string // names of defects; nil means those of the firmware

	Existing bool // Open makes no SCM where there is none

	MaxKeys   int // what Capacity tells; 0 means 528
	UserSlots int // how many user slots there are, at most 512; 0 means 512

	Ed25519            string // "" means Ed25519Message
	Nonce              string // "" means NonceRandom
	PermanentSignOnly  bool   // keys in permanent slots agree on no secrets
	PermanentShown     bool   // DisableExport is refused for permanent slots
	PermanentRemovable bool   // Remove is not refused for them
	EphemeralSigns     bool   // the ephemeral key signs, too
	Allocation         string // "" means AllocateLowest

	Generator string // what a wallet's generator key does; "" means GeneratorKeyed

	MaxRandom int // most bytes of one call of Random; 0 means any number
	MaxLock   int // most bytes that Lock takes; 0 means any number

	Latency   Latency
	BootDelay time.Duration // how long the SCM does not answer after Boot
	Settle    time.Duration // how long calls time out after SetPerimeterAction

	BootDir            string  // where the files of supervised boot are; "" means "/boot"
	BootFailure        string  // what a wrong one does in production mode; "" means FailureDestroy
	TemperatureFailure string  // the same of a temperature out of bounds; not FailurePolicy
	Host               string  // identity of the host
	Drift              float32 // by how many millionths the SCM's clock is too fast

	// What the vendor's interface makes of it.
	ModelNumber      string // "" means that of Info
	SerialNumber     string // "" means that of Info
	Unlisted         string // "" means UnlistedNone
	ErrorCode        int    // what it returns for every error but a timeout, less than 0; 0 means a code for each
	RemoveEmpty      bool   // to remove a key that is not there is no error
	PassphraseBase64 bool   // passphrases of wallets come as Base64
	UnlockZero       bool   // it answers 0, not 1, when it has unlocked a buffer
	TellsUnbound     bool   // Binding answers a host to which the SCM is not bound
}

// Values of Options.BootFailure and Options.TemperatureFailure. The vendor's texts
// contradict each other.
const (
	FailureDestroy = "destroy" // the SCM destroys its keys
	FailureHold    = "hold"    // the SCM holds itself and its host in reset
	FailurePolicy  = "policy"  // what SetBootPolicy says
)

// Latency is how long calls take at least.
type Latency struct {
	Sign, Generate, Random, Lock time.Duration
	Absent                       time.Duration // calls that nobody answers
}

func (o Options) complete() (Options, error) {
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	orWord(&o.Firmware, defaultFirmware)
	orWord(&o.Seal, SealPIN)
	orWord(&o.Ed25519, Ed25519Message)
	orWord(&o.Nonce, NonceRandom)
	orWord(&o.Generator, GeneratorKeyed)
	orWord(&o.BootDir, "/boot")
	orWord(&o.BootFailure, FailureDestroy)
	orWord(&o.TemperatureFailure, FailureDestroy)
	orWord(&o.Allocation, AllocateLowest)
	orWord(&o.Unlisted, UnlistedNone)
	orWord(&o.ModelNumber, modelName)
	orNumber(&o.MaxKeys, int(scm.LastUser)+1)
	orNumber(&o.UserSlots, scm.UserSlots)
	if o.Defects == nil {
		o.Defects = firmwareDefects[o.Firmware]
	}
	return o, o.check()
}

func (o Options) check() error {
	err := errors.Join(
		oneOf("seal", o.Seal, SealPIN, SealDevice),
		oneOf("ed25519", o.Ed25519, Ed25519Message, Ed25519Digest, Ed25519None),
		oneOf("nonce", o.Nonce, NonceRandom, NonceRFC6979),
		oneOf("allocation", o.Allocation, AllocateLowest, AllocateNext),
		oneOf("unlisted", o.Unlisted, UnlistedNone, UnlistedSeeds, UnlistedEd25519, UnlistedBoth),
		oneOf("generator", o.Generator, GeneratorKeyed, GeneratorAppended),
		oneOf("boot failure", o.BootFailure, FailureDestroy, FailureHold, FailurePolicy),
		oneOf("temperature failure", o.TemperatureFailure, FailureDestroy, FailureHold),
	)
	for _, name := range o.Defects {
		err = errors.Join(err, oneOf("defect", name, Defects...))
	}
	if err != nil {
		return err
	}
	if o.UserSlots < 0 || o.UserSlots > scm.UserSlots {
		return fmt.Errorf("%d user slots: there are at most %d", o.UserSlots, scm.UserSlots)
	}
	return nil
}

func orWord(s *string, standard string) {
	if *s == "" {
		*s = standard
	}
}

func orNumber(n *int, standard int) {
	if *n == 0 {
		*n = standard
	}
}

func oneOf(what, word string, words ...string) error {
	if !slices.Contains(words, word) {
		return fmt.Errorf("%s is %q, not one of %q", what, word, words)
	}
	return nil
}

// Options returns the settings of the device, with defaults filled in.
func (d *Device) Options() Options { return d.options }

// Capacity is what the SCM tells about how many keys it has room for.
func (d *Device) Capacity() int { return d.options.MaxKeys }
