// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// PEM is the form that openssl and most programs read.
func (p *PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: p.DER})
}

// SSH is a line of authorized_keys, which ends in a comment.
func (p *PublicKey) SSH(comment string) ([]byte, error) {
	none := fmt.Errorf("ssh has no keys of the type %s; it has P-256, P-384, P-521, Ed25519 and RSA", p.Name())
	parsed, err := x509.ParsePKIXPublicKey(p.DER)
	if err != nil {
		return nil, none
	}
	public, err := ssh.NewPublicKey(parsed)
	if err != nil {
		return nil, none
	}
	line := bytes.TrimSuffix(ssh.MarshalAuthorizedKey(public), []byte("\n"))
	if comment = strings.Join(strings.Fields(comment), " "); comment != "" {
		line = append(append(line, ' '), comment...)
	}
	return append(line, '\n'), nil
}

// jsonWebKey has the members of RFC 7517, RFC 7518 and RFC 8037 in the order in which they are mostly shown.
type jsonWebKey struct {
	Type     string `json:"kty"`
	Curve    string `json:"crv,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
	Modulus  string `json:"n,omitempty"`
	Exponent string `json:"e,omitempty"`
}

// JWK is the form of RFC 7517, with the members that make the key and no others.
func (p *PublicKey) JWK() ([]byte, error) {
	k, err := p.webKey()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(k)
	return append(text, '\n'), err
}

func (p *PublicKey) webKey() (jsonWebKey, error) {
	switch {
	case p.algorithm.Equal(algorithmEC):
		return p.curveWebKey()
	case p.algorithm.Equal(algorithmRSA):
		n, e, err := p.rsa()
		if err != nil {
			return jsonWebKey{}, err
		}
		return jsonWebKey{Type: "RSA", Modulus: base64URL(n.Bytes()), Exponent: base64URL(big.NewInt(int64(e)).Bytes())}, nil
	}
	if curve := nameOf(algorithmNames(), p.algorithm).jwk; curve != "" {
		return jsonWebKey{Type: "OKP", Curve: curve, X: base64URL(p.key)}, nil
	}
	return jsonWebKey{}, p.noWebKey()
}

// curveWebKey takes the two coordinates of a point. Their leading zeros stay, which RFC 7518 demands.
func (p *PublicKey) curveWebKey() (jsonWebKey, error) {
	curve := nameOf(curveNames(), p.curve).jwk
	if curve == "" {
		return jsonWebKey{}, p.noWebKey()
	}
	if len(p.key)%2 == 0 || p.key[0] != 4 {
		return jsonWebKey{}, errors.New("the point of the public key is compressed")
	}
	half := len(p.key) / 2
	return jsonWebKey{Type: "EC", Curve: curve, X: base64URL(p.key[1 : 1+half]), Y: base64URL(p.key[1+half:])}, nil
}

func (p *PublicKey) noWebKey() error {
	return fmt.Errorf("there is no JSON Web Key of the type %s", p.Name())
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
