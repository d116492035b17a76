// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
)

// keyListSchema and keySchema name what is printed by --json.
const (
	keyListSchema schema = "key-list/1"
	keySchema     schema = "key/1"
)

// keyReport is what "key list" tells.
type keyReport struct {
	Token string     `json:"token"`
	Slot  uint       `json:"slot"`
	Keys  []keyEntry `json:"keys"`
}

// keyEntry is one key.
type keyEntry struct {
	Label        string             `json:"label"`
	ID           string             `json:"id"` // in hex
	Type         string             `json:"type"`
	KeySlot      *int               `json:"key_slot"` // null where it is in the token's store
	Sealed       bool               `json:"sealed"`
	Hidden       bool               `json:"hidden"` // from programs, but for its public half
	URI          string             `json:"uri"`
	Certificates []certificateEntry `json:"certificates"`
}

// certificateEntry is one certificate.
type certificateEntry struct {
	Label    string    `json:"label"`
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	Names    []string  `json:"names"`
	NotAfter time.Time `json:"not_after"`
	HasKey   bool      `json:"has_key"`
	URI      string    `json:"uri"`
}

func (x *keyTool) listCommand() *cobra.Command {
	login := false
	c := &cobra.Command{
		Use: "list", Short: "List the keys of a token",
		Long: "List the keys of a token: label, id, type, where the key is, and until when its certificate is valid. Key pairs are shown to everybody. " +
			"Secret keys, and pairs that are private altogether, are shown with --login, which asks for the user PIN. " +
			"A secret key that is not private is open: everybody sees it, and it lies in the token's store as it is.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if login {
				return x.withKeys(x.printKeys)
			}
			return x.withPublicKeys(x.printKeys)
		},
	}
	c.Flags().BoolVar(&login, "login", false, "show what only the user sees, too")
	x.addJSON(c)
	return c
}

func (x *keyTool) printKeys(r *keyring.Ring) error {
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	info, err := r.Provider.GetTokenInfo(r.Slot)
	if err != nil {
		return err
	}
	if !x.choice.IsEmpty() && !x.isAmong(keys) {
		_, err := x.choose(keys)
		return err
	}
	report := keyReport{Token: info.Label, Slot: r.Slot, Keys: []keyEntry{}}
	for _, k := range keys {
		if x.choice.Fits(k.Label, k.ID) {
			e := entryOf(k, keyring.TokenURI(info.Label, info.Serial))
			e.Hidden = x.isHidden(k)
			report.Keys = append(report.Keys, e)
		}
	}
	if x.hides && !x.json {
		fmt.Fprintln(x.errs, listedHidden)
	}
	return errors.Join(x.print(keyListSchema, report, report.printText), x.tellHidden(r, keys))
}

// listedHidden is told beside a list of keys where the setting hides some.
const listedHidden = "The setting sealed_keys = false hides sealed keys from programs: those that are listed as hidden show their public half alone, others are not listed"

// isHidden reports whether the setting hides a key from programs, which see its public half alone.
func (x *keyTool) isHidden(k *keyring.Key) bool { return x.hides && k.IsSealed() && !k.Secret }

// checkWhole refuses to take the half of a key that is not hidden for the key, and says what that would come to.
func (x *keyTool) checkWhole(k *keyring.Key, without string) error {
	if !x.isHidden(k) {
		return nil
	}
	return fmt.Errorf("the setting sealed_keys = false hides the private half of the key %q: %s; "+
		"set sealed_keys to true in zk_pkcs11.toml, or ZK_PKCS11_SEALED_KEYS=true for one command", k.Label, without)
}

// entryOf describes a key of a token.
func entryOf(k *keyring.Key, token keyring.URI) keyEntry {
	e := keyEntry{Label: k.Label, ID: hex.EncodeToString(k.ID), Type: k.Type, Sealed: k.IsSealed(), Certificates: []certificateEntry{}}
	if k.KeySlot != keyring.NoSlot {
		e.KeySlot = &k.KeySlot
	}
	e.URI = token.Within(k.Label, k.ID, typeInURI(k))
	for _, c := range k.Certificates {
		e.Certificates = append(e.Certificates, certificateOf(c, token, true))
	}
	return e
}

func typeInURI(k *keyring.Key) string {
	if k.Secret {
		return "secret-key"
	}
	return "private"
}

func (r keyReport) printText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "LABEL\tID\tTYPE\tPLACE\tCERTIFICATE")
	for _, k := range r.Keys {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", orElse(visible(k.Label), "-"), orElse(k.ID, "-"), k.Type, k.place(), k.validity())
	}
}

func (k keyEntry) place() string {
	switch {
	case k.Hidden:
		return "sealed, hidden"
	case k.Sealed:
		return "sealed"
	case k.KeySlot == nil:
		return "open"
	}
	return fmt.Sprintf("key slot %d", *k.KeySlot)
}

// validity says until when the certificate is valid that lasts longest.
func (k keyEntry) validity() string {
	var last time.Time
	for _, c := range k.Certificates {
		if c.NotAfter.After(last) {
			last = c.NotAfter
		}
	}
	switch {
	case last.IsZero():
		return "-"
	case time.Now().After(last):
		return "expired " + last.Format(time.DateOnly)
	}
	return "until " + last.Format(time.DateOnly)
}
