// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"errors"
	"fmt"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// report is what a process that uses the module has seen.
type report struct {
	Signed  int
	Slowest time.Duration
	Answers map[string]map[pkcs11.Error]int // function and code: how often
}

// client uses the module and keeps account of what it answers.
type client struct {
	ctx     *pkcs11.Ctx
	session pkcs11.SessionHandle
	report  report
}

func newClient(module string) *client {
	return &client{ctx: pkcs11.New(module), report: report{Answers: map[string]map[pkcs11.Error]int{}}}
}

// call makes a call and notes how long it took and what it answered.
func (c *client) call(function string, f func() error) error {
	began := time.Now()
	err := f()
	c.report.Slowest = max(c.report.Slowest, time.Since(began))
	var rv pkcs11.Error
	if err != nil && !errors.As(err, &rv) {
		return err
	}
	if c.report.Answers[function] == nil {
		c.report.Answers[function] = map[pkcs11.Error]int{}
	}
	c.report.Answers[function][rv]++
	return err
}

// open begins a session and logs the user in, as hosts do that have lost theirs.
func (c *client) open() error {
	err := c.call("C_OpenSession", func() (err error) {
		c.session, err = c.ctx.OpenSession(0, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		return err
	})
	if err != nil {
		return err
	}
	err = c.call("C_Login", func() error { return c.ctx.Login(c.session, pkcs11.CKU_USER, harness.UserPIN) })
	if err != nil {
		c.close()
	}
	return err
}

// close ends the session, if the module has not. The login ends with it.
func (c *client) close() {
	_ = c.call("C_CloseSession", func() error { return c.ctx.CloseSession(c.session) }) // the report has the code
}

// find returns the objects of a template.
func (c *client) find(template ...*pkcs11.Attribute) (found []pkcs11.ObjectHandle, err error) {
	if err := c.call("C_FindObjectsInit", func() error { return c.ctx.FindObjectsInit(c.session, template) }); err != nil {
		return nil, err
	}
	err = c.call("C_FindObjects", func() (err error) {
		found, _, err = c.ctx.FindObjects(c.session, 1000)
		return err
	})
	return found, errors.Join(err, c.call("C_FindObjectsFinal", func() error { return c.ctx.FindObjectsFinal(c.session) }))
}

// attributes reads values of an object.
func (c *client) attributes(o pkcs11.ObjectHandle, types ...uint) ([][]byte, error) {
	var template []*pkcs11.Attribute
	for _, typ := range types {
		template = append(template, pkcs11.NewAttribute(typ, nil))
	}
	err := c.call("C_GetAttributeValue", func() (err error) {
		template, err = c.ctx.GetAttributeValue(c.session, o, template)
		return err
	})
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for _, a := range template {
		values = append(values, a.Value)
	}
	return values, nil
}

// sign signs 32 bytes.
func (c *client) sign(mechanism uint, key pkcs11.ObjectHandle, data []byte) (sig []byte, err error) {
	m := []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}
	if err := c.call("C_SignInit", func() error { return c.ctx.SignInit(c.session, m, key) }); err != nil {
		return nil, err
	}
	err = c.call("C_Sign", func() (err error) {
		sig, err = c.ctx.Sign(c.session, data)
		return err
	})
	return sig, err
}

// generate makes a P-256 key pair on the token.
func (c *client) generate(label string) (private pkcs11.ObjectHandle, err error) {
	public := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, live.P256),
	}
	m := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)}
	err = c.call("C_GenerateKeyPair", func() (err error) {
		_, private, err = c.ctx.GenerateKeyPair(c.session, m, public, public[:2])
		return err
	})
	return private, err
}

// destroy removes an object.
func (c *client) destroy(o pkcs11.ObjectHandle) error {
	return c.call("C_DestroyObject", func() error { return c.ctx.DestroyObject(c.session, o) })
}

// is reports whether a call answered with one of the codes.
func is(err error, codes ...pkcs11.Error) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

func (c *client) initialize() error {
	if err := c.ctx.Initialize(); err != nil {
		return fmt.Errorf("C_Initialize: %w", err)
	}
	return nil
}
