// SPDX-License-Identifier: Apache-2.0

// Package config reads the settings of the module: the built-in defaults, over
// them a TOML file, over that the environment.
//
// Every setting is one row of the table in settings.go, whether it comes from
// the file or from a variable. What is wrong is said with the place where it
// stands: "file:line: reason", or "VARIABLE: reason".
package config

import "time"

// DefaultFile is read when ZK_PKCS11_CONF names no other; it may be missing.
const DefaultFile = "/etc/zk_pkcs11/zk_pkcs11.toml"

// SystemState is the state directory of root, and of users without a home.
const SystemState = "/var/lib/zk_pkcs11"

// Config is every setting, with defaults filled in and paths absolute.
type Config struct {
	Source     Source
	State      string   // state directory
	StateGroup string   // group that shares the state directory; "" = the owner alone
	Backend    Backend  // of every slot that names none itself
	RawECPoint bool     // CKA_EC_POINT of Ed25519 as bare bytes, not as a DER OCTET STRING
	Quirks     []string // names of client quirks, or just "auto", or none at all
	Fork       string   // ForkStrict or ForkInherit
	Trace      string   // file of the call trace; "" = off
	Log        Log
	Soft       Soft
	Zymbit     Zymbit
	Slots      []Slot // at least one; the index is the slot ID
}

// Backend is what stands behind a slot.
type Backend string

// The backends. Auto means zymbit where the vendor's library is installed, and
// soft elsewhere.
const (
	BackendAuto   Backend = "auto"
	BackendSoft   Backend = "soft"
	BackendZymbit Backend = "zymbit"
)

// Names of client quirks. QuirksAuto stands for those that are seen in the
// process.
const (
	QuirksAuto   = "auto"
	QuirkLibp11  = "libp11-key-types" // libp11 before 0.4.17 gives up all keys for one of a type it does not know
	QuirkHaproxy = "haproxy"          // haproxy allows its workers no more threads before they use a key
	QuirkOpenSSH = "openssh-curves"   // ssh-pkcs11-helper chokes on curves that OpenSSH does not know
)

// What forked children have of their parent's sessions and logins.
const (
	ForkStrict  = "strict"  // nothing: they call C_Initialize
	ForkInherit = "inherit" // all
)

// Log says what is logged and where to.
type Log struct {
	Level string // "error", "warning", "info" or "debug"
	To    string // "stderr", "syslog", or the path of a file
}

// Soft holds the settings of the SCM in software. Beside the first two they are
// for those who test how programs bear with an SCM: what its vendor does not
// tell, its defects and how slow it is. Zero stands for the default of package
// soft.
type Soft struct {
	Seal     string   // what seals private keys at rest: "pin" or "device"
	Firmware string   // that it tells
	Defects  []string // names of defects; nil = those of the firmware

	MaxKeys, UserSlots int
	EdDSA              string // "message", "digest" or "none"
	Nonce              string // "random" or "rfc6979"
	PermanentSignOnly  bool
	PermanentShown     bool
	PermanentRemovable bool
	EphemeralSigns     bool
	Allocation         string // "lowest" or "next"
	Generator          string // "keyed" or "appended"
	MaxRandom, MaxLock int
	Latency            Latency
	BootDelay, Settle  time.Duration
	BootDir            string
	BootFailure        string // "destroy", "hold" or "policy"
	TemperatureFailure string // "destroy" or "hold"
	Host               string
	Drift              float32 // in millionths

	ModelNumber, SerialNumber string
	Unlisted                  string // "none", "seeds", "ed25519" or "both"
	ErrorCode                 int
	RemoveEmpty               bool
	PassphraseBase64          bool
	UnlockZero                bool
	TellsUnbound              bool
}

// Latency is how long calls to the SCM in software take at least.
type Latency struct {
	Sign, Generate, Random, Lock time.Duration
	Absent                       time.Duration // calls that nobody answers
}

// Zymbit holds the settings of the hardware.
type Zymbit struct {
	Library  string        // path of the vendor's library; "" = search for it
	BootWait time.Duration // how long a booting module is waited for
	KeyStore string        // where new keys are made: "auto", "keys" or "wallet"
	Refresh  time.Duration // how long the list of key slots is believed

	Foreign25519     string // what foreign keys are that can be on both curves: "ask", "ed25519" or "x25519"
	PassphraseBase64 bool   // passphrases of wallets are given as Base64
}

// Slot is one PKCS#11 slot.
type Slot struct {
	Name    string
	Backend Backend
	State   string // directory of this slot's state
}

// Source is what was found outside this process's own memory. A forked child
// hands it on and reads settings from it, since it may have changed its root
// directory, its user, its working directory or its environment since.
type Source struct {
	File      string            // path of the file; "" = there was none
	Text      string            // what was in it
	State     string            // default state directory
	Directory string            // to which relative paths in variables refer; "" = the working directory
	Variables map[string]string // that were set, by their names
	Machine   string            // identity of the host; "" = it has none, like all others that have none
}

// variables returns getenv with what s has in place of what is not set.
func (s Source) variables(getenv func(string) string) func(string) string {
	return func(name string) string {
		if text := getenv(name); text != "" {
			return text
		}
		return s.Variables[name]
	}
}

// Load reads the settings, with getenv in place of os.Getenv.
func Load(getenv func(string) string) (Config, error) {
	source, err := thisHost(getenv).source()
	if err != nil {
		return Config{}, err
	}
	return source.Load(getenv)
}

// Load reads the settings from s and the environment, and from no file, unless
// ZK_PKCS11_CONF names another than that of s.
func (s Source) Load(getenv func(string) string) (Config, error) {
	if named := getenv("ZK_PKCS11_CONF"); named != "" && absolute(s.Directory, named) != s.File {
		other, err := thisHost(getenv).source()
		if err != nil {
			return Config{}, err
		}
		other.Machine = s.Machine
		s = other
	}
	c := defaults(s)
	lines, err := c.readFile(s)
	if err != nil {
		return Config{}, err
	}
	if err := c.readEnvironment(s.variables(getenv)); err != nil {
		return Config{}, err
	}
	return c, c.placeSlots(lines)
}

func defaults(s Source) Config {
	return Config{
		Source:  s,
		State:   s.State,
		Backend: BackendAuto,
		Quirks:  []string{QuirksAuto},
		Fork:    ForkStrict,
		Log:     Log{Level: "warning", To: "stderr"},
		Soft:    Soft{Seal: "pin", Host: s.Machine},
		Zymbit:  Zymbit{BootWait: 150 * time.Second, KeyStore: "auto", Refresh: 5 * time.Second, Foreign25519: "ask"},
	}
}
