// SPDX-License-Identifier: Apache-2.0

// Package config reads the settings of the module: the built-in defaults, over
// them a TOML file, over that the environment.
//
// Every setting is one row of the table in settings.go, whether it comes from
// the file or from a variable. What is wrong is said with the place where it
// stands: "file:line: reason", or "VARIABLE: reason".
package config

import (
	"crypto/rand"
	"slices"
	"time"

	"libzk_pkcs11/internal/config/value"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// DefaultFile is read when ZK_PKCS11_CONF names no other; it may be missing.
const DefaultFile = "/etc/zk_pkcs11/zk_pkcs11.toml"

// SystemState is the state directory of root, of users without a home, and of the members of the
// group that it was made for. The token of an SCM in hardware is there for all users.
const SystemState = "/var/lib/zk_pkcs11"

// Config is every setting, with defaults filled in and paths absolute.
type Config struct {
	Source     Source
	State      string   // state directory
	StateGroup string   // group that shares the state directory; "" = the owner alone
	Backend    Backend  // of every slot that names none itself
	RawECPoint bool     // CKA_EC_POINT of Ed25519 as bare bytes, not as a DER OCTET STRING
	SealedKeys bool     // keys that no key slot can hold are sealed in the token's store
	Show       string   // ShowAll or ShowBound
	Quirks     []string // names of client quirks, or just "auto", or none at all
	Fork       string   // ForkStrict or ForkInherit
	Trace      string   // file of the call trace; "" = off
	Log        Log
	Soft       settings.Settings
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
	QuirksAuto    = "auto"
	QuirkLibp11   = "libp11-key-types"   // libp11 before 0.4.17 gives up all keys for one of a type it does not know
	QuirkCrypto11 = "crypto11-key-types" // crypto11 lists no key pair when there is one of a type it does not know
	QuirkHaproxy  = "haproxy"            // haproxy allows its workers no more threads before they use a key
	QuirkOpenSSH  = "openssh-curves"     // ssh-pkcs11-helper chokes on curves that OpenSSH does not know
	QuirkP11Kit   = "p11-kit-waits"      // p11-kit asks for the tokens of all modules when a program starts that may need none
)

// Which keys of an SCM programs see.
const (
	ShowAll   = "all"
	ShowBound = "bound" // those that were generated here or given a name
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
	State   string   // directory of this slot's state
	Show    string   // ShowAll or ShowBound; "" = as for all slots
	Pool    []string // state directories of further SCMs that sign for this slot; of an SCM in hardware the vendor's libraries
	Shared  string   // directory of all users of the host in which State is; "" = it is in that of the user
}

// ShowsBound reports whether programs see of an SCM's keys in this slot those alone that were generated here or given a name.
func (s Slot) ShowsBound(c Config) bool {
	if s.Show == "" {
		return c.Show == ShowBound
	}
	return s.Show == ShowBound
}

// WithoutPools returns the settings with the first SCM alone behind each slot, for a command that looks after it.
func (c Config) WithoutPools() Config {
	c.Slots = slices.Clone(c.Slots)
	for i := range c.Slots {
		c.Slots[i].Pool = nil
	}
	return c
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
	Drawn     string            // at random, for what this process and its children are to tell alike
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
	source.Drawn = rand.Text()
	return source.Load(getenv)
}

// Load reads the settings from s and the environment, and from no file, unless
// ZK_PKCS11_CONF names another than that of s.
func (s Source) Load(getenv func(string) string) (Config, error) {
	if named := getenv("ZK_PKCS11_CONF"); named != "" && value.Absolute(s.Directory, named) != s.File {
		other, err := thisHost(getenv).source()
		if err != nil {
			return Config{}, err
		}
		other.Machine, other.Drawn = s.Machine, s.Drawn
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
		Show:    ShowAll,
		Quirks:  []string{QuirksAuto},
		Fork:    ForkStrict,

		SealedKeys: true,
		Log:        Log{Level: "warning", To: "stderr"},
		Soft:       settings.Settings{Seal: settings.SealPIN, Host: s.Machine},
		Zymbit:     Zymbit{BootWait: 150 * time.Second, KeyStore: "auto", Refresh: 5 * time.Second, Foreign25519: "ask"},
	}
}
