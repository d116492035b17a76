// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// TestReasons: the table says of a key what of it the token does not take, and no code.
func TestReasons(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, "small", true, attr(pkcs11.CKA_MODULUS_BITS, 1024), attr(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "brainpool", true, ofCurve("brainpool"))
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p256", true, ofCurve("p256"))
	_, tool := newTarget(t)
	small := "it is an RSA key of 1024 bits, and the token takes those of 2048 to 4096 bits"
	brainpool := "it is on the curve brainpoolP256r1, and the curves here are P-224, P-256, P-384, P-521, secp256k1, Ed25519 and X25519"
	for _, from := range [][]string{{"softhsm", s.dir}, {"--from", softModule, "--token", "old"}} {
		out := tool.partly(append(from, "--from-pin", softPIN)...)
		for _, class := range []string{"private key", "public key"} {
			shows(t, out, `(?m)^`+class+` +small +736d616c6c +not imported: `+small+`$`)
			shows(t, out, `(?m)^`+class+` +brainpool +[0-9a-f]+ +not imported: `+brainpool+`$`)
		}
		if strings.Contains(out, "CKR_") || strings.Contains(out, "info:") {
			t.Errorf("codes are told:\n%s", out)
		}
	}
	m := made{t, t.TempDir()}
	m.run("openssl genrsa -out small.pem 1024")
	m.run("openssl ecparam -genkey -noout -name brainpoolP256r1 -out brainpool.pem")
	m.run("openssl genpkey -algorithm ed448 -out ed448.pem")
	for name, why := range map[string]string{"small": small, "brainpool": brainpool, "ed448": "it is on the curve Ed448, and the curves here are"} {
		shows(t, tool.partly("pem", m.path(name+".pem")), `(?m)^private key +`+name+` +not imported: `+why)
	}
}

// TestReasonsOfSetting: where sealed_keys is false the table says that it is this setting which keeps keys out.
func TestReasonsOfSetting(t *testing.T) {
	s := newSoftHSM(t)
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p256", true, ofCurve("p256"))
	s.pair(pkcs11.CKM_EC_KEY_PAIR_GEN, "p384", true, ofCurve("p384"))
	s.object("aes", attr(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES), attr(pkcs11.CKA_VALUE, make([]byte, 32)))
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_SEALED_KEYS", "false")
	home.Init()
	out := (&tool{t, home}).partly("softhsm", s.dir, "--from-pin", softPIN)
	why := `not imported: the setting sealed_keys = false keeps such keys out of the token, which no key slot holds: set it to true in zk_pkcs11.toml, and import again$`
	for _, object := range []string{"private key +p256 +[0-9a-f]+", "private key +p384 +[0-9a-f]+", "public key +p384 +[0-9a-f]+", "secret key +aes"} {
		shows(t, out, `(?m)^`+object+` +`+why)
	}
	shows(t, out, `(?m)^public key +p256 +[0-9a-f]+ +imported$`)
	shows(t, out, "1 of 5 objects imported")
	if strings.Contains(out, "CKR_") || strings.Contains(out, "info:") {
		t.Errorf("codes are told:\n%s", out)
	}
}
