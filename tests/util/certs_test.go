// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// authority makes a root and an authority below it with openssl, in root.pem, ca.pem and their keys.
func (x *keyTool) authority() {
	x.t.Helper()
	x.write("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
	x.judge("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "+x.file("root.key")+" -out "+x.file("root.pem")+" -subj", "/O=Example/CN=Root")
	x.judge("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "+x.file("ca.key")+" -out "+x.file("ca.csr")+" -subj", "/O=Example/CN=Issuing CA")
	x.judge("openssl x509 -req -days 1825 -CAcreateserial -in " + x.file("ca.csr") + " -CA " + x.file("root.pem") + " -CAkey " + x.file("root.key") +
		" -extfile " + x.file("ca.ext") + " -out " + x.file("ca.pem"))
}

// certify has the authority make a certificate of a request.
func (x *keyTool) certify(request, result, days string) {
	x.t.Helper()
	x.judge("openssl x509 -req -copy_extensions copy -CAcreateserial -days " + days + " -in " + x.file(request) + " -CA " + x.file("ca.pem") +
		" -CAkey " + x.file("ca.key") + " -out " + x.file(result))
}

func (x *keyTool) write(name, text string) {
	x.t.Helper()
	if err := os.WriteFile(x.file(name), []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// certificates are those of the token.
func (x *keyTool) certificates() []certificateEntry {
	x.t.Helper()
	var r struct {
		Schema       string             `json:"schema"`
		Token        string             `json:"token"`
		Slot         uint               `json:"slot"`
		Certificates []certificateEntry `json:"certificates"`
	}
	x.decode(x.mustOut("cert list --json --token web"), &r)
	if r.Schema != "zk_pkcs11-util.cert-list/1" || r.Token != "web" {
		x.t.Errorf("the list is %q of %q", r.Schema, r.Token)
	}
	return r.Certificates
}

// newServerKey is a tool with the key of a server, its request, and an authority.
func newServerKey(t *testing.T) *keyTool {
	t.Helper()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.authority()
	x.user("key generate --label www --id 0001")
	x.user("key csr --label www --subject CN=www.example.org --out " + x.file("www.csr"))
	x.certify("www.csr", "www.pem", "90")
	return x
}

// TestImportOfChain: the certificate finds its key among those of the token, takes its names, and comes out as it came in.
func TestImportOfChain(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.write("chain.pem", "a comment\n"+x.read("www.pem")+x.read("ca.pem")+x.read("root.pem"))
	out := x.user("cert import " + x.file("chain.pem"))
	if strings.Count(out, "imported") != 3 {
		t.Errorf("the table is\n%s", out)
	}
	if out = x.user("cert import " + x.file("chain.pem")); strings.Count(out, "was there") != 3 || len(x.certificates()) != 3 {
		t.Errorf("the second time there are %d certificates, and the table is\n%s", len(x.certificates()), out)
	}
	for _, c := range x.certificates() {
		if own := c.Subject == "CN=www.example.org"; c.HasKey != own || own && (c.Label != "www" || c.ID != "0001" || c.URI != "pkcs11:token=web;id=%00%01;type=cert") {
			t.Errorf("listed is %+v", c)
		}
	}
	if k := x.keys("key list --json --token web")["www"]; len(k.Certificates) != 1 || strings.Join(k.Certificates[0].Names, " ") != "DNS:www.example.org" {
		t.Errorf("the key has %+v", k.Certificates)
	}
	x.mustOut("cert export --token web --label www --out " + x.file("out.pem"))
	x.mustOut("cert export --token web --id 0001 --format der --out " + x.file("out.der"))
	x.judge("openssl x509 -inform der -in " + x.file("out.der") + " -out " + x.file("again.pem"))
	if x.read("out.pem") != x.read("www.pem") || x.read("again.pem") != x.read("www.pem") {
		t.Error("the certificate comes out as another one")
	}
}

// TestExportedChain: openssl goes from the certificate to the root by what --chain writes, in its order.
func TestExportedChain(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.write("chain.pem", x.read("root.pem")+x.read("ca.pem")+x.read("www.pem"))
	x.user("cert import " + x.file("chain.pem"))
	out := x.mustOut("cert export --chain pkcs11:token=web;id=%00%01;type=cert")
	if out != x.read("www.pem")+x.read("ca.pem") {
		t.Errorf("the chain is\n%s", out)
	}
	x.write("out.pem", out)
	x.judge("openssl verify -purpose sslserver -verify_hostname www.example.org -CAfile " + x.file("root.pem") + " -untrusted " + x.file("out.pem") + " " + x.file("out.pem"))
	if root := x.mustOut("cert export --chain --label Root --token web"); root != x.read("root.pem") {
		t.Errorf("the chain of the root is\n%s", root)
	}
	x.refuses("", "cert export --label www --chain --format der", "--chain needs --format pem")
	x.refuses("", "cert export --label none", `no certificate has the label "none"`, "cert list")
}

// TestRenewal: the new certificate takes the place of the old one when that is said, and not before.
func TestRenewal(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.user("cert import " + x.file("www.pem"))
	x.certify("www.csr", "renewed.pem", "180")
	x.refuses("", "cert import "+x.file("renewed.pem"), `the key "www" has a certificate already`, "--replace", "nothing was imported")
	if got := x.mustOut("cert export --token web --id 0001"); got != x.read("www.pem") {
		t.Error("the certificate was replaced without --replace")
	}
	if out := x.user("cert import --replace " + x.file("renewed.pem")); !strings.Contains(out, "in place of") {
		t.Errorf("the table is\n%s", out)
	}
	if got := x.mustOut("cert export --token web --id 0001"); got != x.read("renewed.pem") || len(x.certificates()) != 1 {
		t.Errorf("there are %+v", x.certificates())
	}
}

// TestImportsThatEndBadly: each says why, and leaves the token as it was.
func TestImportsThatEndBadly(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.write("damaged.pem", strings.Replace(x.read("www.pem"), "M", "!", 1))
	x.write("empty", "")
	x.user("key generate --label other --id 0002")
	x.judge("openssl crl2pkcs7 -nocrl -certfile " + x.file("www.pem") + " -out " + x.file("www.p7b"))
	x.judge("openssl crl2pkcs7 -nocrl -certfile " + x.file("www.pem") + " -outform der -out " + x.file("www.p7c"))
	x.judge("openssl pkcs12 -export -in " + x.file("ca.pem") + " -inkey " + x.file("ca.key") + " -passout pass:x -out " + x.file("ca.p12"))
	for _, test := range []struct{ file, says string }{
		{"www.csr", "it is a request: give it to a certificate authority"},
		{"root.key", `it has "PRIVATE KEY" and no certificate`},
		{"damaged.pem", "its PEM is damaged"},
		{"empty", "neither in PEM nor in DER"},
		{"missing.pem", "no such file"},
		{"www.p7b", "openssl pkcs7 -print_certs"},
		{"www.p7c", "openssl pkcs7 -print_certs"},
		{"ca.p12", "import pkcs12"},
		{"../../../../../../dev/zero", "longer than any chain"},
		{"root.pem", "no key of the token fits its public key; --without-key"},
		{"www.pem --label other", `no key with the label "other" fits`},
	} {
		x.refuses("", "cert import "+x.dir+"/"+test.file, test.says)
	}
	x.refuses("", "cert import", "takes one FILE")
	if list := x.certificates(); len(list) != 0 {
		t.Errorf("there are %+v", list)
	}
	x.user("cert import --without-key " + x.file("root.pem"))
	x.refuses("no\n", "cert delete --label Root", "loses the certificate", "CN=Root", "nothing was done")
	x.user("cert delete --yes --label Root")
	if list := x.certificates(); len(list) != 0 {
		t.Errorf("left are %+v", list)
	}
}

// TestImportOfDER: and of a certificate that has expired, which is said.
func TestImportOfDER(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.judge("openssl x509 -req -in " + x.file("www.csr") + " -CA " + x.file("ca.pem") + " -CAkey " + x.file("ca.key") + " -CAcreateserial -days -1 -outform der -out " + x.file("old.der"))
	_, errs := x.mustRun("", words("cert import --token web --pin 12345678 "+x.file("old.der"))...)
	if !strings.Contains(errs, "has expired on") {
		t.Errorf("of an expired certificate it says %q", errs)
	}
	x.shows("cert list", x.mustOut("cert list --token web"), "LABEL ID KEY VALID UNTIL SUBJECT", "www 0001 yes", "CN=www.example.org")
	x.shows("key list", x.mustOut("key list --token web"), "www 0001 P-256 key slot 16 expired 20")
}

// TestRenewedRequest: a request with --renew is for the same as the certificate.
func TestRenewedRequest(t *testing.T) {
	t.Parallel()
	x := newServerKey(t)
	x.user("key csr --label www --profile client --san email:a@example.org,URI:urn:x --out "+x.file("www.csr"), "--subject", `C=DE,O=Example\, Inc,CN=somebody`)
	x.refuses("", "key csr --renew --label www", "has no certificate on the token that could be renewed")
	x.certify("www.csr", "www.pem", "90")
	x.user("cert import " + x.file("www.pem"))
	x.user("key csr --renew --label www --out " + x.file("again.csr"))
	show := "openssl req -noout -subject -text -reqopt no_sigdump -in"
	if before, after := x.judge(show, x.file("www.csr")), x.judge(show, x.file("again.csr")); before != after {
		t.Errorf("the request is for something else:\n%s, not\n%s", after, before)
	}
	x.refuses("", "key csr --renew --san DNS:a --label www", "leave out --subject, --san and --key-usage")
}

// TestRenewalThatWasCutOff: two certificates of a key are left when the tool is killed in between; the same command ends the work.
func TestRenewalThatWasCutOff(t *testing.T) {
	t.Parallel()
	harness.Need(t, "pkcs11-tool")
	x := newServerKey(t)
	x.user("cert import " + x.file("www.pem"))
	x.certify("www.csr", "renewed.pem", "180")
	x.judge("openssl x509 -outform der -in " + x.file("renewed.pem") + " -out " + x.file("renewed.der"))
	x.judge("pkcs11-tool --login --pin 12345678 --type cert --id 0001 --label www --write-object "+x.file("renewed.der")+" --module", harness.Module(t))
	x.refuses("", "cert export --label www", `2 certificates have the label "www"`, "cert import --replace")
	x.user("cert import --replace " + x.file("renewed.pem"))
	if got := x.mustOut("cert export --token web --label www"); got != x.read("renewed.pem") || len(x.certificates()) != 1 {
		t.Errorf("left are %+v", x.certificates())
	}
}
