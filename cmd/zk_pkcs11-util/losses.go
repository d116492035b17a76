// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// mostNamed is how many things of a kind are named to a user who is about to destroy them.
const mostNamed = 10

// confirmLosses tells what a token loses when it is initialised, and asks whether that is
// meant. Where nothing is lost but names of keys that stay there is no question: guides initialise such tokens again.
func (f *flags) confirmLosses(p *pkcs11.Provider, ask *prompter) error {
	l, err := p.LossesOf(f.slot)
	if err != nil {
		return err
	}
	if l.Others+l.Foreign > 0 {
		fmt.Fprintf(ask.err, "%s and %s of other programs stay.\n", count(l.Others, "key"), count(l.Foreign, "foreign key"))
	}
	if f.yes || len(l.Keys)+l.Stored.Count() == 0 {
		return nil
	}
	text := lossesText(l, f.slot)
	if len(l.Named) > 0 {
		text += "\nThese keys stay, without the names that they have here:" + listed(slotTexts(l.Named))
	}
	return ask.confirm(text)
}

// lossesText counts what goes, and names the keys and certificates.
func lossesText(l pkcs11.Losses, slot uint) string {
	s := l.Stored
	kinds := []string{
		count(len(l.Keys), "key pair") + " in key slots", count(len(s.Pairs), "sealed key pair"), count(len(s.Secrets), "secret key"),
		count(len(s.Certificates), "certificate"), count(s.Data, "data object"),
	}
	if len(s.PublicKeys) > 0 {
		kinds = append(kinds, count(len(s.PublicKeys), "public key"))
	}
	if s.Private > 0 {
		kinds = append(kinds, count(s.Private, "private object")+" that only a login shows (secret keys, data)")
	}
	text := fmt.Sprintf("The token in slot %d loses for good %s and %s", slot, strings.Join(kinds[:len(kinds)-1], ", "), kinds[len(kinds)-1])
	names := listed(slotTexts(l.Keys)) + listed(labelled("sealed key", s.Pairs)) + listed(labelled("secret key", s.Secrets)) +
		listed(labelled("public key", s.PublicKeys)) + listed(labelled("certificate", s.Certificates))
	if names != "" {
		text += ":" + names
	}
	return text
}

// listed has each of the first lines on one of its own, and says how many more there are.
func listed(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		if i == mostNamed {
			fmt.Fprintf(&b, "\n  and %d more", len(lines)-i)
			break
		}
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// labelled are labels of things of a kind.
func labelled(kind string, labels []string) (lines []string) {
	for _, label := range labels {
		lines = append(lines, fmt.Sprintf("%s %q", kind, label))
	}
	return lines
}

// slotTexts names keys in key slots.
func slotTexts(keys []pkcs11.LostKey) (lines []string) {
	for _, k := range keys {
		lines = append(lines, slotText(k))
	}
	return lines
}

// slotText names a key by its key slot, and by its label where it has one.
func slotText(k pkcs11.LostKey) string {
	if k.Label == "" {
		return fmt.Sprintf("key slot %d", k.Slot)
	}
	return fmt.Sprintf("key slot %d %q", k.Slot, k.Label)
}

// count is a number of things.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
