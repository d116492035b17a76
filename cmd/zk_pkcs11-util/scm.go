// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// scmTool is what the commands below "scm" share.
type scmTool struct {
	output
	tokenName
	userPIN pinSource
	member  string // of the pool of the slot, in place of its first SCM
	yes     bool   // do not ask for confirmation
	ask     *prompter
}

// softSCM is the soft SCM with all that the commands make of it.
type softSCM = wallet.Device

// target is the SCM of a slot, open, with the state of its token.
type target struct {
	slot   uint
	device scm.Device
	store  *store.Store
	first  scm.Device // of the slot, where device is another one of its pool
}

func newSCMCommand() *cobra.Command {
	x := &scmTool{userPIN: userPINSource()}
	c := &cobra.Command{
		Use: "scm", Short: "Look at the SCM itself, and play with the soft SCM", Args: cobra.NoArgs,
		PersistentPreRunE: x.prepare, RunE: help,
	}
	x.tokenName.addTo(c.PersistentFlags(), "token")
	x.addJSON(c)
	x.userPIN.addTo(c.PersistentFlags())
	c.PersistentFlags().StringVar(&x.member, "member", "", "`SCM` of the slot's pool, in place of its first one")
	c.AddCommand(x.statusCommand(), x.waitCommand(), x.slotsCommand(), x.ledCommand(), x.manifestCommand(), x.walletCommand(),
		x.injectCommand(), x.resetCommand(), x.lockBindingCommand(), x.panelCommand(), x.poolCommand())
	return c
}

// prepare notes with what streams and options a command is called.
func (x *scmTool) prepare(c *cobra.Command, _ []string) error {
	x.ask = newPrompter(c)
	x.out = c.OutOrStdout()
	return x.userPIN.load()
}

func help(c *cobra.Command, _ []string) error { return c.Help() }

// commandGroup makes a command that only has others below it.
func commandGroup(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: help}
	c.AddCommand(below...)
	return c
}

// onDevice makes a command for any SCM.
func (x *scmTool) onDevice(use, short string, args cobra.PositionalArgs, work func(*target, []string) error) *cobra.Command {
	d := deviceCommand{x, work}
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: d.run}
}

// deviceCommand is a command that works on an SCM.
type deviceCommand struct {
	tool *scmTool
	work func(*target, []string) error
}

func (d deviceCommand) run(_ *cobra.Command, words []string) error {
	slot, err := d.tool.chosenSlot()
	if err != nil {
		return err
	}
	t, err := openTarget(slot)
	if err != nil {
		return err
	}
	if err := t.turnTo(d.tool.member); err != nil {
		return errors.Join(err, t.closeFiles())
	}
	return errors.Join(d.work(t, words), t.closeFiles())
}

// onSoft makes a command for the soft SCM.
func (x *scmTool) onSoft(use, short string, args cobra.PositionalArgs, work func(*target, *softSCM, []string) error) *cobra.Command {
	return onAbility(x, use, short, args, noInjection, work)
}

// noInjection is why other SCMs do not do what the soft one does.
const noInjection = "only for the soft SCM: a Zymbit SCM takes this from the vendor's own tools"

// onAbility makes a command for an SCM that does what T says. Another one gets to know why it
// does not.
func onAbility[T any](x *scmTool, use, short string, args cobra.PositionalArgs, why string, work func(*target, T, []string) error) *cobra.Command {
	return x.onDevice(use, short, args, ability[T]{why, work}.run)
}

// ability is a command for an SCM that does what T says.
type ability[T any] struct {
	why  string // others do not
	work func(*target, T, []string) error
}

func (a ability[T]) run(t *target, words []string) error {
	d, ok := t.device.(T)
	if !ok {
		return fmt.Errorf("slot %d: %s", t.slot, a.why)
	}
	return a.work(t, d, words)
}

// slotOptions are those of a slot that the settings have, with its first SCM alone.
func slotOptions(slot uint) (pkcs11.SlotOptions, error) {
	c, log, err := readSettings()
	if err != nil {
		return pkcs11.SlotOptions{}, err
	}
	options := setup.Options(c.WithoutPools(), log, setup.Process{})
	if slot >= uint(len(options.Slots)) {
		err = fmt.Errorf("there is no slot %d; --show-slots lists them", slot)
	}
	if err != nil {
		return pkcs11.SlotOptions{}, err
	}
	return options.Slots[slot], nil
}

func openTarget(slot uint) (*target, error) {
	options, err := slotOptions(slot)
	if err != nil {
		return nil, err
	}
	device, tokens, err := options.Open()
	if err != nil {
		return nil, fmt.Errorf("slot %d: %w", slot, err)
	}
	return &target{slot: slot, device: withWallets(device), store: tokens}, nil
}

// withWallets has a soft SCM make wallets, too.
func withWallets(device scm.Device) scm.Device {
	if d, is := device.(*soft.Device); is {
		return wallet.On(d)
	}
	return device
}

func (t *target) closeFiles() error {
	err := errors.Join(t.store.Close(), t.device.Close())
	if t.first != nil {
		err = errors.Join(err, t.first.Close())
	}
	return err
}

// unsealed runs f, which uses private keys, and once more after the user's PIN has
// opened them if they are sealed.
func (x *scmTool) unsealed(t *target, f func() error) error {
	err := f()
	if !errors.Is(err, scm.ErrSealed) {
		return err
	}
	if err := x.unseal(t); err != nil {
		return err
	}
	return f()
}

func (x *scmTool) unseal(t *target) error {
	sealer, ok := t.device.(scm.Sealer)
	if !ok {
		return scm.ErrSealed
	}
	pin, err := x.ask.pin(&x.userPIN)
	if err != nil {
		return err
	}
	secret, err := t.store.CheckPIN(store.NormalUser, pin)
	if err != nil {
		return err
	}
	defer clear(secret)
	return sealer.Unseal(secret)
}

// printResult prints a result as JSON of a schema, or as text says.
func (x *scmTool) printResult(result any, text func(io.Writer)) error {
	return x.print(schemaOfSCM(result), result, text)
}

// schemaOfSCM names the form of what the commands below "scm" print.
func schemaOfSCM(result any) schema {
	switch result.(type) {
	case scmStatus:
		return "scm-status/1"
	case keyList:
		return "scm-slots/1"
	case manifest:
		return "scm-manifest/1"
	case bootReport:
		return "scm-boot/1"
	case newWallet:
		return "scm-wallet/1"
	case childKey:
		return "scm-wallet-child/1"
	case poolReport:
		return "scm-pool/1"
	}
	return ""
}
