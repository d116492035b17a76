// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/recovery"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// setPIN is how a locked user PIN is replaced: by the SO, who does not lose anything by it.
const setPIN = "the SO sets a new one by \"token unlock\""

// initialise is what a token without PINs needs, unless it is not the one that was meant.
const initialise = "initialise the token by \"token init\" (--init-token), or name the state directory of another by ZK_PKCS11_HOME"

// writeState is what lets a command change a token.
const writeState = "run the command as the owner of that directory, or mount its file system for writing; \"doctor\" says which, and how"

// explain says in words what the errors that an administrator meets mean, and what
// to do next.
func explain(err error) string {
	var refused *loginError
	if errors.As(err, &refused) {
		return refused.explained()
	}
	var code pkcs11.Error
	if errors.As(err, &code) && codeWords()[code] != "" {
		return fmt.Sprintf("%s (%v)", codeWords()[code], code)
	}
	if done := (*unwritable)(nil); errors.As(err, &done) {
		return err.Error()
	}
	for _, a := range advices() {
		if errors.Is(err, a.of) {
			return fmt.Sprintf("%v; %s", err, a.nextAfter(err))
		}
	}
	return err.Error()
}

// codeWords are the codes of PKCS#11 in words.
func codeWords() map[pkcs11.Error]string {
	return map[pkcs11.Error]string{
		pkcs11.CKR_PIN_INCORRECT:            "the PIN is wrong; too many wrong ones lock it",
		pkcs11.CKR_PIN_LOCKED:               "the PIN is locked after too many wrong attempts; " + setPIN,
		pkcs11.CKR_PIN_LEN_RANGE:            "a PIN has 4 to 255 bytes",
		pkcs11.CKR_SLOT_ID_INVALID:          "there is no such slot; \"token list\" and --show-slots list them",
		pkcs11.CKR_TOKEN_NOT_PRESENT:        "there is no token in the slot; \"scm status\" shows why",
		pkcs11.CKR_TOKEN_WRITE_PROTECTED:    "the state directory cannot be written by this user; " + writeState,
		pkcs11.CKR_USER_PIN_NOT_INITIALIZED: "the token has no user PIN yet; " + initialise,
		pkcs11.CKR_DEVICE_MEMORY:            "there is no room: on the disk that holds the state directory, or in the SCM",
		pkcs11.CKR_DEVICE_ERROR:             "the device failed; the log says why, and \"doctor\" what mends it",
	}
}

// advice is what to do about an error of a device or a store.
type advice struct {
	of   error
	next string
}

// nextAfter returns the advice about an error. A file that is none of a state directory is for others than its owner to decide.
func (a advice) nextAfter(err error) string {
	if path := pathOfError(err); a.of == fs.ErrPermission && path != "" && !isOfState(path) {
		return "run the command as a user who may use that file, or name another one"
	}
	return a.next
}

// advices lists the advice, from which the first that fits is taken.
func advices() []advice {
	return []advice{
		{setup.ErrLibrary, "install the vendor's package, name its library by zymbit.library, or set backend = \"soft\" for keys in software"},
		{store.ErrPIN, "too many wrong ones lock it"},
		{store.ErrPINLocked, setPIN},
		{store.ErrNoPIN, initialise},
		{scm.ErrSecret, "the keys are not those of this token: initialise it again with --init-token"},
		{scm.ErrForeign, "\"doctor\" names the command that brings a token and its SCM together again"},
		{scm.ErrDestroyed, "only a soft SCM gets new ones, by \"scm reset\""},
		{setup.ErrNoPlace, "set ZK_PKCS11_HOME to a directory that this user can write, or have him join the group of " + config.SystemState +
			" (sudo usermod -aG zk_pkcs11 NAME, then log in again)"},
		{fs.ErrPermission, "run the command as the owner of the state directory, or share it by the setting state_group"},
		{scm.ErrAbsent, "look whether an SCM in hardware is bound and its daemon zkifc runs; what a soft one lacks \"scm status\" shows"},
		{scm.ErrTimeout, "try again; an SCM that starts needs up to two minutes"},
		{store.ErrCorrupt, "put a backup back by \"token restore\", or begin anew after moving the state directory away (zk_pkcs11-util(1))"},
		{store.ErrNoRecovery, "only \"token recovery create\" makes one, while the SCM of the token works"},
		{recovery.ErrOther, "the latest \"token recovery create\" has shown those that count"},
		{syscall.ENOTDIR, "name another state directory by ZK_PKCS11_HOME, or by the setting state"},
		{scm.ErrReadOnly, writeState},
		{store.ErrReadOnly, writeState},
		{scm.ErrFixed, "production mode is for good; only a soft SCM leaves it, by \"scm reset\""},
		{store.ErrFull, "make room on the disk that holds the state directory"},
		{scm.ErrFull, "\"scm slots\" shows the keys that take the room"},
		{scm.ErrName, "\"scm wallet list\" shows the names that are taken"},
		{scm.ErrSlotEmpty, "\"scm slots\" and \"scm wallet list\" show the keys that there are"},
		{scm.ErrSlotRange, "\"scm slots\" shows the key slots in use"},
	}
}
