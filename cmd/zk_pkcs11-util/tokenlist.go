// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/pkcs11"
)

// tokenList is what "token list" tells.
type tokenList struct {
	Tokens []tokenRow `json:"tokens"`
}

// tokenRow is a slot, and the token in it if there is one.
type tokenRow struct {
	Slot        uint      `json:"slot"`
	Present     bool      `json:"present"`
	Problem     string    `json:"problem,omitempty"` // why there is none
	Initialised bool      `json:"initialised"`
	Label       string    `json:"label"`
	Serial      string    `json:"serial"`
	Model       string    `json:"model"`
	State       string    `json:"state_directory"`
	User        pinStatus `json:"user_pin"`
	SOPIN       pinStatus `json:"so_pin"`
	URI         string    `json:"uri"`
}

// pinStatus is what can be told of a PIN without knowing it.
type pinStatus struct {
	Set    bool `json:"set"`
	Locked bool `json:"locked"`
	Tries  int  `json:"tries_left"`
}

func newPINStatus(p pkcs11.PINState) pinStatus { return pinStatus{p.Set, p.Locked, p.Left} }

// String tells it to people.
func (p pinStatus) String() string {
	switch {
	case !p.Set:
		return "not set"
	case p.Locked:
		return "locked"
	case p.Tries == 1:
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", p.Tries)
}

func (x *tokenTool) listCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the tokens, with their pkcs11: URIs and the tries that their PINs have left", Args: cobra.NoArgs,
		SuggestFor: []string{"show", "info"},
		Long: "List the tokens, with their pkcs11: URIs and the tries that their PINs have left. It fails when no slot has a token; one that is not initialised is listed, and no " +
			"--token finds it, for it has no label.",
		Example: "  zk_pkcs11-util token list\n  zk_pkcs11-util token list --json",
		RunE:    func(*cobra.Command, []string) error { return x.listTokens() },
	}
	return c
}

func (x *tokenTool) listTokens() error {
	l, group := tokenList{[]tokenRow{}}, ""
	err := withProvider(func(p *pkcs11.Provider, c config.Config) error {
		group = setup.ShutOut(c)
		for id := range c.Slots {
			row, err := newTokenRow(p, uint(id), c.Slots[id].State)
			if err != nil {
				return err
			}
			if x.isListed(row) {
				l.Tokens = append(l.Tokens, row)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = x.print("token-list/1", l, l.printText)
	if group != "" && !l.hasToken() {
		fmt.Fprintf(x.ask.err, hintOfGroup, config.SystemState, group, group)
	}
	return errors.Join(err, l.check())
}

// hintOfGroup is for a user who has no token of his own, and is not in the group that has one.
const hintOfGroup = "The token in %s is for members of the group %s, and this user is none. To use it, join and log in again:\n" +
	"  sudo usermod -aG %s \"$USER\"\n"

// hasToken reports whether there is a token that is initialised.
func (l tokenList) hasToken() bool {
	return slices.ContainsFunc(l.Tokens, func(r tokenRow) bool { return r.Initialised })
}

// isListed reports whether a row is of a token that was asked for: of all, when none is named.
func (x *tokenTool) isListed(r tokenRow) bool {
	return (!x.bySlot.Changed || r.Slot == x.slot) && x.fits(pkcs11.TokenInfo{Label: r.Label, Serial: r.Serial})
}

func newTokenRow(p *pkcs11.Provider, slot uint, state string) (tokenRow, error) {
	r := tokenRow{Slot: slot, State: state}
	info, err := p.GetTokenInfo(slot)
	if err == nil {
		var pins pkcs11.PINs
		pins, err = p.PINsOf(slot)
		r.User, r.SOPIN = newPINStatus(pins.User), newPINStatus(pins.SO)
	}
	if err != nil {
		r.Problem = problemOf(slot, err)
		return r, nil
	}
	r.Present, r.Initialised = true, info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0
	r.Label, r.Serial, r.Model = info.Label, serialOf(p, slot, info), info.Model
	if r.Serial != "" {
		r.URI = tokenURI(r.Label, r.Serial)
	}
	return r, nil
}

// problemOf says why there is no token in a slot: what the device says tells more than a code of PKCS#11.
func problemOf(slot uint, err error) string {
	t, reason := openTarget(slot)
	if reason != nil {
		return explain(reason)
	}
	_, damage := t.store.Token()
	if reason = errors.Join(damage, answers(t.device, t.store, nil)); reason != nil {
		return explain(reason)
	}
	return explain(err)
}

// check returns an error when there is no token.
func (l tokenList) check() error {
	if len(l.Tokens) == 1 && !l.Tokens[0].Present {
		return fmt.Errorf("there is no token: %s", l.Tokens[0].Problem)
	}
	for _, r := range l.Tokens {
		if r.Present {
			return nil
		}
	}
	return errors.New("there is no such token; without options \"token list\" lists all slots, and says why one has no token")
}

func (l tokenList) printText(w io.Writer) {
	for _, r := range l.Tokens {
		r.printText(w)
	}
}

func (r tokenRow) printText(w io.Writer) {
	line := func(name, value string) { fmt.Fprintf(w, "  %-17s%s\n", name+":", value) }
	fmt.Fprintf(w, "Slot %d\n", r.Slot)
	if !r.Present {
		line("Token", "none: "+r.Problem)
		line("State directory", r.State)
		return
	}
	label := r.Label
	if !r.Initialised {
		label = "none; \"token init\" makes the token one with a label and PINs"
	}
	line("Label", label)
	line("Serial number", cmp.Or(r.Serial, "none yet; the soft SCM is made when it is used first"))
	line("Model", r.Model)
	line("User PIN", r.User.String())
	line("SO PIN", r.SOPIN.String())
	line("State directory", r.State)
	line("URI", cmp.Or(r.URI, "none yet"))
}
