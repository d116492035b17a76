// SPDX-License-Identifier: Apache-2.0

// Package calls counts what the module asks of an SCM: a library between the two
// writes down every call.
package calls

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// counter reads what the library in between has written down.
type counter struct {
	t    *testing.T
	path string
}

// newHome is a home of an initialised token on an SCM whose calls are counted.
func newHome(t *testing.T) (*harness.Home, counter) {
	t.Helper()
	c := counter{t, filepath.Join(t.TempDir(), "calls")}
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_BACKEND", "zymbit")
	home.Set("ZK_PKCS11_CONF", settings(t))
	home.Set("ZK_APP_UTILS_LIB", countingLibrary(t))
	home.Set("ZK_COUNTED", harness.Build(t, "libzk_app_utils.so"))
	home.Set("ZK_COUNT_FILE", c.path)
	home.Init()
	return home, c
}

// settings make the module believe its list of slots for longer than a test
// takes: that a list expires is no matter of the calls that are counted.
func settings(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(path, []byte("[zymbit]\nrefresh = \"1h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func countingLibrary(t *testing.T) string {
	t.Helper()
	harness.Need(t, "cc")
	return harness.Compile(t, "testdata/count.c", "-shared", "-fPIC")
}

// during returns the calls that f makes.
func (c counter) during(f func()) []string {
	c.t.Helper()
	before := len(c.all())
	f()
	return c.all()[before:]
}

func (c counter) all() []string {
	c.t.Helper()
	text, err := os.ReadFile(c.path)
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// TestHandshake checks that a TLS handshake costs the SCM one signature.
func TestHandshake(t *testing.T) {
	home, c := newHome(t)
	home.Export(t)
	context, err := crypto11.Configure(&crypto11.Config{
		Path: harness.Module(t), TokenLabel: harness.Label, Pin: harness.UserPIN,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer context.Close()
	key, err := context.FindKeyPair([]byte{0}, nil)
	if err != nil || key == nil {
		t.Fatalf("key pair of slot 0: %v", err)
	}
	certificate := selfSigned(t, key)
	handshake(t, certificate, tls.VersionTLS13) // what is read once is read now
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		calls := c.during(func() { handshake(t, certificate, version) })
		if !slices.Equal(calls, []string{"zkGenECDSASigFromDigest"}) {
			t.Errorf("%s: %v", tls.VersionName(version), calls)
		}
	}
}

// TestListing checks that known keys are listed and described without the SCM.
func TestListing(t *testing.T) {
	const pairs = 234 // 503 objects, with those of the permanent slots and the profiles
	home, c := newHome(t)
	k := live.Load(t, home)
	s := k.User()
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})
	k.OK(err)
	for range pairs {
		_, _, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN),
			[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, curve), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)},
			[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)})
		k.OK(err)
	}
	list := func() {
		found := k.Find(s)
		if len(found) != 503 {
			t.Errorf("%d objects", len(found))
		}
		for _, o := range found {
			k.Attr(s, o, pkcs11.CKA_LABEL)
		}
	}
	list()
	if calls := c.during(list); len(calls) != 0 {
		t.Errorf("%d calls: %v", len(calls), calls)
	}
}

func selfSigned(t *testing.T, key crypto11.Signer) tls.Certificate {
	t.Helper()
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// handshake makes one full handshake, of which the client verifies the
// certificate.
func handshake(t *testing.T, certificate tls.Certificate, version uint16) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(certificate.Leaf)
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	served := make(chan error, 1)
	go func() {
		served <- tls.Server(ours, &tls.Config{Certificates: []tls.Certificate{certificate}, SessionTicketsDisabled: true}).Handshake()
	}()
	client := tls.Client(theirs, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: version, MaxVersion: version})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}
