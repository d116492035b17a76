// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/importer"
	"libzk_pkcs11/pkcs11"
)

// importTool is what the commands below "import" share.
type importTool struct {
	tokenTool
	from      string
	fromToken string
	label     string
	fromPIN   pinSource
	wait      time.Duration
	private   bool // secret keys come over private
}

func newImportCommand() *cobra.Command {
	x := &importTool{}
	c := &cobra.Command{
		Use:   "import --from MODULE",
		Short: "Bring over keys, certificates and data that were made elsewhere",
		Long: "Bring over keys, certificates and data that were made elsewhere. With --from it copies from a token of another PKCS #11 module what that " +
			"gives: certificates, data, public keys, and keys that are extractable. The commands below read files. Private keys that come in are sealed in the " +
			"token's store, for no SCM takes them into a slot. Nothing is written when a PIN is wrong or a file is cut, and what is there already is not added once more. " +
			"A table at the end tells what came over, what did not, and why; where something did not, the command ends with 4.",
		Example: "  zk_pkcs11-util import pem server.pem\n" +
			"  zk_pkcs11-util import softhsm /var/lib/softhsm/tokens --token web\n" +
			"  zk_pkcs11-util import --from /usr/lib/softhsm/libsofthsm2.so --token web",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if x.from == "" {
				return c.Help()
			}
			return x.run(importer.Source{Kind: importer.Module, Path: x.from})
		},
	}
	c.Flags().StringVar(&x.from, "from", "", "library of another PKCS #11 `MODULE`")
	x.addNamed(c, "to-token")
	x.addJSON(c)
	x.fromPIN = pinSource{name: "Password of the file or user PIN of the token that is read", option: "from-pin"}
	x.fromPIN.addTo(c.PersistentFlags())
	p := c.PersistentFlags()
	p.StringVar(&x.fromToken, "token", "", "`LABEL` of the token that is read, where there are several")
	p.StringVar(&x.label, "label", "", "`LABEL` of what has none; the name of the file otherwise")
	p.BoolVar(&x.private, "private", false, "bring secret keys over as private ones, which are sealed, also those that are not")
	p.DurationVar(&x.wait, "wait", time.Minute, "how long reading may take")
	c.PersistentPreRunE = func(c *cobra.Command, words []string) error {
		return errors.Join(x.prepare(c, words), x.fromPIN.load())
	}
	c.AddCommand(
		withExample("import pem server.pem",
			x.fileCommand(importer.PEM, "pem FILE", "Import private keys and certificates in PEM")),
		withExample("import pkcs12 server.p12 --from-pin-file password",
			x.fileCommand(importer.PKCS12, "pkcs12 FILE", "Import a private key and its certificates from PKCS #12 (.p12, .pfx)")),
		withExample("import ssh id_ed25519",
			x.fileCommand(importer.SSH, "ssh FILE", "Import a private key as ssh-keygen makes it")),
		withExample("import softhsm /var/lib/softhsm/tokens --token web",
			x.fileCommand(importer.SoftHSM, "softhsm DIR", "Import what a token of SoftHSM2 has, keys that are not extractable too")))
	return c
}

func (x *importTool) fileCommand(kind, use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1), SuggestFor: map[string][]string{importer.PKCS12: {"p12", "pfx"}}[kind],
		RunE: func(_ *cobra.Command, words []string) error {
			return x.run(importer.Source{Kind: kind, Path: words[0]})
		},
	}
}

// run reads all of a source before it writes anything.
func (x *importTool) run(s importer.Source) error {
	s.Token, s.Label = x.fromToken, x.label
	if s.Label == "" {
		base := filepath.Base(s.Path)
		s.Label = strings.TrimSuffix(base, filepath.Ext(base))
	}
	objects, err := x.read(s)
	if err != nil {
		return err
	}
	defer eraseObjects(objects)
	if x.private {
		makePrivate(objects)
	}
	return x.ofTarget(s, x.withLogin(func(p *pkcs11.Provider, session uint) error {
		return (&importing{p: p, session: session, output: x.output, hides: x.hides}).run(objects)
	}))
}

// ofTarget says of a PIN that was refused that it is not the one of the token that is read, where there are two tokens.
func (x *importTool) ofTarget(s importer.Source, err error) error {
	var refused *loginError
	if !errors.As(err, &refused) || s.Kind != importer.SoftHSM && s.Kind != importer.Module {
		return err
	}
	refused.target = fmt.Sprintf(" of the token that the import goes to (slot %d, label %q)", x.slot, refused.label)
	refused.hint = "; --token and --from-pin are those of the token that is read, --to-token or --slot and --pin those of the one here"
	return err
}

// read reads a source, and asks for what it takes to do so.
func (x *importTool) read(s importer.Source) ([]importer.Object, error) {
	given := x.fromPIN.found.given
	if given {
		s.Password = []byte(x.fromPIN.found.value)
	}
	ask := "Password of the file"
	if s.Kind == importer.SoftHSM || s.Kind == importer.Module {
		ask = "User PIN of the token that is read"
	} else {
		objects, err := x.readSource(s)
		if given || !errors.Is(err, importer.ErrNeeded) {
			return objects, err
		}
	}
	var err error
	if s.Password, err = x.ask.pinOf(ask, &x.fromPIN); err != nil {
		return nil, err
	}
	defer clear(s.Password)
	if s.Password == nil {
		s.Password = []byte{}
	}
	return x.readSource(s)
}

func eraseObjects(objects []importer.Object) {
	for _, o := range objects {
		for _, a := range o.Template {
			clear(a.Value)
		}
	}
}

// isThere reports whether a word of the command line is the name of a file.
func isThere(word string) bool {
	_, err := os.Stat(word)
	return err == nil
}

// kindMissing says what belongs before the name of a file.
func kindMissing(c *cobra.Command, file string) error {
	kind := importer.PEM
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		kind = importer.SoftHSM
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".p12", ".pfx":
		kind = importer.PKCS12
	}
	return usagef("%q is a file, and \"import\" wants a word before it for what is in it: pem, pkcs12, ssh or softhsm; did you mean \"import %s %s\"? (%s)", file, kind, file, seeHelp(c))
}
