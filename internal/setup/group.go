// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
)

// ErrNoPlace is the error of a user who can make no state directory in his home, and was given none.
var ErrNoPlace = errors.New("there is no place for the state of this user's token")

// noPlace is ErrNoPlace with its cause. It is scm.ErrAbsent, too, and does not say that a device is silent.
type noPlace struct{ cause error }

func (e noPlace) Error() string { return ErrNoPlace.Error() + ": " + e.cause.Error() }

func (e noPlace) Unwrap() []error { return []error{ErrNoPlace, scm.ErrAbsent, e.cause} }

// ShutOut returns the name of the group whose members share the tokens of config.SystemState, where that directory is there
// and this process may not use it, which has a state in the user's home for that reason. "" elsewhere.
func ShutOut(c config.Config) string {
	if c.State == config.SystemState || c.State != c.Source.State {
		return ""
	}
	gid, shared := descriptor.SharedBy(config.SystemState)
	if !shared || unix.Access(config.SystemState, unix.R_OK|unix.X_OK) == nil {
		return ""
	}
	group, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil {
		return strconv.Itoa(gid)
	}
	return group.Name
}

// TokenLeft returns the directory in this user's home that has a token which he has made before he has joined the group of
// config.SystemState, "" where there is none. Root has never had one there.
func TokenLeft(c config.Config, getenv func(string) string) string {
	own := config.HomeState(getenv)
	if own == "" || os.Geteuid() == 0 || c.State != config.SystemState || c.State != c.Source.State {
		return ""
	}
	for _, name := range []string{store.DatabaseFile, soft.FlashFile} {
		if _, err := os.Lstat(filepath.Join(own, name)); err == nil {
			return own
		}
	}
	return ""
}
