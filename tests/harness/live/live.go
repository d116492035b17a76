// SPDX-License-Identifier: Apache-2.0

// Package live loads the module into the process of a test, through the binding
// that most Go programs use. There is one module in a process, so tests that
// use this package do not run in parallel.
package live

import (
	"errors"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// Token is the token in slot 0 of a soft SCM, and the module that shows it.
type Token struct {
	*pkcs11.Ctx
	t *testing.T
}

// Load initialises the module on the soft SCM of a home. The module is
// finalised when the test ends.
func Load(t *testing.T, home *harness.Home) *Token {
	t.Helper()
	home.Export(t)
	ctx := pkcs11.New(harness.Module(t))
	if ctx == nil {
		t.Fatal("the module does not load")
	}
	k := &Token{ctx, t}
	k.OK(ctx.Initialize())
	t.Cleanup(func() {
		_ = ctx.Finalize() // a test may have done it
		ctx.Destroy()
	})
	return k
}

// New returns the token of a new soft SCM, initialised, with both PINs.
func New(t *testing.T) *Token {
	t.Helper()
	k := Load(t, harness.NewHome(t))
	k.OK(k.InitToken(0, harness.SOPIN, harness.Label))
	s := k.Officer()
	k.OK(k.InitPIN(s, harness.UserPIN))
	k.OK(k.CloseSession(s))
	return k
}

// OK ends the test if a call failed.
func (k *Token) OK(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// Want checks that a call answered with a code, and says which call if not.
func (k *Token) Want(what string, err error, code pkcs11.Error) {
	k.t.Helper()
	if got := RV(err); got != code {
		k.t.Errorf("%s: %v, want %v", what, got, code)
	}
}

// RV is the CK_RV of a call.
func RV(err error) pkcs11.Error {
	var rv pkcs11.Error
	if err == nil || errors.As(err, &rv) {
		return rv
	}
	return pkcs11.CKR_VENDOR_DEFINED // of no function
}
