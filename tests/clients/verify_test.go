// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"strings"
	"testing"
)

// TestSignaturesByOpenSSL signs with every kind of key and mechanism, and lets
// OpenSSL, which knows nothing of the token, verify with the exported key.
func TestSignaturesByOpenSSL(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	k.generateAll()
	for _, key := range keys() {
		public := k.readPublic(key.id)
		for _, m := range key.methods() {
			t.Run(key.name+" "+m.mechanism, func(t *testing.T) {
				s := signer{t: t, token: k, key: key, method: m, public: public}
				s.check([]byte("the hardware takes these 32 only"))
				if m.mechanism != "ECDSA" && !key.edDSA {
					s.check(bytes.Repeat([]byte("parts "), 20000))
				}
			})
		}
	}
}

// signer is one way to sign with one key.
type signer struct {
	t *testing.T
	*token
	key    key
	method method
	public string // file of the exported public key
}

func (s signer) check(message []byte) {
	s.t.Helper()
	file := s.write("message", message)
	input, signature := s.write("input", s.method.input(message)), s.path("signature")
	args := []string{"-m", s.method.mechanism, "--id", s.key.id, "-i", input}
	if !s.key.edDSA {
		args = append(args, "--signature-format", "openssl")
	}
	s.user(append(args, "--sign", "-o", signature)...)
	if out, err := s.openssl(file, signature); err != nil {
		s.t.Errorf("openssl does not accept the signature: %v\n%s", err, out)
	}
	out := s.user(append(args, "--verify", "--signature-file", signature)...)
	mustContain(s.t, out, "Signature is valid")
	s.checkForgery(message, args, signature)
}

// checkForgery verifies the signature of another message.
func (s signer) checkForgery(message []byte, args []string, signature string) {
	s.t.Helper()
	forged := append([]byte("not "), message...)
	if out, err := s.openssl(s.write("forged", forged), signature); err == nil {
		s.t.Errorf("openssl accepts the signature for another message: %s", out)
	}
	s.write("input", s.method.input(forged))
	out, _ := s.Try("pkcs11-tool", append([]string{"--module", s.module, "--verify", "--signature-file", signature}, args...)...)
	if !strings.Contains(out, "Invalid signature") {
		s.t.Errorf("pkcs11-tool on the signature of another message: %s", out)
	}
}

func (s signer) openssl(message, signature string) (string, error) {
	if s.key.edDSA {
		return s.Try("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", s.public, "-in", message, "-sigfile", signature)
	}
	return s.Try("openssl", "dgst", s.method.option, "-verify", s.public, "-signature", signature, message)
}
