// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// chooseSlotForInit takes the slot of the token that is to be initialised: with --free the first that is not yet, as
// SoftHSM2's tool does.
func (f *flags) chooseSlotForInit(p *pkcs11.Provider, c config.Config) error {
	if !f.free {
		return f.chooseSlot(p, c)
	}
	if f.isSearched() || f.bySlot.Changed {
		return usagef("--free looks for a slot by itself; leave --slot, --token and --serial out")
	}
	for id := range c.Slots {
		t, err := p.GetTokenInfo(uint(id))
		if err == nil && t.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			f.slot = uint(id)
			return nil
		}
	}
	return noneFree(c)
}

// noneFree says how there comes to be one more slot. The first table [[slot]] hides the token that was there without
// one, unless that gets its own.
func noneFree(c config.Config) error {
	file := c.Source.File
	if file == "" {
		file = config.DefaultFile
	}
	tables := "a table [[slot]] with a name of its own"
	if len(c.Slots) == 1 && c.Slots[0].State == c.State {
		tables += ", and beside it, unless it is there, [[slot]] with another name and state = \".\" for the token that is there, which would be hidden"
	}
	return fmt.Errorf("no slot is free: add one to %s, %s; zk_pkcs11.toml(5) has an example", file, tables)
}
