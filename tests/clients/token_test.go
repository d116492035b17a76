// SPDX-License-Identifier: Apache-2.0

// Package clients_test runs the PKCS#11 clients of Debian against the module,
// as their users do. The pages in docs/clients are part of it: each command on
// them is run.
package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// token is a soft SCM whose token is ready for use, and a folder for files.
type token struct {
	*harness.Home
	t      testing.TB
	module string
	files  string
}

// newToken makes the token ready by the functions that pkcs11-tool calls for it.
func newToken(t testing.TB) *token {
	t.Helper()
	harness.Need(t, "pkcs11-tool", "openssl")
	k := &token{Home: harness.NewHome(t), t: t, module: harness.Module(t), files: t.TempDir()}
	k.tool("--init-token", "--slot", "0", "--label", harness.Label, "--so-pin", harness.SOPIN)
	k.tool("--login", "--login-type", "so", "--so-pin", harness.SOPIN, "--init-pin", "--pin", harness.UserPIN)
	return k
}

// tool runs pkcs11-tool, which must end well.
func (k *token) tool(args ...string) string {
	k.t.Helper()
	return k.Run("pkcs11-tool", append([]string{"--module", k.module}, args...)...)
}

// user runs pkcs11-tool with the user logged in.
func (k *token) user(args ...string) string {
	k.t.Helper()
	return k.tool(append([]string{"--login", "--pin", harness.UserPIN}, args...)...)
}

// refused runs pkcs11-tool with the user logged in; it must fail.
func (k *token) refused(args ...string) string {
	k.t.Helper()
	args = append([]string{"--module", k.module, "--login", "--pin", harness.UserPIN}, args...)
	out, err := k.Try("pkcs11-tool", args...)
	if err == nil {
		k.t.Fatalf("pkcs11-tool %q succeeded:\n%s", args, out)
	}
	return out
}

// generate makes a key pair.
func (k *token) generate(curve, id string) {
	k.t.Helper()
	k.user("--keypairgen", "--key-type", "EC:"+curve, "--id", id, "--label", curve)
}

// path names a file in the folder for files.
func (k *token) path(name string) string { return filepath.Join(k.files, name) }

// write makes a file and returns its path.
func (k *token) write(name string, content []byte) string {
	k.t.Helper()
	path := k.path(name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

// uri names a key by its PKCS#11 URI, with the PIN: id is in hexadecimal, class
// "private" or "public".
func uri(id, class string) string {
	return fmt.Sprintf("pkcs11:token=%s;id=%%%s;type=%s;pin-value=%s", harness.Label, id, class, harness.UserPIN)
}
