// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/keyring"
	"libzk_pkcs11/pkcs11"
)

// keyTool is what the commands below "key" and "cert" share: how a key is named, and where the result goes.
type keyTool struct {
	tokenTool
	choice keyring.Choice
	label  string
	id     string
	file   string // for the result; "" = the standard output
	errs   io.Writer
	public bool // nobody has logged in
}

func newKeyCommand() *cobra.Command {
	x := &keyTool{}
	c := commandGroup("key", "List, make, name and delete keys, and what certificates are asked for with",
		x.listCommand(), x.generateCommand(), x.nameCommand(), x.renameCommand(), x.deleteCommand(), x.publicCommand(), x.csrCommand(), x.selfCertCommand())
	c.Long = "List, make, name and delete keys, and what certificates are asked for with. A key is named by --id, by --label, " +
		"or by a pkcs11: URI, which also names its token."
	x.addKeyOptions(c)
	return c
}

// addKeyOptions gives a group of commands the options by which a token and something on it is named, and the user's PIN.
func (x *keyTool) addKeyOptions(c *cobra.Command) {
	x.addTo(c)
	x.addKeyName(c)
}

// addKeyName gives a group of commands that name a token the options by which something on it is named.
func (x *keyTool) addKeyName(c *cobra.Command) {
	c.PersistentPreRunE = x.prepareKey
	p := c.PersistentFlags()
	p.StringVar(&x.label, "label", "", "`LABEL` of the key")
	p.StringVar(&x.id, "id", "", "CKA_ID of the key, in `HEX`")
}

func (x *keyTool) prepareKey(c *cobra.Command, words []string) error {
	x.errs = c.ErrOrStderr()
	return errors.Join(x.prepare(c, words), x.readChoice(c, words))
}

// readChoice reads what names a key. A pkcs11: URI stands in place of the options, and may name the token as well.
func (x *keyTool) readChoice(c *cobra.Command, words []string) error {
	x.choice = keyring.Choice{Label: x.label, HasLabel: c.Flags().Changed("label"), HasID: c.Flags().Changed("id")}
	var err error
	if x.choice.HasID {
		if x.choice.ID, err = parseID("id", x.id); err != nil {
			return err
		}
	}
	for _, word := range words {
		if !strings.HasPrefix(word, keyring.Scheme) {
			continue
		}
		if !x.choice.IsEmpty() {
			return usagef("a pkcs11: URI names the key; leave out --label and --id")
		}
		if err := x.readURI(c, word); err != nil {
			return err
		}
	}
	return nil
}

func (x *keyTool) readURI(c *cobra.Command, text string) error {
	u, err := keyring.ParseURI(text)
	if err != nil {
		return usagef("%w", err)
	}
	x.choice = u.Choice()
	if x.bySlot.Changed {
		return nil
	}
	for option, value := range map[string]string{"token": u.Token, "serial": u.Serial} {
		given := c.Flags().Lookup(option)
		if given.Changed && value != "" && given.Value.String() != value {
			return usagef("the URI is of the %s %q, --%[1]s of %[3]q", option, value, given.Value)
		}
		if value != "" && !given.Changed {
			err = errors.Join(err, c.Flags().Set(option, value))
		}
	}
	return err
}

// parseID reads the CKA_ID of an option. Colons and percent signs, with which others print it, do no harm.
func parseID(option, text string) ([]byte, error) {
	digits := strings.NewReplacer(":", "", "%", "").Replace(text)
	if digits == "" {
		return nil, usagef("--%s is empty; it is made of pairs of the digits 0 to 9 and a to f", option)
	}
	if onlyHex(digits) && len(digits)%2 == 1 {
		return nil, oddDigits(option, text)
	}
	id, err := hex.DecodeString(digits)
	if err != nil {
		return nil, usagef("--%s %q is not hexadecimal, such as 0001; it is made of pairs of the digits 0 to 9 and a to f", option, text)
	}
	return id, nil
}

