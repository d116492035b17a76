// SPDX-License-Identifier: Apache-2.0

package settings

// Values of Settings.Seal.
const (
	SealPIN    = "pin"    // the root key is sealed to the secret of Device.Prepare
	SealDevice = "device" // the root key stays in its file, protected by its mode only
)

// Values of Settings.Ed25519: what the SCM makes of the input to a signature with
// an Ed25519 key, which the vendor does not say.
const (
	Ed25519Message = "message" // it is a message of any length
	Ed25519Digest  = "digest"  // it is a message of exactly 32 bytes
	Ed25519None    = "none"    // there are no such signatures
)

// Values of Settings.Nonce: where the nonces of ECDSA signatures come from (docs/adr/0019).
const (
	NonceRandom  = "random"  // two signatures of one digest differ, as those of the hardware do
	NonceRFC6979 = "rfc6979" // from the key and the digest alone
)

// Values of Settings.Generator: how the generator key of a wallet goes into its master
// key, which the vendor does not say.
const (
	GeneratorKeyed    = "keyed"    // it takes the place of the constant that the standard hashes the seed with
	GeneratorAppended = "appended" // it is appended to the seed
)

// Values of Settings.Allocation: which free slot a new key gets, which the vendor does
// not say.
const (
	AllocateLowest = "lowest" // the lowest one
	AllocateNext   = "next"   // the one after the highest that is in use, the lowest when that is the last
)

// Values of Settings.Unlisted: which allocated slots the vendor's interface leaves out of
// its list. The vendor does not say whether it does.
const (
	UnlistedNone    = "none"
	UnlistedSeeds   = "seeds"   // the topmost keys of wallets
	UnlistedEd25519 = "ed25519" // the permanent Ed25519 keys
	UnlistedBoth    = "both"
)

// Values of Settings.BootFailure and Settings.TemperatureFailure. The vendor's texts
// contradict each other.
const (
	FailureDestroy = "destroy" // the SCM destroys its keys
	FailureHold    = "hold"    // the SCM holds itself and its host in reset
	FailurePolicy  = "policy"  // what SetBootPolicy says; of BootFailure only
)
