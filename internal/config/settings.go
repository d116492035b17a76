// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"

	"libzk_pkcs11/internal/config/value"
)

// setting is one row of the contract. Where env is not empty, that variable
// overrides the file.
type setting struct {
	key, env string
	value    value.Value
}

// settings returns the table of all settings but those of [[slot]]; each row leads to the
// field of c that it sets. Those of the soft SCM have a table of their own.
func (c *Config) settings() []setting {
	table := []setting{
		{"state", "ZK_PKCS11_HOME", value.Path(&c.State)},
		{"state_group", "", value.Word(&c.StateGroup)},
		{"backend", "ZK_PKCS11_BACKEND", c.Backend.value()},
		{"ec_point", "ZK_PKCS11_EC_POINT", ecPoint{&c.RawECPoint}},
		{"sealed_keys", "ZK_PKCS11_SEALED_KEYS", value.Truth(&c.SealedKeys)},
		{"show", "", value.OneOf(&c.Show, ShowAll, ShowBound)},
		{"quirks", "ZK_PKCS11_QUIRKS", quirks{&c.Quirks}},
		{"fork", "ZK_PKCS11_FORK", value.OneOf(&c.Fork, ForkStrict, ForkInherit)},
		{"trace", "ZK_PKCS11_TRACE", value.Path(&c.Trace)},
		{"log.level", "ZK_PKCS11_LOG", value.OneOf(&c.Log.Level, "error", "warning", "info", "debug")},
		{"log.to", "", logTarget{&c.Log.To}},
		{"zymbit.library", "ZK_APP_UTILS_LIB", library{&c.Zymbit.Library}},
		{"zymbit.boot_wait", "", value.Duration(&c.Zymbit.BootWait)},
		{"zymbit.key_store", "", value.OneOf(&c.Zymbit.KeyStore, "auto", "keys", "wallet")},
		{"zymbit.refresh", "", value.Duration(&c.Zymbit.Refresh)},
		{"zymbit.foreign_25519", "", value.OneOf(&c.Zymbit.Foreign25519, "ask", "ed25519", "x25519")},
		{"zymbit.passphrase_base64", "", value.Truth(&c.Zymbit.PassphraseBase64)},
	}
	for _, row := range c.Soft.Table() {
		table = append(table, setting{"soft." + row.Name, "", row.Value})
	}
	return table
}

// settings returns the table of what a [[slot]] may hold.
func (s *Slot) settings() []setting {
	return []setting{
		{"name", "", value.Word(&s.Name)},
		{"backend", "", s.Backend.value()},
		{"state", "", value.Word(&s.State)},
		{"show", "", value.OneOf(&s.Show, ShowAll, ShowBound)},
		{"pool", "", pool{&s.Pool}},
	}
}

func (b *Backend) value() value.Value {
	return value.OneOf((*string)(b), string(BackendAuto), string(BackendSoft), string(BackendZymbit))
}

// readEnvironment applies the variables that are set, and notes them.
func (c *Config) readEnvironment(getenv func(string) string) error {
	var found map[string]string
	for _, s := range c.settings() {
		if s.env == "" {
			continue
		}
		text := getenv(s.env)
		if text == "" {
			continue
		}
		if err := s.value.Set(text, c.Source.Directory); err != nil {
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

// ecPoint is the form of an EC point: "der" or "raw".
type ecPoint struct{ raw *bool }

func (v ecPoint) Text() string {
	if *v.raw {
		return "raw"
	}
	return ""
}

func (v ecPoint) Set(text, _ string) error {
	err := value.CheckWord(text, "der", "raw")
	if err == nil {
		*v.raw = text == "raw"
	}
	return err
}

// quirks is "auto", "none", or names of quirks with commas between them.
type quirks struct{ names *[]string }

func (v quirks) Text() string { return strings.Join(*v.names, ",") }

func (v quirks) Set(text, _ string) error {
	names := strings.FieldsFunc(text, isSeparator)
	if len(names) == 1 && names[0] == "none" {
		*v.names = nil
		return nil
	}
	if len(names) != 1 || names[0] != QuirksAuto {
		if err := checkQuirks(names); err != nil {
			return err
		}
	}
	*v.names = names
	return nil
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }

func checkQuirks(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf(`want "auto", "none" or names of quirks`)
	}
	for _, name := range names {
		if err := value.CheckWord(name, QuirkLibp11, QuirkOpenSSH, QuirkP11Kit, QuirkHaproxy, QuirkCrypto11); err != nil {
			return fmt.Errorf(`%w; or the one word "auto" or "none"`, err)
		}
	}
	return nil
}

// logTarget is "stderr", "syslog", or the path of a file.
type logTarget struct{ to *string }

func (v logTarget) Text() string { return *v.to }

func (v logTarget) Set(text, base string) error {
	if text == "stderr" || text == "syslog" {
		return value.Word(v.to).Set(text, base)
	}
	return value.Path(v.to).Set(text, base)
}

// library is the path of a library, or a bare name, which is left to the search path of
// the dynamic linker.
type library struct{ path *string }

func (v library) Text() string { return *v.path }

func (v library) Set(text, base string) error {
	if !strings.Contains(text, "/") {
		return value.Word(v.path).Set(text, base)
	}
	return value.Path(v.path).Set(text, base)
}

// pool is a list of paths with commas between them, or "none".
type pool struct{ paths *[]string }

func (v pool) Text() string { return strings.Join(*v.paths, ",") }

func (v pool) Set(text, _ string) error {
	*v.paths = nil
	if text == "none" {
		return nil
	}
	for _, path := range strings.Split(text, ",") {
		if path = strings.TrimSpace(path); path == "" || strings.ContainsRune(path, 0) {
			return fmt.Errorf("want a list of state directories")
		}
		*v.paths = append(*v.paths, path)
	}
	if len(*v.paths) > mostFurther {
		return fmt.Errorf("%d further SCMs, of which there can be %d", len(*v.paths), mostFurther)
	}
	return nil
}
