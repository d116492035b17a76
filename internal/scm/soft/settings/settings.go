// SPDX-License-Identifier: Apache-2.0

// Package settings is the table of the settings that say what kind of SCM the soft SCM is:
// its limits and delays, its defects, and what the vendor does not tell of a real one. The
// file of settings, the options of package soft and the pages of the documentation follow
// from [Settings.Table].
package settings

import (
	"fmt"
	"math"
	"slices"
	"time"

	"libzk_pkcs11/internal/config/value"
	"libzk_pkcs11/internal/scm"
)

// Settings are the values of all settings. A zero value stands for the default in the
// table. The comments say what is not in the table.
type Settings struct {
	Seal     string
	Like     string
	Firmware string
	Defects  []string // nil means those of the firmware

	MaxKeys   int
	UserSlots int

	Ed25519            string
	Nonce              string
	PermanentSignOnly  bool
	PermanentShown     bool
	PermanentRemovable bool
	EphemeralSigns     bool
	Allocation         string
	Generator          string

	MaxRandom int // 0 means any number
	MaxLock   int // 0 means any number

	Latency    Latency
	OneAtATime bool
	BootDelay  time.Duration
	Settle     time.Duration

	BootDir            string
	BootFailure        string
	TemperatureFailure string
	Host               string
	Drift              float32

	// What the vendor's interface makes of it.
	ModelNumber      string
	SerialNumber     string // "" means that of the SCM
	Unlisted         string
	ErrorCode        int
	RefuseEmpty      bool // remove_empty is false
	PassphraseBase64 bool
	UnlockZero       bool
	TellsUnbound     bool
}

// Latency is how long calls take at least.
type Latency struct {
	Sign, Generate, Random, Lock time.Duration
	Absent                       time.Duration // calls that nobody answers
}

// Row is a setting.
type Row struct {
	Name    string // in the table [soft] of the file
	Default string // what Value is set to where nothing else is; "" leaves it as it is
	Shown   string // what a page tells instead of the default, where that is ""
	Value   value.Value
	Meaning string // in the documentation
}

