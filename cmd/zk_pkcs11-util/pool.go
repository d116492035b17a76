// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/setup"
)

// poolReport is what "scm pool" tells.
type poolReport struct {
	SCMs []poolSCM   `json:"scms"`
	Keys []sharedKey `json:"keys"`
}

// poolSCM is an SCM of a slot.
type poolSCM struct {
	Path    string `json:"state_directory"` // or the vendor's library of a further SCM in hardware
	Slot    int    `json:"slot"`
	Member  bool   `json:"member"` // of the slot's pool, and not the first
	Serial  string `json:"serial"`
	Answers bool   `json:"answers"`
	Problem string `json:"problem,omitempty"` // why it does not
}

// sharedKey is a key that several SCMs hold.
type sharedKey struct {
	Curve  string       `json:"curve"`
	Public string       `json:"public_key"` // in hex
	HeldBy []holdingSCM `json:"held_by"`
}

// holdingSCM is where one of them holds it.
type holdingSCM struct {
	Path    string   `json:"state_directory"`
	KeySlot scm.Slot `json:"key_slot"`
	Wallet  string   `json:"wallet,omitempty"`
	Address string   `json:"address,omitempty"` // in the wallet
}

func (x *scmTool) poolCommand() *cobra.Command {
	return withExample("scm pool", &cobra.Command{
		Use: "pool", Short: "Show the SCMs of all slots and pools, and which keys several of them hold", Args: cobra.NoArgs, RunE: x.printPool,
	})
}

func (x *scmTool) printPool(*cobra.Command, []string) error {
	c, _, err := readSettings()
	if err != nil {
		return err
	}
	r := poolReport{SCMs: []poolSCM{}, Keys: []sharedKey{}}
	if err := r.lookAt(c); err != nil {
		return err
	}
	if err := x.printResult(r, r.printText); err != nil {
		return err
	}
	return r.checkMembers()
}

// checkMembers returns an error when an SCM of a pool does not sign.
func (r poolReport) checkMembers() error {
	for _, s := range r.SCMs {
		if s.Member && !s.Answers {
			return fmt.Errorf("%s is left out of the pool of slot %d: %s; \"zk_pkcs11-util scm status --slot %d --member %s\" tells more, and "+
				"\"scm wallet restore\" makes its keys anew from the words (zk_pkcs11-util(1))", s.Path, s.Slot, s.Problem, s.Slot, s.Path)
		}
	}
	return nil
}

// lookAt looks at the SCMs of all slots, and makes none.
func (r *poolReport) lookAt(c config.Config) error {
	for slot, s := range c.Slots {
		look, err := setup.LookAt(c, slot)
		if err != nil {
			return err
		}
		first, err := look.Device()
		r.add(poolSCM{Path: s.State, Slot: slot}, first, err)
		r.addFurther(look, slot)
	}
	r.Keys = slices.DeleteFunc(r.Keys, func(k sharedKey) bool { return len(k.HeldBy) < 2 })
	slices.SortStableFunc(r.Keys, func(a, b sharedKey) int { return cmp.Compare(a.HeldBy[0].KeySlot, b.HeldBy[0].KeySlot) })
	return nil
}

// addFurther adds the further SCMs of a slot.
func (r *poolReport) addFurther(look setup.Look, slot int) {
	for _, m := range look.Pool() {
		r.add(poolSCM{Path: m.Path, Slot: slot, Member: true}, m.Device, m.Err)
	}
}

// add adds an SCM that was opened, unless err says why not, and closes it.
func (r *poolReport) add(s poolSCM, d scm.Device, err error) {
	if err == nil {
		defer d.Close()
		s.Serial, err = r.addKeys(s.Path, &target{device: d})
	}
	s.Answers = err == nil
	if err != nil {
		s.Problem = err.Error()
	}
	r.SCMs = append(r.SCMs, s)
}

// addKeys adds the keys of an SCM, and returns its serial number.
func (r *poolReport) addKeys(path string, t *target) (serial string, err error) {
	info, err := t.device.Info()
	if err != nil {
		return "", err
	}
	keys, err := t.device.Keys()
	if err != nil {
		return info.Serial, err
	}
	for _, k := range keys {
		held := holdingSCM{Path: path, KeySlot: k.Slot}
		if k.Slot.User() {
			if held.Address, held.Wallet, _, err = t.nodeOf(k.Slot); err != nil {
				return info.Serial, err
			}
		}
		r.addKey(k, held)
	}
	return info.Serial, nil
}

func (r *poolReport) addKey(k scm.Key, held holdingSCM) {
	public := hex.EncodeToString(k.Public)
	i := slices.IndexFunc(r.Keys, func(known sharedKey) bool { return known.Public == public })
	if i < 0 {
		i = len(r.Keys)
		r.Keys = append(r.Keys, sharedKey{Curve: k.Curve.String(), Public: public})
	}
	r.Keys[i].HeldBy = append(r.Keys[i].HeldBy, held)
}

func (r poolReport) printText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "SCM\tSERIAL\tSLOT\tSTATE")
	for _, s := range r.SCMs {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", s.Path, orElse(s.Serial, "-"), s.Slot, s.stateText())
	}
	if len(r.Keys) == 0 {
		fmt.Fprintln(t, "\nNo key is in two of them")
		return
	}
	fmt.Fprintln(t, "\nPUBLIC KEY\tCURVE\tKEY SLOT\tHELD BY")
	for _, k := range r.Keys {
		for i, held := range k.HeldBy {
			public, curve := shortened(k.Public), k.Curve
			if i > 0 {
				public, curve = "", ""
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", public, curve, held.KeySlot, held.text())
		}
	}
}

func (s poolSCM) stateText() string {
	switch {
	case s.Answers && s.Member:
		return "in the pool"
	case s.Answers:
		return "answers"
	case s.Member:
		return "left out: " + s.Problem
	}
	return s.Problem
}

func (h holdingSCM) text() string {
	return strings.TrimSpace(h.Path + "  " + strings.TrimSpace(h.Wallet+" "+h.Address))
}

// furtherSCMs looks at the further SCMs of a slot, unless the target is one of them.
func (t *target) furtherSCMs() ([]poolSCM, error) {
	c, _, err := readSettings()
	if err != nil || t.first != nil || len(c.Slots[t.slot].Pool) == 0 {
		return nil, err
	}
	look, err := setup.LookAt(c, int(t.slot))
	if err != nil {
		return nil, err
	}
	var r poolReport
	r.addFurther(look, int(t.slot))
	return r.SCMs, nil
}

// turnTo has the commands be about another SCM of the slot's pool, by its path or the end of that.
func (t *target) turnTo(member string) error {
	if member == "" {
		return nil
	}
	c, _, err := readSettings()
	if err != nil {
		return err
	}
	s := c.Slots[t.slot]
	path, named := memberNamed(s.Pool, member)
	if !named {
		return usagef("--member %q: the pool of slot %d has %s", member, t.slot, orElse(strings.Join(s.Pool, ", "), "no further SCMs"))
	}
	d, err := setup.OpenPoolDevice(c, s, path)
	if err != nil {
		return err
	}
	t.first, t.device = t.device, withWallets(d)
	return nil
}

// memberNamed returns the one SCM of a pool that has a path, or whose path, and no other's, ends in a name. It reports
// whether there is one.
func memberNamed(pool []string, name string) (path string, named bool) {
	if slices.Contains(pool, name) {
		return name, true
	}
	var ending []string
	for _, path := range pool {
		if filepath.Base(path) == name {
			ending = append(ending, path)
		}
	}
	if len(ending) != 1 {
		return "", false
	}
	return ending[0], true
}
