// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
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

// checkCertificates tells of those whose keys are gone. What does not answer is told elsewhere.
func (v *visit) checkCertificates(gone pkcs11.Keyless, err error) {
	if err != nil || len(gone.Labels) == 0 {
		return
	}
	f := Finding{
		Name: "certificate-keyless", Level: Warning,
		What:    "the token has no key for " + certificatesText(gone.Labels),
		Why:     "programs that are given such a certificate have no key to sign with; one for a new key has to be asked for (key generate, key csr)",
		Command: command("zk_pkcs11-util", "cert", "delete", "--slot", strconv.Itoa(*v.slot), "--label", gone.Labels[0]),
	}
	if !gone.Sure {
		f.Level, f.What = Info, f.What+", unless a private key without its public one is there, which only a login shows"
	}
	v.tell(f)
}

// mostNamed is how many certificates are named.
const mostNamed = 10

func certificatesText(labels []string) string {
	some := make([]string, 0, mostNamed)
	for _, label := range labels[:min(len(labels), mostNamed)] {
		some = append(some, strconv.Quote(label))
	}
	text := "the certificate " + some[0]
	if len(labels) > 1 {
		text = fmt.Sprintf("%d certificates: %s", len(labels), strings.Join(some, ", "))
	}
	if more := len(labels) - mostNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
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
