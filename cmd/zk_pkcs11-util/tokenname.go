// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// tokenName is how a command is told which token is meant: by its slot, which is 0 when nothing is
// said, by its label or by its serial number.
type tokenName struct {
	slot          uint
	token, serial string

	bySlot, byLabel, bySerial *pflag.Flag
}

// addTo adds the options that name a token; label is that of its label.
func (n *tokenName) addTo(p *pflag.FlagSet, label string) {
	p.UintVar(&n.slot, "slot", 0, "slot `ID` of the token")
	p.StringVar(&n.token, label, "", "`LABEL` of the token, in place of --slot")
	p.StringVar(&n.serial, "serial", "", "serial `NUMBER` of the token, in place of --slot")
	n.bySlot, n.byLabel, n.bySerial = p.Lookup("slot"), p.Lookup(label), p.Lookup("serial")
}

// isSearched reports whether the token has to be found by what it says of itself.
func (n *tokenName) isSearched() bool { return n.byLabel.Changed || n.bySerial.Changed }

// namedToken is where a token is that was named.
type namedToken struct {
	slot                 uint
	label, serial, state string
}

// uri returns the pkcs11: URI of the token.
func (t namedToken) uri() string { return tokenURI(t.label, t.serial) }

// fits reports whether a token is one that is meant.
func (n *tokenName) fits(t pkcs11.TokenInfo) bool {
	return (!n.bySerial.Changed || t.Serial == n.serial) && (!n.byLabel.Changed || t.Label == n.token)
}

// findToken finds the only token with the serial number and the label that are given.
func (n *tokenName) findToken(p *pkcs11.Provider, c config.Config) (namedToken, error) {
	var found []namedToken
	for id := range c.Slots {
		t, err := p.GetTokenInfo(uint(id))
		if err == nil && n.fits(t) {
			found = append(found, namedToken{uint(id), t.Label, t.Serial, c.Slots[id].State})
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return namedToken{}, fmt.Errorf("%d tokens have the label %q; name one by --serial, or by --slot", len(found), n.token)
	case n.byLabel.Changed:
		return namedToken{}, fmt.Errorf("no token has the label %q; \"token list\" and --show-slots list them", n.token)
	}
	return namedToken{}, fmt.Errorf("no token has the serial number %q; \"token list\" and --show-slots list them", n.serial)
}

// chooseSlot takes the slot of the token that is named by what it says of itself.
func (n *tokenName) chooseSlot(p *pkcs11.Provider, c config.Config) error {
	if !n.isSearched() {
		return nil
	}
	if n.bySlot.Changed {
		other := n.byLabel
		if !other.Changed {
			other = n.bySerial
		}
		return usagef("--%s and --slot both name a token; give one of them", other.Name)
	}
	t, err := n.findToken(p, c)
	n.slot = t.slot
	return err
}

// chosenSlot returns the slot of the token that is named, for commands that go past the provider.
func (n *tokenName) chosenSlot() (uint, error) {
	if !n.isSearched() {
		return n.slot, nil
	}
	err := withProvider(n.chooseSlot)
	return n.slot, err
}

// chosen returns the token that is named.
func (n *tokenName) chosen(p *pkcs11.Provider, c config.Config) (namedToken, error) {
	if err := n.chooseSlot(p, c); err != nil {
		return namedToken{}, err
	}
	t, err := p.GetTokenInfo(n.slot)
	if err != nil {
		return namedToken{}, err
	}
	return namedToken{n.slot, t.Label, t.Serial, c.Slots[n.slot].State}, nil
}
