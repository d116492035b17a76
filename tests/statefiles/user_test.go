// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// answer is what a command came to.
type answer struct {
	Code  pkcs11.Error // CKR_OK when all calls were
	Found int          // objects
	Wrong bool         // a signature is not by the key
	Point []byte       // of the key in slot 0
}

// user is a process that uses the token as it is told.
type user struct {
	ctx     *pkcs11.Ctx
	session pkcs11.SessionHandle
	key     pkcs11.ObjectHandle
	point   []byte // of the key, as it was told first
}

func newUser(module string) *user { return &user{ctx: pkcs11.New(module)} }

// serve answers each line of commands with a line of JSON.
func (u *user) serve(in io.Reader, out io.Writer) error {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		command, name, _ := strings.Cut(lines.Text(), " ")
		var a answer
		err := u.do(command, name, &a)
		if err != nil && !errors.As(err, &a.Code) {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		a.Point = u.point
		if err := json.NewEncoder(out).Encode(a); err != nil {
			return err
		}
	}
	return nil
}

func (u *user) do(command, name string, a *answer) error {
	switch command {
	case "begin":
		return u.begin()
	case "end":
		return u.ctx.Finalize()
	case "sign":
		return u.sign(a)
	case "create":
		_, err := u.ctx.CreateObject(u.session, data(name, true))
		return err
	case "find":
		found, err := u.find(data(name, false))
		a.Found = len(found)
		return err
	}
	return fmt.Errorf("what is %q?", command)
}

func (u *user) begin() error {
	err := u.ctx.Initialize()
	if err == nil {
		u.session, err = u.ctx.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	}
	if err == nil {
		err = u.ctx.Login(u.session, pkcs11.CKU_USER, harness.UserPIN)
	}
	return err
}

// sign signs with the key in slot 0, which it looks for each time.
func (u *user) sign(a *answer) error {
	for _, class := range []uint{pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_PRIVATE_KEY} {
		found, err := u.find([]*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{0}),
		})
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return pkcs11.Error(pkcs11.CKR_KEY_HANDLE_INVALID)
		}
		u.key = found[0]
		if class == pkcs11.CKO_PUBLIC_KEY && u.point == nil {
			values, err := u.ctx.GetAttributeValue(u.session, u.key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
			if err != nil {
				return err
			}
			u.point = values[0].Value
		}
	}
	return u.signAgain(a)
}

func (u *user) signAgain(a *answer) error {
	digest := make([]byte, 32)
	digest[0] = byte(u.key)
	if err := u.ctx.SignInit(u.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, u.key); err != nil {
		return err
	}
	signature, err := u.ctx.Sign(u.session, digest)
	if err != nil {
		return err
	}
	a.Wrong = !verified(u.point, digest, signature)
	return nil
}

func verified(point, digest, signature []byte) bool {
	if len(point) != 2+65 || len(signature) != 64 {
		return false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[2:])
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return err == nil && ecdsa.Verify(key, digest, r, s)
}

func (u *user) find(template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := u.ctx.FindObjectsInit(u.session, template); err != nil {
		return nil, err
	}
	found, _, err := u.ctx.FindObjects(u.session, 10)
	return found, errors.Join(err, u.ctx.FindObjectsFinal(u.session))
}

// data is the template of a data object.
func data(name string, value bool) []*pkcs11.Attribute {
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), pkcs11.NewAttribute(pkcs11.CKA_LABEL, name),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
	}
	if value {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_VALUE, make([]byte, 1000)))
	}
	return template
}
