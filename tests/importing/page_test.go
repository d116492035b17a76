// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// marked are the blocks of code on a page that this package runs.
var marked = regexp.MustCompile("(?ms)^<!-- run by tests/importing -->\n```sh\n(.*?)^```$")

// TestPages: the six lines of each page move a key of a server, which signs as before.
func TestPages(t *testing.T) {
	harness.Need(t, "bash", "openssl", "pkcs11-tool")
	for _, page := range []string{"from-softhsm.md", "from-zkpkcs11.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", page))
			if err != nil {
				t.Fatal(err)
			}
			blocks := marked.FindAllStringSubmatch(string(text), -1)
			if len(blocks) != 1 {
				t.Fatalf("%d blocks", len(blocks))
			}
			s := newSoftHSM(t)
			s.pairOf(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, "server", []byte{0x0a, 1}, true, attr(pkcs11.CKA_MODULUS_BITS, 2048), attr(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
			home, dir := harness.NewHome(t), t.TempDir()
			for name, value := range map[string]string{
				"TOKENS": s.dir, "MODULE": harness.Module(t), "OLD": softModule, "SOFTHSM2_CONF": os.Getenv("SOFTHSM2_CONF"),
				"PATH": filepath.Dir(harness.Build(t, "zk_pkcs11-util")) + ":" + os.Getenv("PATH"),
			} {
				home.Set(name, value)
			}
			if err := os.WriteFile(filepath.Join(dir, "request"), []byte("to be signed"), 0o600); err != nil {
				t.Fatal(err)
			}
			home.Run("pkcs11-tool", "--module", softModule, "--token-label", "old", "--login", "--pin", softPIN, "--read-object", "--type", "pubkey",
				"--label", "server", "--output-file", filepath.Join(dir, "server.der"))
			home.Run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", filepath.Join(dir, "server.der"), "-out", filepath.Join(dir, "server.pub"))
			cmd := home.Command("bash", "-euc", blocks[0][1])
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
