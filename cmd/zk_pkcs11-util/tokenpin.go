// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// pinChanger has the commands that give a token another PIN.
type pinChanger struct {
	*tokenTool
	so bool // it is the SO's
}

// pinsTold is what "token pin" and "token unlock" tell.
type pinsTold struct {
	tokenMade
	Role  string    `json:"role"` // whose PIN is new: "user" or "so"
	User  pinStatus `json:"user_pin"`
	SOPIN pinStatus `json:"so_pin"`
}

func (x *tokenTool) pinCommand() *cobra.Command {
	p := &pinChanger{tokenTool: x}
	c := &cobra.Command{
		Use: "pin", Short: "Change the user PIN, or with --so the SO PIN", Args: cobra.NoArgs,
		Example: "  zk_pkcs11-util token pin --token device\n  zk_pkcs11-util token pin --so --so-pin-file old --new-pin-file new",
		RunE:    func(*cobra.Command, []string) error { return p.change() },
	}
	c.Flags().BoolVar(&p.so, "so", false, "change the SO PIN")
	x.addSO(c)
	x.newPIN.addTo(c.Flags())
	return c
}

func (x *tokenTool) unlockCommand() *cobra.Command {
	p := &pinChanger{tokenTool: x}
	c := &cobra.Command{
		Use: "unlock", Short: "Set a new user PIN by the SO PIN, when the old one is locked or forgotten", Args: cobra.NoArgs,
		SuggestFor: []string{"unblock", "reset"},
		Example:    "  zk_pkcs11-util token unlock --token device",
		RunE:       func(*cobra.Command, []string) error { return p.unlock() },
	}
	x.addSO(c)
	x.newPIN.addTo(c.Flags())
	return c
}

func (c *pinChanger) change() error {
	if c.so {
		return c.replace(&pinChange{pinChanger: c, role: pkcs11.CKU_SO}, &c.soPIN)
	}
	return c.replace(&pinChange{pinChanger: c, role: pkcs11.CKU_USER}, &c.userPIN)
}

func (c *pinChanger) unlock() error {
	return c.replace(&pinChange{pinChanger: c, role: pkcs11.CKU_SO, unlocks: true}, &c.soPIN)
}

// replace asks for the PIN that logs a role in, and for the new one.
func (c *pinChanger) replace(change *pinChange, source *pinSource) (err error) {
	if change.old, err = c.ask.pin(source); err != nil {
		return err
	}
	defer clear(change.old)
	if change.pin, err = c.ask.newPIN(&c.newPIN); err != nil {
		return err
	}
	defer clear(change.pin)
	return withProvider(change.run)
}

// pinChange is a new PIN on its way to a token.
type pinChange struct {
	*pinChanger
	provider *pkcs11.Provider
	role     uint // who logs in
	unlocks  bool // the PIN is that of the user, no matter who logs in
	old, pin []byte
}

func (c *pinChange) run(p *pkcs11.Provider, settings config.Config) error {
	t, err := c.chosen(p, settings)
	if err != nil {
		return err
	}
	c.provider = p
	if err := withSession(p, t.slot, c.role, c.old, c.inSession); err != nil {
		return c.aboutLocked(err)
	}
	return c.tell(p, t)
}

// aboutLocked says what is left when it is the SO PIN that is locked: nobody is above the SO.
func (c *pinChange) aboutLocked(err error) error {
	if c.role == pkcs11.CKU_SO && errors.Is(err, pkcs11.CKR_PIN_LOCKED) {
		return errors.New(lockedSO)
	}
	return err
}

func (c *pinChange) inSession(session uint) error {
	if c.unlocks {
		return c.provider.InitPIN(session, c.pin)
	}
	return c.provider.SetPIN(session, c.old, c.pin)
}

// tell says of what token the PIN is new.
func (c *pinChanger) tell(p *pkcs11.Provider, t namedToken) error {
	pins, err := p.PINsOf(t.slot)
	if err != nil {
		return err
	}
	told := pinsTold{newTokenMade(t), "user", newPINStatus(pins.User), newPINStatus(pins.SO)}
	if c.so {
		told.Role = "so"
	}
	return c.print("token-pin/1", told, told.printText)
}

func (t pinsTold) printText(w io.Writer) {
	name := "user PIN"
	if t.Role == "so" {
		name = "SO PIN"
	}
	fmt.Fprintf(w, "The %s of the token %q is new\n", name, t.Label)
	fmt.Fprintf(w, "Serial number:   %s\nUser PIN:        %s\nSO PIN:          %s\n", t.Serial, t.User, t.SOPIN)
}
