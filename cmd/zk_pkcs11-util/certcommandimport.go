// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/certificate"
	"libzk_pkcs11/internal/keyring"
)

// certImport is what "cert import" is told.
type certImport struct {
	*keyTool
	file       string
	list       []*x509.Certificate
	replace    bool
	withoutKey bool
}

func (x *keyTool) certImportCommand() *cobra.Command {
	m := &certImport{keyTool: x}
	c := &cobra.Command{
		Use: "import FILE", Short: "Bring a certificate to its key, with those of its issuers",
		Long: "Bring a certificate to its key, with those of its issuers, from a file in PEM or DER. The key is found by its public key; the certificate takes its label and id. " +
			"What is there already is not added once more. A certificate that the key has already is replaced with --replace, and only then.",
		Example: "  zk_pkcs11-util cert import --token web www.pem\n  zk_pkcs11-util cert import --token web --replace renewed.pem",
		Args:    fileWord,
		RunE:    func(_ *cobra.Command, words []string) error { return m.run(words[0]) },
	}
	c.Flags().BoolVar(&m.replace, "replace", false, "take away the certificate that the key has so far")
	c.Flags().BoolVar(&m.withoutKey, "without-key", false, "take a certificate whose key is not on the token, too")
	x.addJSON(c)
	return c
}

func fileWord(c *cobra.Command, words []string) error {
	if len(words) != 1 {
		return usagef("%q takes one FILE with a certificate in PEM or DER", pathOf(c))
	}
	return nil
}

func (m *certImport) run(file string) error {
	data, err := readBounded(file)
	if err != nil {
		return fmt.Errorf("%w; nothing was imported, so look at the name of the file", err)
	}
	if m.list, err = certificate.ParseFile(data); err != nil {
		return fmt.Errorf("%s: %w; nothing was imported", file, err)
	}
	m.file = file
	return m.withKeys(m.bring)
}

// longestChain is more than the longest file of certificates has.
const longestChain = 16 << 20

// readBounded reads a file, of which somebody may have named one without an end.
func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longestChain+1))
	if err == nil && len(data) > longestChain {
		err = fmt.Errorf("%s: it is longer than any chain of certificates", file)
	}
	return data, err
}

func (m *certImport) bring(r *keyring.Ring) error {
	arrivals, err := r.Arrivals(m.list, m.choice)
	if err != nil {
		return err
	}
	if err := m.check(arrivals); err != nil {
		return fmt.Errorf("%s: %w; nothing was imported", m.file, err)
	}
	if err := r.Take(arrivals); err != nil {
		return err
	}
	m.warnOfDates(arrivals)
	token, err := tokenOf(r)
	if err != nil {
		return err
	}
	report := importReport{Token: token.Token, Slot: r.Slot}
	for _, a := range arrivals {
		report.Certificates = append(report.Certificates, importedOf(a, token))
	}
	return m.print("cert-import/1", report, report.printText)
}

// check refuses what is not meant, or not yet.
func (m *certImport) check(arrivals []*keyring.Arrival) error {
	if !m.withoutKey && !slices.ContainsFunc(arrivals, func(a *keyring.Arrival) bool { return a.Key != nil }) {
		if !m.choice.IsEmpty() {
			return fmt.Errorf("no key with %v fits its public key", m.choice)
		}
		return errors.New("no key of the token fits its public key; --without-key takes it all the same, as that of an authority")
	}
	return checkReplacing(arrivals, m.replace)
}

// checkReplacing refuses to take away a certificate unless that is meant.
func checkReplacing(arrivals []*keyring.Arrival, meant bool) error {
	for _, a := range arrivals {
		if len(a.Olds) > 0 && !meant {
			return fmt.Errorf("the key %q has a certificate already, of %s; --replace puts the new one in its place", a.Key.Label, a.Olds[0].Summary())
		}
	}
	return nil
}

// warnOfDates tells of a certificate that nobody accepts today.
func (m *certImport) warnOfDates(arrivals []*keyring.Arrival) {
	now := time.Now()
	for _, a := range arrivals {
		switch {
		case now.After(a.X509.NotAfter):
			fmt.Fprintf(m.errs, "The certificate of %s has expired on %s\n", a.X509.Subject, a.X509.NotAfter.UTC().Format(time.DateOnly))
		case now.Before(a.X509.NotBefore):
			fmt.Fprintf(m.errs, "The certificate of %s is valid from %s on, by the clock of this machine not yet\n", a.X509.Subject, a.X509.NotBefore.UTC().Format(time.DateTime))
		}
	}
}

// importReport is what "cert import" tells.
type importReport struct {
	Token        string                `json:"token"`
	Slot         uint                  `json:"slot"`
	Certificates []importedCertificate `json:"certificates"`
}

// importedCertificate is a certificate of the file, and what became of it.
type importedCertificate struct {
	certificateEntry
	Imported bool               `json:"imported"` // false: it was there
	Replaced []certificateEntry `json:"replaced"`
}

func importedOf(a *keyring.Arrival, token keyring.URI) importedCertificate {
	c := &keyring.Certificate{Label: a.Label, ID: a.ID, DER: a.X509.Raw, X509: a.X509}
	i := importedCertificate{certificateOf(c, token, a.Key != nil), !a.There, []certificateEntry{}}
	for _, old := range a.Olds {
		i.Replaced = append(i.Replaced, certificateOf(old, token, true))
	}
	return i
}

func (r importReport) printText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "LABEL\tID\tVALID UNTIL\tSUBJECT\tRESULT")
	for _, c := range r.Certificates {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", orElse(visible(c.Label), "-"), c.ID, c.NotAfter.Format(time.DateOnly), visible(c.Subject), c.result())
	}
}

func (c importedCertificate) result() string {
	result := resultImported
	if !c.Imported {
		result = resultThere
	}
	for _, old := range c.Replaced {
		result += ", in place of that valid until " + old.NotAfter.Format(time.DateOnly)
	}
	return result
}
