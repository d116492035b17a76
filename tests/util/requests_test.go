// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// shows looks for lines in what openssl shows of a request or certificate, whatever spaces are between words.
func (x *keyTool) shows(what, text string, lines ...string) {
	x.t.Helper()
	plain := strings.Join(strings.Fields(text), " ")
	for _, line := range lines {
		if !strings.Contains(plain, line) {
			x.t.Errorf("%s: no %q in\n%s", what, line, text)
		}
	}
}

// signsNoMessages reports whether keys of a type sign no certificate over the vendor's C API, after it has looked that this is said.
func (x *keyTool) signsNoMessages(kind string) bool {
	x.t.Helper()
	if kind != "ed25519" || !harness.OverVendor() {
		return false
	}
	x.refuses("", "key csr --label "+kind, "signs messages of 32 bytes with Ed25519 and no others", "take a key on P-256")
	return true
}

// TestRequestsOfEachType: openssl verifies the signature of each request with the public key that it has, and reads what was asked for.
func TestRequestsOfEachType(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	for _, test := range []struct{ kind, signature, usage string }{
		{"p256", "ecdsa-with-SHA256", "Digital Signature"},
		{"p384", "ecdsa-with-SHA384", "Digital Signature"},
		{"p521", "ecdsa-with-SHA512", "Digital Signature"},
		{"ed25519", "ED25519", "Digital Signature"},
		{"rsa2048", "sha256WithRSAEncryption", "Digital Signature, Key Encipherment"},
	} {
		x.user("key generate --type " + test.kind + " --label " + test.kind)
		if x.signsNoMessages(test.kind) {
			continue
		}
		x.user("key csr --label "+test.kind+" --san DNS:www.example.org,IP:192.0.2.1,email:a@example.org,URI:urn:x --out "+x.file("csr"),
			"--subject", `CN=www.example.org,O=Example\, Inc,C=DE`)
		x.judge("openssl req -verify -noout -in", x.file("csr"))
		x.shows(test.kind, x.judge("openssl req -noout -text -nameopt RFC2253 -in", x.file("csr")),
			`Subject: C=DE,O=Example\, Inc,CN=www.example.org`, "Signature Algorithm: "+test.signature,
			"DNS:www.example.org, email:a@example.org, IP Address:192.0.2.1, URI:urn:x",
			"X509v3 Key Usage: critical "+test.usage+" X509v3", "X509v3 Basic Constraints: critical CA:FALSE", "TLS Web Server Authentication")
		public := x.mustOut("key public --token web --label " + test.kind)
		if asked := x.judge("openssl req -noout -pubkey -in", x.file("csr")); asked != public {
			t.Errorf("%s: the request is for another key:\n%s", test.kind, asked)
		}
	}
}

// TestSelfSignedOfEachType: openssl verifies each certificate, for the host and the purpose that it is for.
func TestSelfSignedOfEachType(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	for _, kind := range []string{"p256", "p384", "ed25519", "rsa2048"} {
		x.user("key generate --type " + kind + " --label " + kind)
		if x.signsNoMessages(kind) {
			continue
		}
		x.user("key self-cert --label " + kind + " --subject CN=www.example.org --store --days 30 --out " + x.file("pem"))
		x.judge("openssl verify -purpose sslserver -verify_hostname www.example.org -CAfile", x.file("pem"), x.file("pem"))
		x.judge("openssl x509 -noout -checkhost www.example.org -checkend 2500000 -in", x.file("pem"))
		if out, err := x.home.Try("openssl", "x509", "-noout", "-checkend", "2700000", "-in", x.file("pem")); err == nil {
			t.Errorf("%s is valid for longer than 30 days: %s", kind, out)
		}
		k := x.keys("key list --json --token web")[kind]
		if len(k.Certificates) != 1 || k.Certificates[0].ID != k.ID || k.Certificates[0].Label != kind || k.Certificates[0].Subject != "CN=www.example.org" {
			t.Errorf("%s: on the token is %+v", kind, k)
		}
		x.refuses("", "key self-cert --store --label "+kind, "has a certificate already", "--replace")
		x.user("key self-cert --store --replace --days 60 --label " + kind)
		if k := x.keys("key list --json --token web")[kind]; len(k.Certificates) != 1 || time.Until(k.Certificates[0].NotAfter) < 59*24*time.Hour {
			t.Errorf("%s: after a renewal there is %+v", kind, k)
		}
	}
}

