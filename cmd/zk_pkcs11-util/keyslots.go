// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
)

// keyList is what "scm slots" tells.
type keyList struct {
	Keys    []keyRow `json:"keys"`
	Foreign []keyRow `json:"foreign"`
}

// keyRow is a key slot in use.
type keyRow struct {
	Slot    scm.Slot `json:"slot"`
	Kind    string   `json:"kind"`                 // "permanent", "user", "ephemeral" or "foreign"
	Curve   string   `json:"curve,omitempty"`      // "" where the public key is not given away
	Public  string   `json:"public_key,omitempty"` // in hex
	Wallet  string   `json:"wallet,omitempty"`
	Address string   `json:"address,omitempty"` // in the wallet
	Problem string   `json:"problem,omitempty"` // why what the device gives for a public key is none
}

func (x *scmTool) slotsCommand() *cobra.Command {
	return x.onDevice("slots", "List the key slots in use and their public keys", cobra.NoArgs, x.printKeyList)
}

func (x *scmTool) printKeyList(t *target, _ []string) error {
	list, err := t.keyList()
	if err != nil {
		return err
	}
	return x.printResult(list, list.printText)
}

func (t *target) keyList() (keyList, error) {
	l := keyList{Keys: []keyRow{}, Foreign: []keyRow{}}
	keys, err := t.ownKeys()
	if err != nil {
		return l, err
	}
	for _, k := range keys {
		r := newKeyRow(k, kindOf(k.Slot))
		if k.Public == nil {
			r.Problem = problem(t.device.PublicKey(k.Slot))
		}
		if k.Slot.User() {
			if r.Address, r.Wallet, _, err = t.nodeOf(k.Slot); err != nil {
				return l, err
			}
		}
		l.Keys = append(l.Keys, r)
	}
	foreign, err := t.foreignKeys()
	for _, k := range foreign {
		l.Foreign = append(l.Foreign, newKeyRow(k, "foreign"))
	}
	return l, err
}

// problem is what is wrong with a public key that is not merely hidden.
func problem(_ scm.Key, err error) string {
	if errors.Is(err, scm.ErrExport) && errors.Is(err, scm.ErrDevice) {
		return err.Error()
	}
	return ""
}

// slotLister is an SCM that lists also the slots whose public key it hides.
type slotLister interface {
	Slots() ([]scm.Slot, error)
	ForeignSlots() ([]scm.Slot, error)
}

// ownKeys are the keys in all slots in use, without Public where it is not given
// away.
func (t *target) ownKeys() ([]scm.Key, error) {
	keys, err := t.device.Keys()
	d, ok := t.device.(slotLister)
	if err != nil || !ok {
		return keys, err
	}
	slots, err := d.Slots()
	if err != nil {
		return nil, err
	}
	switch k, err := t.device.PublicKey(scm.EphemeralSlot); {
	case err == nil:
		keys, slots = append(keys, k), append(slots, k.Slot)
	case !errors.Is(err, scm.ErrSlotEmpty) && !errors.Is(err, scm.ErrSlotRange): // a Zymbit SCM does not show it
		return nil, err
	}
	return withHidden(slots, keys), nil
}

// foreignKeys is ownKeys for the public keys of others.
func (t *target) foreignKeys() ([]scm.Key, error) {
	k, ok := t.device.(scm.Keeper)
	if !ok {
		return nil, nil
	}
	keys, err := k.Foreign()
	d, ok := t.device.(slotLister)
	if err != nil || !ok {
		return keys, err
	}
	slots, err := d.ForeignSlots()
	return withHidden(slots, keys), err
}

// withHidden returns the keys of the slots, bare ones where they are not known.
func withHidden(slots []scm.Slot, known []scm.Key) []scm.Key {
	bySlot := make(map[scm.Slot]scm.Key, len(known))
	for _, k := range known {
		bySlot[k.Slot] = k
	}
	all := make([]scm.Key, 0, len(slots))
	for _, s := range slots {
		k := bySlot[s]
		k.Slot = s
		all = append(all, k)
	}
	return all
}

// nodeOf is where in its wallet a key is; nothing for one that is in none.
func (t *target) nodeOf(s scm.Slot) (address, wallet string, master scm.Slot, err error) {
	w, ok := t.device.(scm.Wallet)
	if !ok {
		return "", "", 0, nil
	}
	address, wallet, master, err = w.NodeAddress(s)
	if errors.Is(err, scm.ErrInput) {
		err = nil
	}
	return address, wallet, master, err
}

func kindOf(s scm.Slot) string {
	switch {
	case s.Permanent():
		return "permanent"
	case s == scm.EphemeralSlot:
		return "ephemeral"
	}
	return "user"
}

func newKeyRow(k scm.Key, kind string) keyRow {
	r := keyRow{Slot: k.Slot, Kind: kind}
	if k.Public != nil {
		r.Curve, r.Public = k.Curve.String(), hex.EncodeToString(k.Public)
	}
	return r
}

// text prints the keys for people, the public keys shortened.
func (l keyList) printText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "SLOT\tKIND\tCURVE\tPUBLIC KEY\tWALLET")
	for _, list := range [][]keyRow{l.Keys, l.Foreign} {
		for _, r := range list {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", r.Slot, r.Kind, orElse(r.Curve, "-"), r.keyText(), r.placeText())
		}
	}
}

// keyText is the beginning of the public key, or why there is none.
func (r keyRow) keyText() string {
	if r.Problem != "" {
		return "broken"
	}
	return shortened(r.Public)
}

func (r keyRow) placeText() string {
	if r.Wallet == "" {
		return "-"
	}
	return r.Wallet + " " + r.Address
}

// shortened is the beginning of a public key, by which people tell keys apart.
func shortened(public string) string {
	const shown = 16
	if len(public) <= shown {
		return orElse(public, "hidden")
	}
	return public[:shown] + "..."
}

func orElse(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
