// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// points is a file of Wycheproof for key agreements. Its private keys cannot be
// brought into an SCM, so that only its public keys are of use here.
type points struct {
	NumberOfTests int
	TestGroups    []struct {
		Tests []struct {
			TcID                    int
			Comment, Public, Result string
		}
	}
}

// TestWycheproofPoints agrees on secrets with the owners of Wycheproof's public keys:
// nothing comes of those that are no points of the curve.
func TestWycheproofPoints(t *testing.T) {
	text, err := os.ReadFile(harness.Vectors(t, "wycheproof/ecdh_secp256r1_ecpoint_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f points
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	k := live.New(t)
	s := k.User()
	key := k.Key(s, pkcs11.CKO_PRIVATE_KEY, 0)
	counts := map[string]int{}
	for _, g := range f.TestGroups {
		for _, v := range g.Tests {
			counts[v.Result]++
			if v.Public == "" {
				continue // the binding cannot say this
			}
			wanted := pkcs11.Error(pkcs11.CKR_OK)
			if v.Result == "invalid" {
				wanted = pkcs11.CKR_PUBLIC_KEY_INVALID
			}
			params := pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, unhex(t, v.Public))
			_, err := k.DeriveKey(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, params)}, key, nil)
			k.Want(fmt.Sprintf("%d (%s, %s)", v.TcID, v.Comment, v.Result), err, wanted)
		}
	}
	t.Logf("%d valid, %d invalid, %d acceptable", counts["valid"], counts["invalid"], counts["acceptable"])
	if total := counts["valid"] + counts["invalid"] + counts["acceptable"]; counts["invalid"] == 0 || total != f.NumberOfTests {
		t.Errorf("%d of %d public keys were tried", total, f.NumberOfTests)
	}
}
