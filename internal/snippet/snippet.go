// SPDX-License-Identifier: Apache-2.0

// Package snippet has what other programs need to use a key of a token: lines for their configuration, or a program,
// with the paths and the names of this machine in them.
package snippet

import (
	"bytes"
	"embed"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

//go:embed text
var texts embed.FS

// shared is the file with what several snippets say.
const shared = "shared.txt"

// Facts are what a snippet is filled with.
type Facts struct {
	Token   string
	Slot    uint   // of the token
	Label   string // of the key
	ID      string // of the key, in hex
	IDText  string // the bytes of the same
	URI     string // of the private key
	Type    string // of the key
	SSH     string // the public key as a line; "" where ssh knows no such keys
	Chain   string // the certificate and those of its issuers in PEM; "" = there is none
	Module  string // path of libzk_pkcs11.so
	Dir     string // where files are that the snippet names
	Options string // by which the tool finds the key
	Notes   []string
}

// NeedsCertificate reports whether the program of a snippet has a use for the certificate of the key.
func NeedsCertificate(name string) bool { return !isForSSH(name) }

// Names lists the snippets.
func Names() []string {
	entries, err := texts.ReadDir("text")
	if err != nil {
		panic(err) // it is built in
	}
	var names []string
	for _, e := range entries {
		if e.Name() != shared {
			names = append(names, strings.TrimSuffix(e.Name(), ".txt"))
		}
	}
	return names
}

// Write fills a snippet.
func Write(name string, f Facts) ([]byte, error) {
	if err := f.check(name); err != nil {
		return nil, err
	}
	if note := f.limit(name); note != "" {
		f.Notes = append(f.Notes[:len(f.Notes):len(f.Notes)], note)
	}
	t, err := template.ParseFS(texts, "text/"+shared, "text/"+name+".txt")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.ExecuteTemplate(&b, name+".txt", f)
	return b.Bytes(), err
}

// check refuses what the program cannot do with a key of this type.
func (f Facts) check(name string) error {
	switch {
	case !slices.Contains(Names(), name):
		return fmt.Errorf("there is no snippet %q; there are %s", name, strings.Join(Names(), ", "))
	case f.PythonMechanism() == "":
		return fmt.Errorf("the programs sign, which a key of the type %s does not", f.Type)
	case isForSSH(name) && f.SSH == "":
		return fmt.Errorf("ssh has no keys of the type %s; \"key generate --type p256\" makes one that it has", f.Type)
	case isForSSH(name) && f.Type == "Ed25519":
		return fmt.Errorf("OpenSSH takes no keys of the type %s from a module, up to 10.0 of Debian 13 at least; \"key generate --type p256\" makes one that it takes", f.Type)
	case name == "go" && f.Type == "Ed25519":
		return fmt.Errorf("crypto11, by which the Go program works, has no keys of the type %s", f.Type)
	}
	return nil
}

// isForSSH reports whether a snippet has OpenSSH use the key.
func isForSSH(name string) bool { return name == "ssh" || name == "git" }

// limit says which versions of a program do not take such a key.
func (f Facts) limit(name string) string {
	if f.Type != "Ed25519" {
		return ""
	}
	switch name {
	case "nginx", "apache", "stunnel", "curl", "openssl-engine":
		return "libp11 before 0.4.17, as in Debian 12 and 13, has no keys of the type Ed25519; pkcs11-provider has."
	}
	return ""
}

// Name is the label of the key as the name of a file.
func (f Facts) Name() string {
	var b strings.Builder
	for _, c := range f.Label {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", c) {
			b.WriteRune(c)
		} else {
			b.WriteByte('-')
		}
	}
	if strings.Trim(b.String(), "-") == "" {
		return "key-" + f.ID
	}
	return b.String()
}

// SSHKey is the public key without the label after it, which a file may take for its own signs.
func (f Facts) SSHKey() string {
	return strings.Join(strings.Fields(f.SSH)[:2], " ")
}

// JavaName is a name that SunPKCS11 takes.
func (f Facts) JavaName() string { return strings.NewReplacer("-", "", "_", "").Replace(f.Name()) }

// Certificate is the file of the certificate.
func (f Facts) Certificate() string { return f.Dir + "/" + f.Name() + ".pem" }

// PIN is the file of the PIN.
func (f Facts) PIN() string { return f.Dir + "/" + f.Name() + ".pin" }

// EngineURI is the URI as the engine of libp11 takes it.
func (f Facts) EngineURI() string { return f.URI + ";pin-source=" + f.PIN() }

// ProviderURI is the URI as pkcs11-provider takes it.
func (f Facts) ProviderURI() string { return f.URI + ";pin-source=file:" + f.PIN() }

// ProviderPEM stands for the key where a program reads it from a file, by pkcs11-provider.
func (f Facts) ProviderPEM() (string, error) {
	der, err := asn1.Marshal(struct {
		What asn1.RawValue
		URI  string `asn1:"utf8"`
	}{asn1.RawValue{Tag: visibleString, Bytes: []byte("PKCS#11 Provider URI v1.0")}, f.ProviderURI()})
	return string(pem.EncodeToMemory(&pem.Block{Type: "PKCS#11 PROVIDER URI", Bytes: der})), err
}

// visibleString is a tag that encoding/asn1 has no name for.
const visibleString = 26

// PythonMechanism is how PyKCS11 signs a message with the key.
func (f Facts) PythonMechanism() string {
	switch {
	case strings.HasPrefix(f.Type, "RSA"):
		return "CKM_SHA256_RSA_PKCS"
	case strings.HasPrefix(f.Type, "P-"), f.Type == "secp256k1":
		return "CKM_ECDSA_SHA256"
	case f.Type == "Ed25519":
		return "CKM_EDDSA"
	}
	return ""
}