// Table lists the settings; each row leads to the field of s that it sets.
func (s *Settings) Table() []Row {
	return []Row{
		{"seal", SealPIN, "", value.OneOf(&s.Seal, SealPIN, SealDevice),
			"`pin`: private keys at rest open with a PIN only; `device`: with a key file beside them"},
		{"like", LikeSoftware, "", value.OneOf(&s.Like, LikeSoftware, LikeHardware),
			"which other defaults there are here: kind to programs (`software`), or those of a `hardware` SCM: it boots in 90 s, or 140 s with firmware 01.02.02release, signs 32 bytes with Ed25519 and no other message, draws nonces at random, answers as slowly as is presumed of a real one, and reboots after a fatal code"},
		{"firmware", "01.00.00", "", value.Word(&s.Firmware),
			"firmware version that the soft SCM tells; its published defects come with it: `01.02.02release` (or `01.02.02`), `00.00.51beta`, `00.00.34beta`"},
		{"defects", "", "`auto`", defects{&s.Defects},
			"those of the firmware, `none`, or a list of `battery-window`, `dark-led`, `first-call`, `huge-slot`, `lost-keys`, `slow-removal`, `slow-settle`, `tamper-resets`, `wrong-time`"},
		{"max_num_keys", "528", "", value.Number(&s.MaxKeys, 1, 1<<20),
			"key pool size that the vendor's C API tells"},
		{"user_slots", "512", "", value.Number(&s.UserSlots, 1, scm.UserSlots),
			"how many user key slots there are, from 16 on"},
		{"eddsa", Ed25519Message, "", value.OneOf(&s.Ed25519, Ed25519Message, Ed25519Digest, Ed25519None),
			"what Ed25519 keys sign: messages of any length, a `digest` of 32 bytes only, or `none`"},
		{"nonce", NonceRandom, "", value.OneOf(&s.Nonce, NonceRandom, NonceRFC6979),
			"where the nonces of ECDSA signatures come from: `random` as with hardware, or `rfc6979`, which is faster and gives the same signature of the same digest each time"},
		{"permanent_sign_only", "false", "", value.Truth(&s.PermanentSignOnly),
			"keys in slots 0 to 15 agree on no secrets"},
		{"permanent_shown", "false", "", value.Truth(&s.PermanentShown),
			"the export of public keys in slots 0 to 15 cannot be disabled"},
		{"permanent_removable", "false", "", value.Truth(&s.PermanentRemovable),
			"keys in slots 0 to 15 can be removed"},
		{"ephemeral_signs", "false", "", value.Truth(&s.EphemeralSigns),
			"the ephemeral key signs, too"},
		{"allocation", AllocateLowest, "", value.OneOf(&s.Allocation, AllocateLowest, AllocateNext),
			"which free slot a new key gets: the `lowest`, or the `next` one after the highest in use"},
		{"generator", GeneratorKeyed, "", value.OneOf(&s.Generator, GeneratorKeyed, GeneratorAppended),
			"a wallet's generator key takes the place of the constant of BIP32 and SLIP-0010, or is `appended` to the seed"},
		{"max_random", "", "no limit", value.Number(&s.MaxRandom, 0, math.MaxInt32),
			"most random bytes of one call; for no limit leave it out"},
		{"max_lock", "", "no limit", value.Number(&s.MaxLock, 0, math.MaxInt32),
			"most bytes that one call locks; for no limit leave it out"},
		{"latency_sign", "0", "", value.Duration(&s.Latency.Sign),
			"how long a signature or key agreement takes at least"},
		{"latency_generate", "0", "", value.Duration(&s.Latency.Generate),
			"the same of a new key"},
		{"latency_random", "0", "", value.Duration(&s.Latency.Random),
			"the same of random bytes"},
		{"latency_lock", "0", "", value.Duration(&s.Latency.Lock),
			"the same of locking and unlocking data"},
		{"latency_absent", "0", "", value.Duration(&s.Latency.Absent),
			"how long it takes until a call fails that the soft SCM does not answer"},
		{"one_at_a_time", "false", "", value.Truth(&s.OneAtATime),
			"calls that take their time by one of these settings wait for each other, those of all processes, as they do with an SCM in hardware"},
		{"boot_delay", "0", "", value.Duration(&s.BootDelay),
			"how long the soft SCM does not answer after it was started anew; a real one needs 90 s or more"},
		{"settle", "0", "", value.Duration(&s.Settle),
			"how long calls time out after perimeter actions were set; the defect `slow-settle` makes it 10 s"},
		{"boot_dir", "/boot", "", value.Path(&s.BootDir),
			"where the files of [supervised boot](scm.md#supervised-boot) are"},
		{"boot_failure", FailureDestroy, "", value.OneOf(&s.BootFailure, FailureDestroy, FailureHold, FailurePolicy),
			"what a wrong file does in production mode: `destroy` all keys, `hold` in reset, or as the `policy` says"},
		{"temperature_failure", FailureDestroy, "", value.OneOf(&s.TemperatureFailure, FailureDestroy, FailureHold),
			"what a temperature out of bounds does in production mode, if it is to self-destruct: `destroy` or `hold`"},
		{"host", "", "`/etc/machine-id`", value.Word(&s.Host),
			"identity of the host to which the soft SCM is bound"},
		{"model_number", "Soft SCM", "", value.Word(&s.ModelNumber),
			"model that the vendor's C API tells"},
		{"serial_number", "", "its own", value.Word(&s.SerialNumber),
			"serial number that the vendor's C API tells"},
		{"unlisted", UnlistedNone, "", value.OneOf(&s.Unlisted, UnlistedNone, UnlistedSeeds, UnlistedEd25519, UnlistedBoth),
			"what zkGetAllocSlotsList leaves out: topmost keys of wallets (`seeds`), slots 14 and 15 (`ed25519`), `both` or `none`"},
		{"error_code", "0", "", value.Number(&s.ErrorCode, 0, 4095),
			"what the vendor's C API returns, in an open context, for every error but a timeout, as a positive number; `0` for a code of its own for each kind"},
		{"remove_empty", "true", "", refusal{&s.RefuseEmpty},
			"zkRemoveKey succeeds where there is no key: programs of the vendor's remove a wallet's seed before its children"},
		{"passphrase_base64", "false", "", value.Truth(&s.PassphraseBase64),
			"the vendor's C API takes the passphrases of wallets as Base64"},
		{"drift", "0", "", value.Decimal(&s.Drift),
			"by how many millionths the clock of the soft SCM is too fast"},
		{"unlock_zero", "false", "", value.Truth(&s.UnlockZero),
			"the vendor's C API answers 0, not 1, when it has unlocked a buffer"},
		{"tells_unbound", "false", "", value.Truth(&s.TellsUnbound),
			"`zkGetCurrentBindingInfo` answers while the soft SCM is not bound; else it times out as all calls do"},
	}
}

// Complete returns s with its defaults, or an error for a value that is not in the table.
func (s Settings) Complete() (Settings, error) {
	if s.Firmware == "01.02.02" {
		s.Firmware = "01.02.02release"
	}
	profile := s.profile()
	for _, r := range s.Table() {
		text := r.Value.Text()
		if text == "" {
			text = profile[r.Name]
		}
		if text == "" {
			text = r.Default
		}
		if text == "" {
			continue
		}
		if err := r.Value.Set(text, ""); err != nil {
			return s, fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	if s.Defects == nil {
		s.Defects = firmwareDefects[s.Firmware]
	}
	return s, nil
}

// Has reports whether the SCM has a defect.
func (s *Settings) Has(defect string) bool { return slices.Contains(s.Defects, defect) }
