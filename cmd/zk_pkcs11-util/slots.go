// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// doShowSlots prints the slots and their tokens.
func (f *flags) doShowSlots(c *cobra.Command) error {
	return withProvider(func(p *pkcs11.Provider, cfg config.Config) error {
		fmt.Fprintln(c.OutOrStdout(), "Available slots:")
		for id := range cfg.Slots {
			if err := showSlot(c.OutOrStdout(), p, uint(id), cfg.Slots[id].State); err != nil {
				return err
			}
		}
		return nil
	})
}

func showSlot(w io.Writer, p *pkcs11.Provider, id uint, state string) error {
	s, err := p.GetSlotInfo(id)
	if err != nil {
		return err
	}
	present := s.Flags&pkcs11.CKF_TOKEN_PRESENT != 0
	fmt.Fprintf(w, "Slot %d\n", id)
	fmt.Fprintln(w, "    Slot info:")
	printRow(w, "Description", s.Description)
	printRow(w, "Manufacturer", s.Manufacturer)
	printRow(w, "State directory", state)
	printRow(w, "Token present", yesNo(present))
	if !present {
		return nil
	}
	t, err := p.GetTokenInfo(id)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "    Token info:")
	printRow(w, "Manufacturer", t.Manufacturer)
	printRow(w, "Model", t.Model)
	printRow(w, "Firmware version", fmt.Sprintf("%d.%d", t.Firmware.Major, t.Firmware.Minor))
	printRow(w, "Serial number", serialOf(p, id, t))
	printRow(w, "Initialized", yesNo(t.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0))
	printRow(w, "User PIN init.", yesNo(t.Flags&pkcs11.CKF_USER_PIN_INITIALIZED != 0))
	printRow(w, "User PIN locked", yesNo(t.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0))
	printRow(w, "Write protected", yesNo(t.Flags&pkcs11.CKF_WRITE_PROTECTED != 0))
	printRow(w, "Label", t.Label)
	return nil
}

// serialOf returns no serial number of a soft SCM that is yet to be made: it may get another one.
func serialOf(p *pkcs11.Provider, slot uint, t pkcs11.TokenInfo) string {
	if p.Unmade(slot) {
		return ""
	}
	return t.Serial
}

func printRow(w io.Writer, name, value string) {
	fmt.Fprintf(w, "        %-18s%s\n", name+":", value)
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}
