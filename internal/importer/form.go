// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FormError is told of a file in a form that the command does not read. It knows what does.
type FormError struct {
	Is   string // what the file is
	Next string // what reads it
}

// Error says what the file is.
func (e *FormError) Error() string { return "it is " + e.Is }

// form is a form of files: how it is called, the kinds of sources that read it, and what does where these are none. A command in it
// is followed by the name of the file where FILE stands.
type form struct {
	is   string
	by   []string
	next string
}

// The forms that are known by what is in them.
var (
	formPEM         = form{"PEM", []string{PEM, SSH}, `"import pem FILE" reads it`}
	formBundle      = form{"PEM that does not begin with a private key", []string{PEM}, `"import pem FILE" reads it`}
	formCertificate = form{"a certificate in PEM, without a private key", []string{PEM}, `"import pem FILE" reads it, and "cert import FILE" brings it to its key`}
	formPublic      = form{"a public key, without its private one", nil, "name the file with the private key: the public one comes along with it"}
	formRequest     = form{"a request for a certificate", nil, "name the file with the private key, or with the certificate that was issued"}
	formPKCS12      = form{"PKCS #12", []string{PKCS12}, `"import pkcs12 FILE" reads it`}
	formSSH         = form{"a private key of OpenSSH", []string{PEM, SSH}, `"import ssh FILE" reads it`}
	formPuTTY       = form{"a private key of PuTTY", nil, `"puttygen FILE -O private-openssh-new -o FILE.ssh" makes a file of it that "import ssh" reads`}
	formJKS         = form{"a key store of Java (JKS)", nil, `"keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12" makes a file of it that "import pkcs12" reads`}
	formKeyDER      = form{"a private key in DER", nil, `"openssl pkey -inform DER -in FILE -out FILE.pem" makes a file of it that "import pem" reads`}
	formX509DER     = form{"a certificate in DER, without a private key", nil, `"openssl x509 -inform DER -in FILE -out FILE.pem" makes a file of it that "import pem" reads`}
	formSQLite      = form{"a database of SQLite", nil, `the token of SoftHSM2 that it may be is read by "import softhsm" and the name of its directory`}
	formTokens      = form{"a directory with tokens of SoftHSM2", []string{SoftHSM}, `"import softhsm FILE" reads it`}
	formDirectory   = form{"a directory", []string{SoftHSM}, "name a file in it"}
)

// wrongForm returns what to say of a file that is in a form which a kind of source does not read; nil where it does, or where the form
// is not known.
func (s Source) wrongForm(b []byte) error {
	f := formOf(b)
	if f.is == "" && isSSHPublic(b) {
		f = form{is: "a public key of OpenSSH", next: sshPrivateOf(s.Path)}
	}
	return f.unless(s)
}

// unless is the error of a source of another kind than those that read the form.
func (f form) unless(s Source) error {
	if f.is == "" || slices.Contains(f.by, s.Kind) {
		return nil
	}
	return &FormError{f.is, strings.ReplaceAll(f.next, "FILE", s.Path)}
}

// formOf tells a form by what a file has; the empty one where it is not known.
func formOf(b []byte) form {
	for _, known := range []struct {
		start string
		form  form
	}{{"PuTTY-User-Key-File-", formPuTTY}, {"\xfe\xed\xfe\xed", formJKS}, {"SQLite format 3\x00", formSQLite}} {
		if bytes.HasPrefix(b, []byte(known.start)) {
			return known.form
		}
	}
	if bytes.Contains(b, []byte("-----BEGIN ")) {
		return formInPEM(b)
	}
	return formInDER(b)
}

// formInPEM tells what the blocks of a file are, as far as these can be read.
func formInPEM(b []byte) form {
	block, rest := pem.Decode(b)
	if block == nil {
		return formPEM
	}
	switch {
	case block.Type == "OPENSSH PRIVATE KEY":
		return formSSH
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return formPEM
	}
	first := block.Type
	for ; block != nil; block, rest = pem.Decode(rest) {
		if endOf(block.Type) != endOf(first) {
			return formBundle
		}
	}
	switch endOf(first) {
	case "CERTIFICATE":
		return formCertificate
	case "PUBLIC KEY":
		return formPublic
	case "CERTIFICATE REQUEST":
		return formRequest
	}
	return formBundle
}

