// SPDX-License-Identifier: Apache-2.0

// Command zk_pkcs11-util is the tool of administrators: it shows the slots of
// libzk_pkcs11, initialises and deletes tokens, and names the keys in the key
// slots of an SCM. The commands below "scm" are about the SCM itself, most of them
// about the soft SCM. It reads the same settings as the module.
package main

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	var err error
	// GODEBUG=fips140=only in the environment is meant for others: see docs/adr/0029-flat-calls.md.
	fips140.WithoutEnforcement(func() { err = newCommand().Execute() })
	if err != nil {
		if text := explain(err); text != "" {
			fmt.Fprintln(os.Stderr, "zk_pkcs11-util:", text)
		}
		os.Exit(exitCode(err))
	}
}

// flags are the arguments of the tool. Guides and scripts of the vendor's own
// module use them as they are: an action is a flag, not a command.
type flags struct {
	showSlots, initToken, deleteToken bool

	useZKSlot int
	tokenName
	label, id      string
	userPIN, soPIN pinSource
	idGiven        bool
	importFile     string
	filePIN        pinSource
	noPublicKey    bool
	free           bool // the token to initialise is the first that is not
	yes            bool // do not ask for confirmation
}

func newCommand() *cobra.Command {
	f := &flags{userPIN: userPINSource(), soPIN: soPINSource(), filePIN: pinSource{name: "Password of the file", option: "file-pin"}}
	c := &cobra.Command{
		Use:     "zk_pkcs11-util",
		Version: version,
		Short:   "Manage the tokens of libzk_pkcs11, the PKCS#11 module for the Zymbit SCM",
		Long: "Manage the tokens of libzk_pkcs11, the PKCS#11 module for the Zymbit SCM. The options below that are actions, --show-slots, --init-token, " +
			"--use-zkslot, --import and --delete-token, are those of the vendor's own tool and SoftHSM2's, whose guides have them; \"token list\", \"token init\", " +
			"\"import pem\" and \"token delete\" are the commands for it.",
		Example: `  zk_pkcs11-util token init --label device
  zk_pkcs11-util token list
  zk_pkcs11-util --use-zkslot 0 --slot 0 --label iotkey --id 0001
  zk_pkcs11-util token recovery create --slot 0
  zk_pkcs11-util import pem server.pem
  zk_pkcs11-util scm status`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return f.runOptions(c) },
	}
	p := c.Flags()
	p.BoolVar(&f.showSlots, "show-slots", false, "show the slots and their tokens")
	p.BoolVar(&f.initToken, "init-token", false, "initialise the token in --slot with --label; asks for PINs that are not given")
	p.IntVar(&f.useZKSlot, "use-zkslot", 0, "name the key pair in key slot `N` of the SCM: give it the --label and --id")
	p.BoolVar(&f.deleteToken, "delete-token", false, "delete the token with --serial or --token; the keys of a soft SCM go with it")
	p.StringVar(&f.importFile, "import", "", "import the private key of a `FILE` in PEM with --label and --id, as \"import pem\" does")
	p.BoolVar(&f.noPublicKey, "no-public-key", false, "import no public key with the private one")
	f.tokenName.addTo(p, "token")
	p.StringVar(&f.label, "label", "", "`LABEL` of the token or of the key")
	p.StringVar(&f.id, "id", "", "CKA_ID of the key, in `HEX`")
	f.userPIN.addTo(p)
	f.soPIN.addTo(p)
	f.filePIN.addTo(p)
	p.BoolVar(&f.free, "free", false, "have --init-token take the first slot whose token is not initialised")
	p.BoolVar(&f.yes, "yes", false, "do not ask before --init-token destroys what a token has; --import takes an ID that another key has")
	p.BoolVar(&f.yes, "force", false, "the same as --yes")
	c.CompletionOptions.DisableDefaultCmd = true // it has a command of its own
	c.AddCommand(newSCMCommand(), newTokenCommand(), newKeyCommand(), newCertCommand(), newSnippetCommand(), newImportCommand(), newReadCommand(), newVersionCommand(), newCompletionCommand(), newManualCommand())
	c.AddCommand(newDoctorCommand(), newCheckCommand(), newSecretCommand())
	c.SetHelpFunc(printHelp)
	c.SetHelpCommand(newHelpCommand())
	explainUsage(c)
	refuseRepeated(c)
	asPlugin(c)
	return c
}

// runOptions does the one action that the flags name.
func (f *flags) runOptions(c *cobra.Command) error {
	given := c.Flags().Changed
	f.idGiven = given("id")
	if err := errors.Join(f.userPIN.load(), f.soPIN.load(), f.filePIN.load()); err != nil {
		return err
	}
	var actions []func(*cobra.Command) error
	for _, a := range []struct {
		wanted bool
		do     func(*cobra.Command) error
	}{
		{f.showSlots, f.doShowSlots},
		{f.initToken, f.doInitToken},
		{given("use-zkslot"), f.doUseZKSlot},
		{given("import"), f.doImport},
		{f.deleteToken, f.doDeleteToken},
	} {
		if a.wanted {
			actions = append(actions, a.do)
		}
	}
	switch len(actions) {
	case 0:
		if c.Flags().NFlag() > 0 {
			return usagef("one of --show-slots, --init-token, --use-zkslot, --import and --delete-token is missing")
		}
		return c.Help()
	case 1:
		return actions[0](c)
	}
	return usagef("only one of --show-slots, --init-token, --use-zkslot, --import and --delete-token at a time")
}
