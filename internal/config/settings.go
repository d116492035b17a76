// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"strings"
)

// setting is one row of the contract. Where env is not empty, that variable
// overrides the file.
type setting struct {
	key, env string
	set      func(*Config, value) error
}

// settings returns the table of all settings but those of [[slot]].
func settings() []setting {
	return []setting{
		{"state", "ZK_PKCS11_HOME", func(c *Config, v value) error { return v.path(&c.State) }},
		{"state_group", "", func(c *Config, v value) error { return v.word(&c.StateGroup) }},
		{"backend", "ZK_PKCS11_BACKEND", func(c *Config, v value) error { return c.Backend.set(v) }},
		{"ec_point", "ZK_PKCS11_EC_POINT", setECPoint},
		{"quirks", "ZK_PKCS11_QUIRKS", setQuirks},
		{"fork", "ZK_PKCS11_FORK", func(c *Config, v value) error { return v.oneOf(&c.Fork, ForkStrict, ForkInherit) }},
		{"trace", "ZK_PKCS11_TRACE", func(c *Config, v value) error { return v.path(&c.Trace) }},
		{"log.level", "ZK_PKCS11_LOG", setLevel},
		{"log.to", "", setLogTo},
		{"soft.seal", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.Seal, "pin", "device") }},
		{"soft.firmware", "", func(c *Config, v value) error { return v.word(&c.Soft.Firmware) }},
		{"soft.defects", "", setDefects},
		{"soft.max_num_keys", "", func(c *Config, v value) error { return v.number(&c.Soft.MaxKeys, 1, 1<<20) }},
		{"soft.user_slots", "", func(c *Config, v value) error { return v.number(&c.Soft.UserSlots, 1, 512) }},
		{"soft.eddsa", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.EdDSA, "message", "digest", "none") }},
		{"soft.nonce", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.Nonce, "random", "rfc6979") }},
		{"soft.permanent_sign_only", "", func(c *Config, v value) error { return v.truth(&c.Soft.PermanentSignOnly) }},
		{"soft.permanent_shown", "", func(c *Config, v value) error { return v.truth(&c.Soft.PermanentShown) }},
		{"soft.permanent_removable", "", func(c *Config, v value) error { return v.truth(&c.Soft.PermanentRemovable) }},
		{"soft.ephemeral_signs", "", func(c *Config, v value) error { return v.truth(&c.Soft.EphemeralSigns) }},
		{"soft.allocation", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.Allocation, "lowest", "next") }},
		{"soft.generator", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.Generator, "keyed", "appended") }},
		{"soft.max_random", "", func(c *Config, v value) error { return v.number(&c.Soft.MaxRandom, 0, math.MaxInt32) }},
		{"soft.max_lock", "", func(c *Config, v value) error { return v.number(&c.Soft.MaxLock, 0, math.MaxInt32) }},
		{"soft.latency_sign", "", func(c *Config, v value) error { return v.duration(&c.Soft.Latency.Sign) }},
		{"soft.latency_generate", "", func(c *Config, v value) error { return v.duration(&c.Soft.Latency.Generate) }},
		{"soft.latency_random", "", func(c *Config, v value) error { return v.duration(&c.Soft.Latency.Random) }},
		{"soft.latency_lock", "", func(c *Config, v value) error { return v.duration(&c.Soft.Latency.Lock) }},
		{"soft.latency_absent", "", func(c *Config, v value) error { return v.duration(&c.Soft.Latency.Absent) }},
		{"soft.boot_delay", "", func(c *Config, v value) error { return v.duration(&c.Soft.BootDelay) }},
		{"soft.settle", "", func(c *Config, v value) error { return v.duration(&c.Soft.Settle) }},
		{"soft.boot_dir", "", func(c *Config, v value) error { return v.path(&c.Soft.BootDir) }},
		{"soft.boot_failure", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.BootFailure, "destroy", "hold", "policy") }},
		{"soft.temperature_failure", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.TemperatureFailure, "destroy", "hold") }},
		{"soft.host", "", func(c *Config, v value) error { return v.word(&c.Soft.Host) }},
		{"soft.model_number", "", func(c *Config, v value) error { return v.word(&c.Soft.ModelNumber) }},
		{"soft.serial_number", "", func(c *Config, v value) error { return v.word(&c.Soft.SerialNumber) }},
		{"soft.unlisted", "", func(c *Config, v value) error {
			return v.oneOf(&c.Soft.Unlisted, "none", "seeds", "ed25519", "both")
		}},
		{"soft.error_code", "", func(c *Config, v value) error { return v.number(&c.Soft.ErrorCode, 0, 4095) }},
		{"soft.remove_empty", "", func(c *Config, v value) error { return v.truth(&c.Soft.RemoveEmpty) }},
		{"soft.passphrase_base64", "", func(c *Config, v value) error { return v.truth(&c.Soft.PassphraseBase64) }},
		{"soft.drift", "", func(c *Config, v value) error { return v.decimal(&c.Soft.Drift) }},
		{"soft.unlock_zero", "", func(c *Config, v value) error { return v.truth(&c.Soft.UnlockZero) }},
		{"soft.tells_unbound", "", func(c *Config, v value) error { return v.truth(&c.Soft.TellsUnbound) }},
		{"zymbit.library", "ZK_APP_UTILS_LIB", setLibrary},
		{"zymbit.boot_wait", "", func(c *Config, v value) error { return v.duration(&c.Zymbit.BootWait) }},
		{"zymbit.key_store", "", func(c *Config, v value) error { return v.oneOf(&c.Zymbit.KeyStore, "auto", "keys", "wallet") }},
		{"zymbit.refresh", "", func(c *Config, v value) error { return v.duration(&c.Zymbit.Refresh) }},
		{"zymbit.foreign_25519", "", func(c *Config, v value) error {
			return v.oneOf(&c.Zymbit.Foreign25519, "ask", "ed25519", "x25519")
		}},
		{"zymbit.passphrase_base64", "", func(c *Config, v value) error { return v.truth(&c.Zymbit.PassphraseBase64) }},
	}
}

