// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (x *scmTool) resetCommand() *cobra.Command {
	c := x.onSoft("reset", "Make the soft SCM one as from the factory; all its keys are lost", cobra.NoArgs, x.resetSCM)
	return x.confirmed(c)
}

func (x *scmTool) resetSCM(t *target, d *softSCM, _ []string) error {
	if err := x.confirm("All keys of the soft SCM in slot %d will be lost for good%s.", t.slot, t.countedKeys()); err != nil {
		return err
	}
	if err := d.Reset(); err != nil {
		return err
	}
	return x.aftermath(t, "The SCM is new. Initialise its token again, so that the PIN seals the new keys")
}

// countedKeys tells how many keys an SCM has, if it does.
func (t *target) countedKeys() string {
	s, err := t.status()
	if err != nil {
		return ""
	}
	user := 0
	for _, slot := range s.KeySlots {
		if slot.User() {
			user++
		}
	}
	return fmt.Sprintf(": %s in key slots, %d of them not from the factory, and %s", count(len(s.KeySlots), "key"), user, count(len(s.Foreign), "foreign key"))
}

func (x *scmTool) lockBindingCommand() *cobra.Command {
	c := x.onSoft("lock-binding", "Bind the soft SCM to this host for good: production mode from the next start on", cobra.NoArgs, x.lockBinding)
	return x.confirmed(c)
}

func (x *scmTool) lockBinding(t *target, d *softSCM, _ []string) error {
	err := x.confirm("From its next start on the soft SCM in slot %d will be in production mode: bound to this host,\n"+
		"its thresholds fixed, and its keys destroyed by whatever was set to self-destruct.", t.slot)
	if err != nil {
		return err
	}
	if err := d.LockBinding(); err != nil {
		return err
	}
	return x.aftermath(t, "Production mode begins at the next start (\"scm inject boot\")")
}

// confirmed gives a command the option not to be asked.
func (x *scmTool) confirmed(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&x.yes, "yes", false, "do not ask for confirmation")
	return c
}

// confirm asks whether to go on.
func (x *scmTool) confirm(warning string, args ...any) error {
	if x.yes {
		return nil
	}
	return x.ask.confirm(fmt.Sprintf(warning, args...))
}

// confirm asks whether to go on.
func (p *prompter) confirm(warning string) error {
	answer, err := p.askLine(warning + "\nType yes to go on: ")
	if err != nil {
		return refusedf("not confirmed; nothing was done (--yes goes on without a question)")
	}
	if string(answer) != "yes" {
		return refusedf("not confirmed; nothing was done (--yes goes on without a question)")
	}
	return nil
}
