// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/certificate"
	"libzk_pkcs11/internal/keyring"
)

// requestTool is what "key csr" and "key self-cert" are told.
type requestTool struct {
	*keyTool
	subject, profile string
	names, usages    []string
	days             int
	store, replace   bool
	renew            bool // subject and names are those of the certificate that there is
}

// subjectHelp is how the two begin to explain themselves.
const requestHelp = " The subject is the label of the key where --subject does not say another. For a server the name " +
	"of its subject (CN) becomes its subjectAltName where --san does not say others, because clients look for nothing else."

func (x *keyTool) csrCommand() *cobra.Command {
	q := &requestTool{keyTool: x}
	c := &cobra.Command{
		Use: "csr [URI]", Short: "Make a certificate signing request with a key",
		Long: "Make a certificate signing request (PKCS #10) with a key, in PEM." + requestHelp,
		Example: "  zk_pkcs11-util key csr --label www --subject CN=www.example.org\n" +
			"  zk_pkcs11-util key csr --label www --subject CN=www.example.org,O=Example \\\n" +
			"    --san DNS:www.example.org,DNS:example.org --out www.csr\n" +
			"  zk_pkcs11-util key csr --label www --renew",
		Args: uriWord,
		RunE: func(*cobra.Command, []string) error { return q.make(q.makeRequest) },
	}
	q.addOptions(c)
	return x.addOutput(c)
}

func (x *keyTool) selfCertCommand() *cobra.Command {
	q := &requestTool{keyTool: x}
	c := &cobra.Command{
		Use: "self-cert [URI]", Short: "Make a certificate with a key that signs itself",
		Long: "Make a certificate with a key that signs itself, in PEM. With --store it is on the token as well, by the label and the id of the key." + requestHelp,
		Example: "  zk_pkcs11-util key self-cert --label www --subject CN=localhost --store\n" +
			"  zk_pkcs11-util key self-cert --label root --profile ca --days 3650",
		Args: uriWord,
		RunE: func(*cobra.Command, []string) error { return q.make(q.makeSelfSigned) },
	}
	q.addOptions(c)
	c.Flags().IntVar(&q.days, "days", 365, "how many `DAYS` it is valid")
	c.Flags().BoolVar(&q.store, "store", false, "put it on the token")
	c.Flags().BoolVar(&q.replace, "replace", false, "with --store: take away the certificate that the key has so far")
	return x.addOutput(c)
}

func (q *requestTool) addOptions(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&q.subject, "subject", "", "`NAME` of the holder of the key, as CN=www.example.org,O=Example")
	f.StringSliceVar(&q.names, "san", nil, "further `NAMES`, as DNS:www.example.org,IP:192.0.2.1 (email: and URI: besides)")
	f.BoolVar(&q.renew, "renew", false, "take subject, names and use from the certificate that the key has")
	f.StringVar(&q.profile, "profile", "server", "what it is for: `PROFILE` server, client or ca")
	complete(c, "profile", "server", "client", "ca")
	f.StringSliceVar(&q.usages, "key-usage", nil, "`USES` of the key in place of those of the profile, as digitalSignature,keyAgreement")
}

// make reads the options, before a PIN is asked for, and makes what is wanted with the key.
func (q *requestTool) make(do func(*certifying) error) error {
	request, err := q.request()
	if err != nil {
		return usagef("%w", err)
	}
	return q.withKeys(func(r *keyring.Ring) error {
		c, err := q.begin(r, request)
		if err != nil {
			return err
		}
		return do(c)
	})
}

// begin finds the key, and adds to the request what is known by it.
func (q *requestTool) begin(r *keyring.Ring, request *certificate.Request) (*certifying, error) {
	k, err := q.chosenKey(r)
	if err != nil {
		return nil, err
	}
	if err := q.checkWhole(k, "nothing is signed without it"); err != nil {
		return nil, err
	}
	switch {
	case q.renew && k.Latest() == nil:
		return nil, fmt.Errorf("the key %q has no certificate on the token that could be renewed; --subject and --san say what the new one is for", k.Label)
	case q.renew:
		request = certificate.Like(k.Latest().X509)
		request.Days = q.days
	case q.subject == "":
		request.Subject = certificate.CommonName(k.Label)
	}
	signer, err := r.Signer(k)
	return &certifying{r, k, signer, request}, err
}

// certifying is a request, and the key that it is made with.
type certifying struct {
	ring    *keyring.Ring
	key     *keyring.Key
	signer  crypto.Signer
	request *certificate.Request
}

func (q *requestTool) request() (*certificate.Request, error) {
	if q.renew && (q.subject != "" || len(q.names)+len(q.usages) > 0) {
		return nil, errors.New("--renew takes subject and names from the certificate; leave out --subject, --san and --key-usage")
	}
	r := &certificate.Request{Days: q.days}
	var err, other error
	if q.subject != "" {
		r.Subject, err = certificate.ParseSubject(q.subject)
	}
	r.Names, other = certificate.ParseNames(q.names)
	err = errors.Join(err, other)
	r.Profile, other = certificate.ParseProfile(q.profile)
	err = errors.Join(err, other)
	r.KeyUsage, other = certificate.ParseKeyUsage(q.usages)
	return r, errors.Join(err, other)
}

func (q *requestTool) makeRequest(c *certifying) error {
	der, err := c.request.CSR(c.signer)
	if err != nil {
		return err
	}
	return q.writeResult(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func (q *requestTool) makeSelfSigned(c *certifying) error {
	der, err := c.request.SelfSigned(c.signer, time.Now())
	if err != nil {
		return err
	}
	if q.store {
		if err := q.storeCertificate(c, der); err != nil {
			return err
		}
	}
	return q.writeResult(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (q *requestTool) storeCertificate(c *certifying, der []byte) error {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	arrivals, err := c.ring.Arrivals([]*x509.Certificate{parsed}, keyring.Choice{ID: c.key.ID, HasID: true})
	if err != nil {
		return err
	}
	if err := checkReplacing(arrivals, q.replace); err != nil {
		return err
	}
	if err := c.ring.Take(arrivals); err != nil {
		return err
	}
	token, err := tokenOf(c.ring)
	fmt.Fprintf(q.errs, "The certificate is on the token: %s\n", token.Within(c.key.Label, c.key.ID, "cert"))
	return err
}
