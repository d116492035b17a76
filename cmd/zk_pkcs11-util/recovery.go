// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/recovery"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// unrecoverable is what the one who makes a token is told.
const unrecoverable = "Nothing opens the sealed keys and private objects of this token if its SCM breaks. Write down what does:\n" +
	"  zk_pkcs11-util token recovery create --slot %d\n"

func (x *tokenTool) recoveryCommand() *cobra.Command {
	create := &cobra.Command{
		Use: "create", Short: "Make 24 words that bind the token to another SCM, and show them once", Args: cobra.NoArgs,
		Long: "Make 24 words that bind the token to another SCM, and show them once. Somebody who has them and a copy of the state directory has " +
			"the sealed keys and private objects of the token, without a PIN: keep them on paper, apart from the machine. " +
			"Words that were made before open nothing any more.",
		RunE: func(*cobra.Command, []string) error { return x.createWords() },
	}
	create.Flags().BoolVar(&x.yes, "yes", false, "do not ask before words of earlier are made worthless")
	restore := &cobra.Command{
		Use: "restore", Short: "Bind the token to the SCM that is there now, by its 24 words", Args: cobra.NoArgs,
		Long: "Bind the token to the SCM that is there now, by its 24 words, which it asks for. The state directory has to have the token's " +
			"token.db, or a backup of it. Where the soft SCM is gone, a new one is made. PINs stay as they were. Keys that were in key slots of the other " +
			"SCM never left it, and are not brought back.",
		Example: "  zk_pkcs11-util token recovery restore --slot 0",
		RunE:    func(*cobra.Command, []string) error { return x.restoreByWords() },
	}
	check := &cobra.Command{
		Use: "check", Short: "Tell whether 24 words, which it asks for, are those of the token", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return x.checkWords() },
	}
	return commandGroup("recovery", "24 words that bind the token to another SCM when its own is broken", create, restore, check)
}

// createWords shows the words before it keeps the key: words that nobody has seen must not make
// those worthless that somebody has.
func (x *tokenTool) createWords() error {
	return x.withLogin(func(p *pkcs11.Provider, session uint) error {
		if err := x.confirmReplaced(p); err != nil {
			return err
		}
		key := make([]byte, pkcs11.RecoverySize)
		defer clear(key)
		rand.Read(key) // never fails
		words, err := recovery.Words(key)
		if err != nil {
			return err
		}
		if err := x.print("token-words/1", recoveryWords{words}, recoveryWords{words}.printText); err != nil {
			return fmt.Errorf("nobody has seen the words, and they are not kept: %w", err)
		}
		if err := p.KeepRecovery(session, key); err != nil {
			return fmt.Errorf("the words above are not kept, and open nothing: %w", err)
		}
		fmt.Fprintln(x.ask.err, "These are the recovery words of the token. They are shown this once: write them down, and look whether you can read them by\n"+
			"  zk_pkcs11-util token recovery check")
		return nil
	})
}

func (x *tokenTool) confirmReplaced(p *pkcs11.Provider) error {
	has, err := p.HasRecovery(x.slot)
	if err != nil || !has || x.yes {
		return err
	}
	return x.ask.confirm("The token has recovery words. New ones make them worthless.")
}

// recoveryWords are what "token recovery create" tells.
type recoveryWords struct {
	Words []string `json:"words"`
}

// wordsInLine is how many words stand beside each other.
const wordsInLine = 4

func (r recoveryWords) printText(w io.Writer) {
	for i, word := range r.Words {
		end := "  "
		if (i+1)%wordsInLine == 0 {
			end = "\n"
		}
		fmt.Fprintf(w, "%2d %-9s%s", i+1, word, end)
	}
}

func (x *tokenTool) checkWords() error {
	return x.withRebinding(func(r *pkcs11.Rebinding) error {
		key, err := x.askKey(r)
		if err != nil {
			return err
		}
		clear(key)
		return x.print("token-words-check/1", wordsChecked{true}, wordsChecked{true}.printText)
	})
}

// wordsChecked is what "token recovery check" tells; of words that are wrong it is an error.
type wordsChecked struct {
	Right bool `json:"right"`
}

func (wordsChecked) printText(w io.Writer) { fmt.Fprintln(w, "The words are right") }

func (x *tokenTool) restoreByWords() error {
	return x.withRebinding(func(r *pkcs11.Rebinding) error {
		key, err := x.askKey(r)
		if err != nil {
			return err
		}
		defer clear(key)
		done, err := r.Bind(key)
		if err != nil {
			return err
		}
		told := newBoundTold(done)
		return x.print("token-bound/1", told, told.printText)
	})
}

// boundTold is what "token recovery restore" tells.
type boundTold struct {
	Label  string `json:"label"`
	Serial string `json:"serial"`         // of the SCM to which the token belongs now
	Lost   []int  `json:"lost_key_slots"` // whose keys were in the SCM before

	keys []pkcs11.LostKey // the same with their labels
}

func newBoundTold(b pkcs11.Bound) boundTold {
	t := boundTold{b.Label, b.Serial, []int{}, b.Lost}
	for _, k := range b.Lost {
		t.Lost = append(t.Lost, k.Slot)
	}
	return t
}

func (t boundTold) printText(w io.Writer) {
	fmt.Fprintf(w, "The token %q belongs to the SCM %s now. Its PINs are the same\n", t.Label, t.Serial)
	if len(t.keys) == 0 {
		return
	}
	fmt.Fprintf(w, "%s of the SCM before %s not in this one, and lost for good:%s\n", count(len(t.keys), "key"), isOrAre(len(t.keys)), listed(slotTexts(t.keys)))
	fmt.Fprint(w, "Make new keys by \"key generate\", and get new certificates for them by \"key csr\". \"cert list\" shows the certificates\n"+
		"of the lost ones by \"no\" below KEY; \"cert delete\" removes them\n")
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// withRebinding runs do with the token that is named, whatever SCM it belongs to.
func (x *tokenTool) withRebinding(do func(*pkcs11.Rebinding) error) error {
	c, _, err := loadSettings()
	if err != nil {
		return err
	}
	if x.isSearched() {
		return usagef("a token without its SCM has no label to be found by: name it by --slot")
	}
	p := pkcs11.New(setup.RecoveryOptions(c, toolLogger(c), setup.Process{}))
	defer p.Close()
	r, err := p.BeginRebinding(x.slot)
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.Close())
}

// toolLogger says as little as a user who asks by hand needs.
func toolLogger(c config.Config) *trace.Logger {
	return trace.NewLogger(trace.Error, c.Log.To)
}

// askKey asks for the words of the key that opens a token.
func (x *tokenTool) askKey(r *pkcs11.Rebinding) ([]byte, error) { return x.askWords(r.Opens) }

// readWords asks for words until there are enough of them.
func (x *tokenTool) readWords() (words []string, err error) {
	fmt.Fprintf(x.ask.err, "The %d recovery words, in their order, in one line or several.\n", recovery.Count)
	for len(words) < recovery.Count {
		line, err := x.ask.askLine(fmt.Sprintf("Word %d: ", len(words)+1))
		if err != nil {
			return nil, fmt.Errorf("%d words are there: %w", len(words), err)
		}
		words = append(words, recovery.Split(string(line))...)
		clear(line)
	}
	return words, nil
}