// slotSettings returns the keys that a [[slot]] table may hold.
func slotSettings() map[string]func(*Slot, value) error {
	return map[string]func(*Slot, value) error{
		"name":    func(s *Slot, v value) error { return v.word(&s.Name) },
		"backend": func(s *Slot, v value) error { return s.Backend.set(v) },
		"state":   func(s *Slot, v value) error { return v.word(&s.State) },
	}
}

// readEnvironment applies the variables that are set, and notes them.
func (c *Config) readEnvironment(getenv func(string) string) error {
	var found map[string]string
	for _, s := range settings() {
		if s.env == "" {
			continue
		}
		text := getenv(s.env)
		if text == "" {
			continue
		}
		if err := s.set(c, value{text: text, base: c.Source.Directory}); err != nil {
			return fmt.Errorf("%s: %w", s.env, err)
		}
		if found == nil {
			found = map[string]string{}
		}
		found[s.env] = text
	}
	c.Source.Variables = found
	return nil
}

func (b *Backend) set(v value) error {
	return v.oneOf((*string)(b), string(BackendAuto), string(BackendSoft), string(BackendZymbit))
}

func setECPoint(c *Config, v value) error {
	var form string
	if err := v.oneOf(&form, "der", "raw"); err != nil {
		return err
	}
	c.RawECPoint = form == "raw"
	return nil
}

// setQuirks takes "auto", "none", or names of quirks with commas between them.
func setQuirks(c *Config, v value) error {
	names := strings.FieldsFunc(v.text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 1 && names[0] == "none" {
		c.Quirks = nil
		return nil
	}
	if len(names) != 1 || names[0] != QuirksAuto {
		if err := quirkNames(names); err != nil {
			return err
		}
	}
	c.Quirks = names
	return nil
}

func quirkNames(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf(`want "auto", "none" or names of quirks`)
	}
	for _, name := range names {
		if err := (value{text: name}).oneOf(&name, QuirkLibp11, QuirkOpenSSH, QuirkHaproxy); err != nil {
			return fmt.Errorf(`%w; or the one word "auto" or "none"`, err)
		}
	}
	return nil
}

// softDefects are the names of the defects that package soft knows.
var softDefects = [...]string{
	"battery-window", "dark-led", "first-call", "huge-slot", "lost-keys", "slow-removal",
	"slow-settle", "wrong-time",
}

// setDefects takes "auto", "none", or names of defects with commas between them.
func setDefects(c *Config, v value) error {
	c.Soft.Defects = nil
	if v.text == "auto" {
		return nil
	}
	c.Soft.Defects = []string{}
	if v.text == "none" {
		return nil
	}
	for name := range strings.SplitSeq(v.text, ",") {
		if err := (value{text: name}).oneOf(&name, softDefects[:]...); err != nil {
			return err
		}
		c.Soft.Defects = append(c.Soft.Defects, name)
	}
	return nil
}

func setLevel(c *Config, v value) error {
	return v.oneOf(&c.Log.Level, "error", "warning", "info", "debug")
}

func setLogTo(c *Config, v value) error {
	if v.text == "stderr" || v.text == "syslog" {
		return v.word(&c.Log.To)
	}
	return v.path(&c.Log.To)
}

// setLibrary leaves a bare name to the search path of the dynamic linker.
func setLibrary(c *Config, v value) error {
	if !strings.Contains(v.text, "/") {
		return v.word(&c.Zymbit.Library)
	}
	return v.path(&c.Zymbit.Library)
}
