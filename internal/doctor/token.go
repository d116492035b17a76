// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"

	"libzk_pkcs11/internal/store"
)

// setPIN is how the SO gives the user a new PIN.
func (v *visit) setPIN() string { return fmt.Sprintf("zk_pkcs11-util token unlock --slot %d", *v.slot) }

// lookAtToken looks at what can be told of a token without a PIN.
func (v *visit) lookAtToken(tokens *store.Store) {
	t, err := tokens.Token()
	if err != nil {
		v.tellStore(err)
		return
	}
	v.measureToken(t)
	if !t.Initialized {
		v.tellUninitialised("the token in " + v.state + " was never initialised")
		return
	}
	user, so := t.PINs[store.NormalUser], t.PINs[store.SO]
	v.note("Token", "%q, user PIN: %s, SO PIN: %s", t.Label, words(user), words(so))
	v.checkUserPIN(user)
	v.checkSecurityOfficer(so)
}

// PINTries is how many wrong PINs in a row lock a PIN.
const PINTries = store.DefaultMaxFailures

// left is how many wrong PINs it takes to lock one.
func left(p store.PIN) int { return max(0, PINTries-p.Failures) }

func words(p store.PIN) string {
	switch {
	case !p.Set:
		return "not set"
	case p.Locked:
		return "locked"
	case left(p) == 1:
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", left(p))
}

func (v *visit) initialise() string {
	return fmt.Sprintf("zk_pkcs11-util token init --slot %d --label LABEL", *v.slot)
}

func (v *visit) tellUninitialised(what string) {
	v.tell(Finding{
		Name: "token-uninitialised", Level: Warning,
		What:    what,
		Why:     "nobody can log in, so no private key can be used",
		Command: v.initialise(),
	})
}

func (v *visit) checkUserPIN(p store.PIN) {
	f := Finding{Level: Error, Why: "nobody can log in, so no private key can be used", Command: v.setPIN()}
	switch {
	case !p.Set:
		f.Name, f.What = "pin-unset", "the token has no user PIN"
	case p.Locked:
		f.Name, f.What = "pin-locked", "the user PIN is locked after too many wrong ones"
	case p.Failures > 0:
		f.Level, f.Name = Warning, "pin-tries"
		f.What = fmt.Sprintf("wrong user PINs in a row: %d, %s", p.Failures, words(p))
		f.Why = "a service with an old PIN locks it for all others; a right one sets the count back"
		f.Command = fmt.Sprintf("zk_pkcs11-util key list --login --slot %d", *v.slot)
	default:
		return
	}
	v.tell(f)
}

func (v *visit) checkSecurityOfficer(p store.PIN) {
	switch {
	case p.Locked:
		v.tell(Finding{
			Name: "so-pin-locked", Level: Warning,
			What:    "the SO PIN is locked after too many wrong ones",
			Why:     "nobody can give the user a new PIN, or initialise the token again; keys can be used as before",
			Command: "zk_pkcs11-util token backup FILE",
		})
	case p.Set && p.Failures > 0:
		v.tell(Finding{
			Name: "so-pin-tries", Level: Warning,
			What:    fmt.Sprintf("wrong SO PINs in a row: %d, %s", p.Failures, words(p)),
			Why:     "once it is locked nobody can give the user a new PIN; a right one sets the count back",
			Command: "pkcs11-tool --module libzk_pkcs11.so --login --login-type so --test",
		})
	}
}
