// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"os"
	"slices"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
)

// lookAtGroup tells of a token that this user does not get, and may mean: that of a group which he is not in, or, of a
// member, the one in his home.
func (v *visit) lookAtGroup() {
	if left := setup.TokenLeft(v.config, v.Getenv); left != "" {
		v.tell(Finding{
			Name: "token-left", Level: Info,
			What:    "there is a token of this user in " + left + ", which is not used",
			Why:     "this user is in the group of " + config.SystemState + ", and programs of its members use the token there; the other one takes ZK_PKCS11_HOME",
			Command: "export ZK_PKCS11_HOME=" + quote(left),
		})
	}
	group := setup.ShutOut(v.config)
	hasNone := slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Name == "token-uninitialised" || f.Name == "state-missing" })
	if group == "" || !hasNone {
		return
	}
	v.tell(Finding{
		Name: "token-of-group", Level: Info,
		What:    fmt.Sprintf("the token in %s is for members of the group %s, and this user (%s) is none", config.SystemState, group, userName(os.Geteuid())),
		Why:     "programs of this user have a token of his own, which is empty; to be a member counts from the next login on",
		Command: joining(group),
	})
}

// joining is the command that makes this user a member of a group.
func joining(group string) string {
	return command("sudo", "usermod", "-aG", group, userName(os.Geteuid()))
}

// tellNoPlace is about a user who can make no state directory, such as one without a home.
func (v *visit) tellNoPlace() {
	f := Finding{
		Name: "state-no-place", Level: Error,
		What:    fmt.Sprintf("%s is not there, and this user (%s) cannot make it", v.state, userName(os.Geteuid())),
		Why:     "programs of this user find no token; its state takes a directory that he can write, or the group of " + config.SystemState,
		Command: "export ZK_PKCS11_HOME=DIR",
	}
	if v.config.State != v.config.Source.State { // the settings name it
		f.Command = command("sudo", "install", "-d", "-m", "700", "-o", userName(os.Geteuid()), v.state)
	}
	if group := setup.ShutOut(v.config); group != "" {
		f.Command = joining(group)
	}
	v.tell(f)
}
