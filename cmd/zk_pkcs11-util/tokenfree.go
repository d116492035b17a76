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
	return fmt.Errorf("no slot is free: add one to the settings, a table [[slot]] with a name of its own (docs/adr/0050-tokens.md)")
}
