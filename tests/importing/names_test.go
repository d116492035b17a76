// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"regexp"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestOtherName: a key that is in the token under another name is shown by the name that it has, whatever it would be called.
func TestOtherName(t *testing.T) {
	m := made{t, t.TempDir()}
	m.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k.pem -out c.pem -subj /CN=x -days 9")
	m.run("openssl pkcs12 -export -inkey k.pem -in c.pem -name third -out k.p12 -passout pass:secret")
	home := harness.NewHome(t)
	home.Init()
	home.Run(harness.Build(t, "zk_pkcs11-util"), "--import", m.path("k.pem"), "--label", "both", "--id", "5eeb", "--pin", harness.UserPIN)
	again := home.Run(harness.Build(t, "zk_pkcs11-util"), "--import", m.path("k.pem"), "--label", "server2", "--id", "0a11", "--pin", harness.UserPIN)
	shows(t, again, `(?m)^private key +both +5eeb +was there under this name, and not as "server2" with the id 0a11; "key rename" changes it$`)
	shows(t, again, `(?m)^public key +both +5eeb +was there under this name, and not as "server2" with the id 0a11$`)
	tool := &tool{t, home}
	shows(t, tool.must("pem", m.path("k.pem")), `(?m)^private key +both +5eeb +was there under this name, and not as "k" with the id [0-9a-f]{40}; "key rename"`)
	shows(t, tool.must("pkcs12", m.path("k.p12"), "--from-pin", "secret"), `(?m)^private key +both +5eeb +was there under this name, and not as "third" with`)
	home.Run(harness.Build(t, "zk_pkcs11-util"), "key", "rename", "--label", "both", "--to-label", "third", "--pin", harness.UserPIN)
	shows(t, tool.must("pem", m.path("c.pem"), "--label", "other"), `(?m)^certificate +third +[0-9a-f]{40} +was there under this name, and not as "other"$`)
}

// TestTwiceInFile: what a file has twice comes over once.
func TestTwiceInFile(t *testing.T) {
	m := made{t, t.TempDir()}
	m.run("openssl ecparam -genkey -noout -name secp384r1 -out k.pem")
	m.run("cp k.pem twice.pem")
	m.run("openssl pkey -in k.pem -out k8.pem")
	m.run("dd if=k8.pem of=twice.pem oflag=append conv=notrunc status=none")
	_, tool := newTarget(t)
	out := tool.must("pem", m.path("twice.pem"))
	shows(t, out, "2 of 4 objects imported")
	shows(t, out, `(?m)^private key +twice +[0-9a-f]{40} +was there$`)
}

// shows looks for a line in what a command prints.
func shows(t *testing.T, out, line string) {
	t.Helper()
	if !regexp.MustCompile(line).MatchString(out) {
		t.Errorf("%q is not in\n%s", line, out)
	}
}
