// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
)

// certificateListSchema names what "cert list --json" prints.
const certificateListSchema schema = "cert-list/1"

// certificateReport is what "cert list" tells.
type certificateReport struct {
	Token        string             `json:"token"`
	Slot         uint               `json:"slot"`
	Certificates []certificateEntry `json:"certificates"`
}

func newCertCommand() *cobra.Command {
	x := &keyTool{}
	c := commandGroup("cert", "Bring certificates to their keys, list them, and write them to files",
		x.certListCommand(), x.certImportCommand(), x.certExportCommand(), x.certDeleteCommand())
	x.addKeyOptions(c)
	return c
}

func (x *keyTool) certListCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the certificates of a token, and whether their keys are there",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return x.withPublicKeys(x.printCertificates) },
	}
	x.addJSON(c)
	return c
}

func (x *keyTool) printCertificates(r *keyring.Ring) error {
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	all, err := r.Certificates()
	if err != nil {
		return err
	}
	info, err := r.Provider.GetTokenInfo(r.Slot)
	if err != nil {
		return err
	}
	report := certificateReport{info.Label, r.Slot, []certificateEntry{}}
	for _, c := range all {
		if x.choice.Fits(c.Label, c.ID) {
			report.Certificates = append(report.Certificates, certificateOf(c, keyring.TokenURI(info.Label, info.Serial), c.HasKey(keys)))
		}
	}
	if len(report.Certificates) == 0 && !x.choice.IsEmpty() {
		_, _, err := x.chosenCertificate(r)
		return err
	}
	return errors.Join(x.print(certificateListSchema, report, report.printText), x.tellHidden(r, keys))
}

func (r certificateReport) printText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "LABEL\tID\tKEY\tVALID UNTIL\tSUBJECT")
	for _, c := range r.Certificates {
		key := "no"
		if c.HasKey {
			key = "yes"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", orElse(visible(c.Label), "-"), orElse(c.ID, "-"), key, c.NotAfter.Format(time.DateOnly), orElse(visible(c.Subject), "unreadable"))
	}
}
