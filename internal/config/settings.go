// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// value is the text of a setting, and the directory to which a relative path in
// it refers: that of the file, or "" for the working directory.
type value struct{ text, base string }

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
		{"trace", "ZK_PKCS11_TRACE", func(c *Config, v value) error { return v.path(&c.Trace) }},
		{"log.level", "ZK_PKCS11_LOG", setLevel},
		{"log.to", "", setLogTo},
		{"soft.seal", "", func(c *Config, v value) error { return v.oneOf(&c.Soft.Seal, "pin", "device") }},
		{"soft.firmware", "", func(c *Config, v value) error { return v.word(&c.Soft.Firmware) }},
		{"zymbit.library", "ZK_APP_UTILS_LIB", setLibrary},
		{"zymbit.boot_wait", "", func(c *Config, v value) error { return v.duration(&c.Zymbit.BootWait) }},
		{"zymbit.key_store", "", func(c *Config, v value) error { return v.oneOf(&c.Zymbit.KeyStore, "auto", "keys", "wallet") }},
		{"zymbit.refresh", "", func(c *Config, v value) error { return v.duration(&c.Zymbit.Refresh) }},
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
		if err := (value{text: name}).oneOf(&name, QuirkLibp11, QuirkOpenSSH); err != nil {
			return err
		}
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

func (v value) word(to *string) error {
	if v.text == "" {
		return fmt.Errorf("is empty")
	}
	if strings.ContainsRune(v.text, 0) {
		return fmt.Errorf("contains a NUL")
	}
	*to = v.text
	return nil
}

func (v value) path(to *string) error {
	err := v.word(to)
	if err == nil {
		*to = absolute(v.base, v.text)
	}
	return err
}

func (v value) oneOf(to *string, words ...string) error {
	for _, w := range words {
		if v.text == w {
			*to = w
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s", v.text, strings.Join(words, ", "))
}

// duration takes a Go duration ("2m30s") or a number of seconds.
func (v value) duration(to *time.Duration) error {
	d, err := time.ParseDuration(v.text)
	if seconds, notNumber := strconv.ParseUint(v.text, 10, 31); notNumber == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < 0 {
		return fmt.Errorf(`%q is not a duration such as "150s"`, v.text)
	}
	*to = d
	return nil
}
