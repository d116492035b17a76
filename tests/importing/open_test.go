// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// listedKey is a key as "key list --json" has it.
type listedKey struct {
	Label   string `json:"label"`
	KeySlot *int   `json:"key_slot"`
	Sealed  bool   `json:"sealed"`
}

// listed returns how a key is listed, in words and as JSON.
func (x *tool) listed(label string) (string, listedKey) {
	x.t.Helper()
	list := []string{"key", "list", "--label", label, "--pin", harness.UserPIN}
	text := x.home.Run(harness.Build(x.t, "zk_pkcs11-util"), list...)
	var told struct{ Keys []listedKey }
	out := x.home.Run(harness.Build(x.t, "zk_pkcs11-util"), append(list, "--json")...)
	if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Keys) != 1 {
		x.t.Fatalf("%v, %s", err, out)
	}
	return text, told.Keys[0]
}

// TestOpenSecrets: secret keys that are not private are named by the import and listed as open, until they come over private.
func TestOpenSecrets(t *testing.T) {
	s := newSoftHSM(t)
	for label, private := range map[string]bool{"aes-open": false, "aes-sealed": true} {
		s.object(label, attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES), attr(pkcs11.CKA_VALUE, []byte(label + "                      ")[:32]),
			attr(pkcs11.CKA_PRIVATE, private))
	}
	_, tool := newTarget(t)
	warns := `(?m)^Not private \(CKA_PRIVATE is false\), and so unsealed in the token's store: "aes-open"\. "pkcs11-tool --keygen --private" makes a new one .*--private.*docs/threats\.md\)$`
	for _, imported := range []string{"2 of 2", "0 of 2"} {
		out := tool.must("softhsm", s.dir, "--from-pin", softPIN)
		shows(t, out, imported+" objects imported")
		shows(t, out, warns)
	}
	if text, k := tool.listed("aes-open"); k.Sealed || k.KeySlot != nil || !strings.Contains(text, " open ") {
		t.Errorf("a key that is not private is listed as %+v\n%s", k, text)
	}
	if text, k := tool.listed("aes-sealed"); !k.Sealed || !strings.Contains(text, " sealed ") {
		t.Errorf("a private key is listed as %+v\n%s", k, text)
	}
	tool.home.Run(harness.Build(t, "zk_pkcs11-util"), "key", "delete", "--yes", "--label", "aes-open", "--pin", harness.UserPIN)
	out := tool.must("softhsm", s.dir, "--from-pin", softPIN, "--private")
	shows(t, out, `(?m)^secret key +aes-open +imported, private now, by --private$`)
	if _, k := tool.listed("aes-open"); !k.Sealed || strings.Contains(out, "unsealed") {
		t.Errorf("with --private it is listed as %+v\n%s", k, out)
	}
}
