// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
)

// certExport is what "cert export" is told.
type certExport struct {
	*keyTool
	format string
	chain  bool
}

func (x *keyTool) certExportCommand() *cobra.Command {
	e := &certExport{keyTool: x}
	c := &cobra.Command{
		Use: "export [URI]", Short: "Write a certificate to a file, with those of its issuers where they are wanted",
		Long: "Write a certificate to a file or to the standard output. With --chain those of its issuers follow that are on the token, " +
			"in the order in which servers want them; a root is left out.",
		Example: "  zk_pkcs11-util cert export --token web --label www --chain --out www.pem",
		Args:    uriWord,
		RunE:    func(*cobra.Command, []string) error { return e.run() },
	}
	c.Flags().StringVar(&e.format, "format", "pem", "`FORM` of the certificate: pem or der")
	complete(c, "format", "pem", "der")
	c.Flags().BoolVar(&e.chain, "chain", false, "the certificates of its issuers, too")
	return x.addOutput(c)
}

func (e *certExport) run() error {
	switch {
	case e.format != "pem" && e.format != "der":
		return usagef("--format: there is no %q; the forms are pem and der", e.format)
	case e.format == "der" && e.chain:
		return usagef("--chain needs --format pem: in DER there is one certificate in a file")
	}
	return e.withPublicKeys(e.export)
}

func (e *certExport) export(r *keyring.Ring) error {
	c, all, err := e.chosenCertificate(r)
	if err != nil {
		return err
	}
	if e.format == "der" {
		return e.writeResult(c.DER)
	}
	list := []*keyring.Certificate{c}
	if e.chain {
		list = c.Chain(all)
	}
	var text []byte
	for _, one := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.DER})...)
	}
	return e.writeResult(text)
}

// chosenCertificate is the certificate that is named, among all.
func (x *keyTool) chosenCertificate(r *keyring.Ring) (*keyring.Certificate, []*keyring.Certificate, error) {
	if x.choice.IsEmpty() {
		return nil, nil, usagef("name a certificate by --id, by --label or by its pkcs11: URI; \"cert list\" shows them")
	}
	all, err := r.Certificates()
	if err != nil {
		return nil, nil, err
	}
	c, err := x.choice.Certificate(all)
	if err != nil {
		return nil, nil, x.aboutUncertified(r, all, err)
	}
	return c, all, nil
}

// aboutUncertified says how a key gets a certificate, where it is one that was named.
func (x *keyTool) aboutUncertified(r *keyring.Ring, all []*keyring.Certificate, unfound error) error {
	for _, c := range all {
		if x.choice.Fits(c.Label, c.ID) {
			return unfound // there are several
		}
	}
	keys, err := r.Keys()
	if err != nil || !x.isAmong(keys) {
		return unfound
	}
	return fmt.Errorf("the key with %v has no certificate on the token; \"key self-cert --store\" makes one, \"cert import FILE\" brings one, and \"cert list\" shows those that there are", x.choice)
}

func (x *keyTool) certDeleteCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "delete [URI]", Short: "Delete a certificate; its key stays",
		Args:    uriWord,
		Example: "  zk_pkcs11-util cert delete --label web",
		RunE:    func(*cobra.Command, []string) error { return x.withKeys(x.deleteCertificate) },
	}
	c.Flags().BoolVar(&x.yes, "yes", false, "do not ask for confirmation")
	x.addJSON(c)
	return c
}

func (x *keyTool) deleteCertificate(r *keyring.Ring) error {
	c, _, err := x.chosenCertificate(r)
	if err != nil {
		return err
	}
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	if !x.yes {
		if err := x.ask.confirm(fmt.Sprintf("The token in slot %d loses the certificate %q of %s.", x.slot, c.Label, c.Summary())); err != nil {
			return err
		}
	}
	if err := r.DeleteCertificate(c); err != nil {
		return err
	}
	token, err := tokenOf(r)
	e := certificateOf(c, token, c.HasKey(keys))
	return errors.Join(err, x.print("cert-deleted/1", e, e.printDeleted))
}

func (c certificateEntry) printDeleted(w io.Writer) {
	fmt.Fprintf(w, "The certificate %q with the id %s is deleted\n", c.Label, c.ID)
}