// TestProfiles: what each profile allows, and what --key-usage says instead.
func TestProfiles(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.user("key generate --label k")
	for _, test := range []struct {
		options string
		lines   []string
	}{
		{"--profile server --subject CN=192.0.2.7", []string{"TLS Web Server Authentication", "CA:FALSE", "IP Address:192.0.2.7"}},
		{"--profile client --subject CN=somebody", []string{"TLS Web Client Authentication", "CA:FALSE"}},
		{"--profile ca --subject CN=Root,O=Example", []string{"Certificate Sign, CRL Sign", "CA:TRUE"}},
		{"--subject /O=Example/CN=a.example", []string{"Subject: O = Example, CN = a.example", "DNS:a.example"}},
		{"--key-usage digitalSignature,keyAgreement", []string{"Digital Signature, Key Agreement", "Subject: CN = k"}},
	} {
		for _, command := range []string{"req", "x509"} {
			ours := map[string]string{"req": "csr", "x509": "self-cert"}[command]
			x.user("key " + ours + " --label k --out " + x.file(command) + " " + test.options)
			x.shows(ours+" "+test.options, x.judge("openssl "+command+" -noout -text -in", x.file(command)), test.lines...)
		}
	}
	x.user("key self-cert --label k --profile ca --out " + x.file("ca"))
	x.judge("openssl verify -x509_strict -CAfile", x.file("ca"), x.file("ca"))
}

// TestRequestMistakes: each is told before a PIN is asked for, and makes no file.
func TestRequestMistakes(t *testing.T) {
	t.Parallel()
	x := newKeyTool(t)
	for _, test := range []struct{ option, value, says string }{
		{"--subject", "www.example.org", "is not of the form CN=NAME"},
		{"--subject", "CN=a,XX=b", `there is no "XX"; the parts are CN`},
		{"--subject", "C=Germany", "has not two letters"},
		{"--san", "www.example.org", "is not of the form DNS:NAME"},
		{"--san", "IP:1.2.3", "is no IP address"},
		{"--san", "DNS:1.2.3.4", "an address is IP:ADDRESS"},
		{"--san", "DNS:a b", "is no name of DNS"},
		{"--san", "UPN:a", "there are DNS, IP, email and URI"},
		{"--san", "URI:nothing", "is no URI with a scheme"},
		{"--profile", "web", "the profiles are server, client and ca"},
		{"--key-usage", "sign", "there are digitalSignature"},
	} {
		_, errs, err := x.run("", "key", "csr", "--token", "web", "--id", "00", "--out", x.file("none"), test.option, test.value)
		if err == nil || !strings.Contains(errs, test.says) || strings.Contains(errs, "PIN") {
			t.Errorf("%s %s: %v, %q", test.option, test.value, err, errs)
		}
	}
	x.user("key generate --type x25519 --label agrees")
	x.user("key generate --type aes256 --label secret")
	x.refuses("", "key csr --label agrees --out "+x.file("none"), "only agrees on secrets")
	x.refuses("", "key csr --label secret --out "+x.file("none"), "there are no certificates")
	x.refuses("", "key self-cert --id 00 --days 0 --out "+x.file("none"), "not from 1 to 36500")
	if _, err := os.Stat(x.file("none")); err == nil {
		t.Error("there is a file of a request that was not made")
	}
}

// TestKeyThatWantsThePINAtEachUse: it is given once more, or asked for once more.
func TestKeyThatWantsThePINAtEachUse(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl", "pkcs11-tool")
	x := newKeyTool(t)
	x.judge("pkcs11-tool --login --pin 12345678 --keypairgen --key-type rsa:2048 --always-auth --label careful --id 0c0c --module", harness.Module(t))
	x.user("key csr --id 0c0c --out " + x.file("csr"))
	x.judge("openssl req -verify -noout -in", x.file("csr"))
	x.mustRun("12345678\n12345678\n", words("key csr --id 0c0c --out "+x.file("asked.csr"))...)
	x.judge("openssl req -verify -noout -in", x.file("asked.csr"))
	if _, errs, err := x.run("12345678\n1234\n", words("key csr --id 0c0c")...); err == nil || !strings.Contains(errs, "PIN is wrong") {
		t.Errorf("with a wrong PIN for the use: %v, %q", err, errs)
	}
}
