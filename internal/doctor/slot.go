// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/store"
)

// lookAtSlot looks at the SCM and the token of one slot.
func (v *visit) lookAtSlot() {
	look, err := setup.LookAt(v.config, *v.slot)
	v.noteBackend(look)
	entered := v.lookAtDirectory(look, err)
	if entered {
		v.lookAtFiles(look)
		v.checkSpace(v.state)
	}
	switch {
	case err != nil || !entered && !look.Hardware:
	case v.isMixed(look):
		v.note("Token", "not looked at: its files are not all of one owner")
	default:
		v.lookInside(look)
	}
}

// noteBackend says which backend the slot has, and why.
func (v *visit) noteBackend(l setup.Look) {
	backend, name := v.config.Slots[*v.slot].Backend, "the soft SCM"
	if l.Hardware {
		name = "an SCM in hardware"
	}
	why := fmt.Sprintf("backend is %q", backend)
	if v.config.Source.Variables["ZK_PKCS11_BACKEND"] != "" {
		why = fmt.Sprintf("ZK_PKCS11_BACKEND is %q", backend)
	}
	if backend == config.BackendAuto {
		why = automatic(l)
	}
	v.note("Backend", "%s (%s)", name, why)
}

func automatic(l setup.Look) string {
	switch {
	case l.Library != "":
		return l.Library + " is there"
	case l.Hardware:
		return "the token is one of an SCM in hardware"
	}
	return "the vendor's library is not installed"
}

// lookInside opens what is there, for reading.
func (v *visit) lookInside(l setup.Look) {
	device, err := l.Device()
	if err == nil {
		defer device.Close()
	} else if !errors.Is(err, scm.ErrNone) {
		v.tellDevice(l, err)
		device = nil
		if l.Hardware {
			return
		}
	}
	gone := errors.Is(err, scm.ErrNone)
	tokens, err := l.Token()
	switch {
	case err == nil:
		defer tokens.Close()
		v.lookAtToken(tokens)
	case !errors.Is(err, store.ErrMissing):
		v.tellStore(err)
		return
	case gone || l.Hardware:
		v.tellUninitialised("there is no token in " + v.state)
		return
	}
	if device != nil || gone {
		v.checkPair(l.Pair(device, tokens))
	}
	if device != nil {
		v.lookAtDevice(device, l)
	}
	if device != nil && err == nil {
		v.checkCertificates(l.Keyless(device, tokens))
	}
	v.lookAtPool(l)
}

// tellDevice says why the SCM does not open.
func (v *visit) tellDevice(l setup.Look, err error) {
	f := Finding{Level: Error, What: err.Error(), Why: "programs find no token in the slot"}
	switch {
	case errors.Is(err, setup.ErrLibrary):
		f.Name, f.Command = "backend-library", v.otherLibrary(l)
		f.Why = "the backend is that of an SCM in hardware, and the module goes on with no keys in software without notice"
	case l.Hardware:
		f.Name, f.Command = "device-silent", waked()
	default:
		v.tellFile(f, soft.FlashFile, err)
		return
	}
	v.tell(f)
}

// daemon is the vendor's, by which the library reaches the SCM.
const daemon = "zkifc"

// waked is what gets an SCM in hardware to answer.
func waked() string {
	if isRunning(daemon) {
		return "systemctl restart " + daemon + " && zk_pkcs11-util scm wait"
	}
	return "systemctl enable --now " + daemon + " && zk_pkcs11-util scm wait"
}

// isRunning reports whether there is a process of a name that has not ended: one that nobody has waited for has its name still.
func isRunning(name string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		_, rest, is := strings.Cut(string(text), "("+name+") ")
		return err == nil && is && !strings.HasPrefix(rest, "Z")
	})
}

// otherLibrary is what gets the vendor's library there, or does without.
func (v *visit) otherLibrary(l setup.Look) string {
	switch {
	case v.config.Source.Variables["ZK_APP_UTILS_LIB"] != "":
		return "unset ZK_APP_UTILS_LIB"
	case v.config.Source.Variables["ZK_PKCS11_BACKEND"] != "" && !l.Used:
		return "export ZK_PKCS11_BACKEND=soft"
	case v.config.Zymbit.Library != "":
		return command("sed", "-i", "/^library *=/d", v.settingsFile())
	case l.Used:
		return "dpkg --listfiles zkapputilslib"
	}
	return command("sed", "-i", `s/^backend *=.*/backend = "soft"/`, v.settingsFile())
}

// tellStore says why the token does not open.
func (v *visit) tellStore(err error) {
	v.tellFile(Finding{Level: Error, What: err.Error(), Why: "programs find no token in the slot"}, store.DatabaseFile, err)
}

// tellFile completes a finding about a file that does not open.
func (v *visit) tellFile(f Finding, name string, err error) {
	path := filepath.Join(v.state, name)
	switch {
	case strings.Contains(err.Error(), store.ErrFormat.Error()):
		f.Name, f.Command = "state-newer", "apt-get install --only-upgrade libzk-pkcs11 zk-pkcs11-utils"
		f.Why = "a newer release has used the token, and this one does not know what it has written"
	case errors.Is(err, fs.ErrPermission):
		f.Name, f.Command = "state-closed", v.joinGroup(v.state)
	case errors.Is(err, store.ErrLog) || strings.Contains(err.Error(), store.ErrLog.Error()):
		f.Name, f.Command = "state-mixed", "zk_pkcs11-util token restore FILE"
		f.Why = "one of " + path + " and its log was exchanged for that of another time; the module touches neither"
	case errors.Is(err, store.ErrBusy) || strings.Contains(err.Error(), store.ErrBusy.Error()):
		f.Name, f.Command = "state-busy", command("fuser", "-v", path)
	default:
		f.Name, f.Command = "state-damaged", "zk_pkcs11-util token restore FILE"
	}
	v.tell(f)
}

// checkPair says why the token and its SCM do not belong together.
func (v *visit) checkPair(err error) {
	f := Finding{Level: Error, Why: "the module makes nothing anew in place of what is lost, and opens no session"}
	switch {
	case err == nil:
		return
	case errors.Is(err, scm.ErrNone):
		f.Name, f.What = "scm-gone", "the token in "+v.state+" is initialised, and its soft SCM ("+soft.FlashFile+") is gone"
		f.Why += "; a backup has the keys of its key slots, and recovery words bring back all others where there is none"
		f.Command = fmt.Sprintf("zk_pkcs11-util token restore FILE --slot %d # with recovery words and no backup: zk_pkcs11-util token recovery restore --slot %[1]d", *v.slot)
	case errors.Is(err, store.ErrMissing):
		f.Name, f.What = "token-gone", "the soft SCM in "+v.state+" belongs to a token, and that ("+store.DatabaseFile+") is gone"
		f.Command = "zk_pkcs11-util token restore FILE"
	case errors.Is(err, scm.ErrForeign):
		f.Name, f.What, f.Command = "token-foreign", err.Error(), "zk_pkcs11-util token recovery restore"
	default:
		return // it does not answer, which is told elsewhere
	}
	v.tell(f)
}
