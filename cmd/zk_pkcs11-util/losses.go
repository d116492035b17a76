// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// mostNamed is how many keys are named to a user who is about to destroy them.
const mostNamed = 10

// confirmLosses tells what a token loses when it is initialised, and asks whether that is
// meant. Where nothing is lost there is no question.
func (f *flags) confirmLosses(p *pkcs11.Provider, ask *prompter) error {
	l, err := p.LossesOf(f.slot)
	if err != nil {
		return err
	}
	if l.Others+l.Foreign > 0 {
		fmt.Fprintf(ask.err, "%s and %s of other programs stay.\n", count(l.Others, "key"), count(l.Foreign, "foreign key"))
	}
	if f.yes || len(l.Keys)+l.Objects == 0 {
		return nil
	}
	return ask.confirm(lossesText(l, f.slot))
}

func lossesText(l pkcs11.Losses, slot uint) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The token in slot %d loses for good %s and %s", slot, count(len(l.Keys), "key pair"), count(l.Objects, "other object"))
	if len(l.Keys) > 0 {
		b.WriteByte(':')
	}
	for i, k := range l.Keys {
		if i == mostNamed {
			fmt.Fprintf(&b, "\n  and %d more", len(l.Keys)-i)
			break
		}
		fmt.Fprintf(&b, "\n  key slot %d %q", k.Slot, k.Label)
	}
	return b.String()
}

// count is a number of things.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
