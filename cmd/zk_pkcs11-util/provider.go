// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// withProvider runs f with a provider made of the settings.
func withProvider(f func(*pkcs11.Provider, config.Config) error) error {
	c, options, err := loadSettings()
	if err != nil {
		return err
	}
	options.Quirks = func() pkcs11.Quirks { return pkcs11.Quirks{WaitForSessionsOnly: true} } // a user who asks by hand is told at once
	for i := range options.Slots {
		options.Slots[i].ShowBound = false // a key is given its name here
	}
	p := pkcs11.New(options)
	defer p.Close()
	return f(p, c)
}

// loadSettings reads the settings and makes of them what a provider needs.
func loadSettings() (config.Config, pkcs11.Options, error) {
	c, log, err := readSettings()
	if err != nil {
		return config.Config{}, pkcs11.Options{}, err
	}
	return c, setup.Options(c, log, setup.Process{}), nil
}

// readSettings reads the settings, and opens the log.
func readSettings() (config.Config, *trace.Logger, error) {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return config.Config{}, nil, fmt.Errorf("%w; correct the setting (zk_pkcs11.toml(5) explains them)", err)
	}
	c = setup.Placed(c)
	level, err := trace.ParseLevel(c.Log.Level)
	if err != nil {
		return config.Config{}, nil, err
	}
	level = max(level, trace.Info) // a user who asks by hand wants to know why there is no token
	return c, trace.NewLogger(level, c.Log.To), nil
}

// withUser runs f in a read/write session in which the user is logged in.
func withUser(p *pkcs11.Provider, slot uint, pin []byte, f func(session uint) error) error {
	return withSession(p, slot, pkcs11.CKU_USER, pin, f)
}

func withSession(p *pkcs11.Provider, slot, user uint, pin []byte, f func(session uint) error) error {
	session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	defer p.CloseSession(session)
	if err := p.Login(session, user, pin); err != nil {
		return withTries(p, slot, user, err)
	}
	return f(session)
}