// endOf is what the blocks of a type are, whatever program has named them: "X509 CERTIFICATE" is a CERTIFICATE.
func endOf(blockType string) string {
	for _, end := range []string{"CERTIFICATE REQUEST", "CERTIFICATE", "PUBLIC KEY"} {
		if strings.HasSuffix(blockType, end) {
			return end
		}
	}
	return blockType
}

// formInDER tells what a sequence in DER is, or in BER, as some browsers write PKCS #12.
func formInDER(b []byte) form {
	var file pfx
	var key struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	var sealed encryptedKey
	rest, err := asn1.Unmarshal(b, &file)
	switch {
	case bytes.HasPrefix(b, []byte{0x30, 0x80}), err == nil && len(rest) == 0 && file.Version == 3:
		return formPKCS12
	case isWhole(b, &key), isWhole(b, &sealed), isRSAKey(b), isECKey(b):
		return formKeyDER
	}
	if _, err := x509.ParseCertificate(b); err == nil {
		return formX509DER
	}
	if _, err := x509.ParsePKIXPublicKey(b); err == nil {
		return formPublic
	}
	return form{}
}

// isWhole reports whether a file is one value in DER, of a form.
func isWhole(der []byte, v any) bool { return unmarshal(der, v) == nil }

func isRSAKey(der []byte) bool {
	key, err := x509.ParsePKCS1PrivateKey(der)
	return err == nil && key != nil
}

// isECKey reports whether a file is a private key on a curve, on one that is not here too.
func isECKey(der []byte) bool {
	var key struct {
		Version int
		Number  []byte
		Curve   asn1.RawValue `asn1:"explicit,tag:0"`
	}
	return isWhole(der, &key) && key.Version == 1
}

// isSSHPublic reports whether a file is what ssh-keygen writes beside a private key.
func isSSHPublic(b []byte) bool {
	for _, start := range []string{"ssh-rsa ", "ssh-ed25519 ", "ssh-dss ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2 PUBLIC KEY"} {
		if bytes.HasPrefix(b, []byte(start)) {
			return true
		}
	}
	return false
}

// sshPrivateOf says where the private key is of a public one.
func sshPrivateOf(path string) string {
	if private, is := strings.CutSuffix(path, ".pub"); is {
		return `its private key is in the file without .pub: "import ssh ` + private + `"`
	}
	return "its private key is in another file, which ssh-keygen names as this one without .pub"
}

// wrongPlace returns what to say of a directory where a file is read, and the other way round; nil of what is neither, or right.
func (s Source) wrongPlace() error {
	info, err := os.Stat(s.Path)
	switch {
	case err != nil:
		return nil // which is told when it is opened
	case !info.IsDir() && s.Kind == SoftHSM:
		return s.fileForDirectory()
	case s.Kind == SoftHSM:
		return s.aboveTokens()
	case !info.IsDir():
		return nil
	case hasSoftTokens(s.Path):
		return formTokens.unless(s)
	}
	return formDirectory.unless(s)
}

// aboveTokens says of the directory above that of tokens, such as /var/lib/softhsm, which one it is.
func (s Source) aboveTokens() error {
	below := filepath.Join(s.Path, "tokens")
	if hasSoftTokens(s.Path) || !hasSoftTokens(below) {
		return nil
	}
	return &FormError{"the directory above that of tokens", `"import softhsm ` + below + `" reads it`}
}

// fileForDirectory says of a file what reads it, where a directory is wanted.
func (s Source) fileForDirectory() error {
	if isSoftToken(filepath.Dir(s.Path)) {
		return &FormError{"a file of a token of SoftHSM2", `"import softhsm ` + filepath.Dir(s.Path) + `" reads the token`}
	}
	b, err := readBounded(s.Path)
	if err != nil {
		return err
	}
	defer clear(b)
	if err := s.wrongForm(b); err != nil {
		return err
	}
	return &FormError{"a file", `"import softhsm" takes the directory of tokens, such as /var/lib/softhsm/tokens`}
}

// hasSoftTokens reports whether a directory is a token of SoftHSM2, or has some.
func hasSoftTokens(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && (isSoftToken(path) || slices.ContainsFunc(entries, softTokensIn(path).has))
}

// softTokensIn is a directory that may have tokens.
type softTokensIn string

func (d softTokensIn) has(e os.DirEntry) bool { return isSoftToken(filepath.Join(string(d), e.Name())) }