// oddDigits is the error of an id of which a digit is missing: nobody knows which.
func oddDigits(option, text string) error {
	return usagef("--%s %q has an odd number of digits, and two of them make a byte; add the one that is missing, such as a 0 in front", option, text)
}

// onlyHex reports whether a text has no other letters than those of hexadecimal numbers.
func onlyHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// ringWork is what is done with the keys of a token.
type ringWork struct {
	tool *keyTool
	do   func(*keyring.Ring) error
}

func (w ringWork) inSession(p *pkcs11.Provider, session uint) error {
	return w.do(&keyring.Ring{Provider: p, Session: session, Slot: w.tool.slot, PIN: w.tool.askAgain})
}

// askAgain returns the PIN once more, which is asked for again where nobody has given it otherwise.
func (x *keyTool) askAgain() ([]byte, error) { return x.ask.pin(&x.userPIN) }

// withKeys runs do with all keys of the token, for which its user logs in.
func (x *keyTool) withKeys(do func(*keyring.Ring) error) error {
	return x.withLogin(ringWork{x, do}.inSession)
}

// withPublicKeys runs do with what the token shows to everybody, and asks for no PIN. A user who gives one sees all.
func (x *keyTool) withPublicKeys(do func(*keyring.Ring) error) error {
	if x.userPIN.found.given {
		return x.withKeys(do)
	}
	return withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := x.chooseSlot(p, settings); err != nil {
			return err
		}
		x.hides = !settings.SealedKeys
		if p.Unmade(x.slot) { // looking makes none
			return fmt.Errorf("there is no token in slot %d yet; \"token init\" makes one, \"token list\" shows where it would be", x.slot)
		}
		session, err := p.OpenSession(x.slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			return err
		}
		defer p.CloseSession(session)
		x.public = true
		return ringWork{x, do}.inSession(p, session)
	})
}

// chosenKey is the key that is named.
func (x *keyTool) chosenKey(r *keyring.Ring) (*keyring.Key, error) {
	keys, err := r.Keys()
	if err != nil {
		return nil, err
	}
	return x.choose(keys)
}

// choose is chosenKey among keys that are known.
func (x *keyTool) choose(keys []*keyring.Key) (*keyring.Key, error) {
	if x.choice.IsEmpty() {
		return nil, usagef("name a key by --id, by --label or by its pkcs11: URI; \"key list\" shows them")
	}
	k, err := x.choice.Key(keys)
	return k, x.aboutHidden(err, keys)
}

// tokenOf is the URI of the token.
func tokenOf(r *keyring.Ring) (keyring.URI, error) {
	info, err := r.Provider.GetTokenInfo(r.Slot)
	return keyring.TokenURI(info.Label, info.Serial), err
}

// addOutput gives a command the option for where its result goes.
func (x *keyTool) addOutput(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&x.file, "out", "", "`FILE` for the result, in place of the standard output")
	return c
}

// writeResult writes what a command makes to where it is wanted.
func (x *keyTool) writeResult(text []byte) error {
	if x.file == "" {
		_, err := x.out.Write(text)
		return err
	}
	if err := os.WriteFile(x.file, text, 0o644); err != nil {
		return notWritten("--out", err)
	}
	return nil
}

// uriWord is the argument of a command that takes the URI of a key, or none.
func uriWord(c *cobra.Command, words []string) error {
	switch {
	case len(words) > 1:
		return usagef("%d arguments are given; \"%s\" takes one pkcs11: URI at most", len(words), c.CommandPath())
	case len(words) == 1 && !strings.HasPrefix(words[0], keyring.Scheme):
		return usagef("%q is no pkcs11: URI; a label is given by --label, an id by --id", words[0])
	}
	return nil
}

// visible is a label or a subject as a terminal may show it: others have written it.
func visible(text string) string {
	return strings.Map(visibleRune, text)
}

func visibleRune(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// complete has a shell complete the words that an option takes.
func complete(c *cobra.Command, option string, words ...string) {
	err := c.RegisterFlagCompletionFunc(option, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the command has no such option
	}
}
