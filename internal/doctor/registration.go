// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// moduleName is the file name of the module, which the vendor's own has, too.
const moduleName = "libzk_pkcs11.so"

// modulePlaces are where p11-kit and programs look for modules.
var modulePlaces = []string{
	"/usr/lib", "/usr/local/lib", "/usr/lib/pkcs11",
	"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/arm-linux-gnueabihf",
	"/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/aarch64-linux-gnu/pkcs11", "/usr/lib/arm-linux-gnueabihf/pkcs11",
}

// registration is a module file of p11-kit that names our module.
type registration struct{ file, module string }

// configurations are the folders of p11-kit's module files, the first of which counts where two have one name.
func (v *visit) configurations() []string {
	dirs := []string{"/etc/pkcs11/modules", "/usr/share/p11-kit/modules"}
	home := v.Getenv("XDG_CONFIG_HOME")
	if home == "" && v.Getenv("HOME") != "" {
		home = filepath.Join(v.Getenv("HOME"), ".config")
	}
	if os.Geteuid() != 0 && home != "" { // p11-kit reads none of root's
		dirs = append([]string{filepath.Join(home, "pkcs11/modules")}, dirs...)
	}
	return dirs
}

// lookAtRegistration looks at what p11-kit knows of the module.
func (v *visit) lookAtRegistration() {
	found := v.registrations()
	v.checkTwice(found)
	v.checkCopies()
	if len(found) == 0 {
		v.note("p11-kit", "does not know the module; programs are to name it by its path")
		return
	}
	seen := map[string]bool{}
	for _, r := range found {
		if !seen[filepath.Base(r.file)] { // else p11-kit does not read it
			v.checkModuleOf(r)
		}
		seen[filepath.Base(r.file)] = true
	}
}

// registrations are the module files that name our module.
func (v *visit) registrations() (found []registration) {
	for _, dir := range v.configurations() {
		files, _ := filepath.Glob(filepath.Join(dir, "*.module"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				v.tellUnreadable(file)
				continue
			}
			if module := moduleOf(text); filepath.Base(module) == moduleName {
				found = append(found, registration{file, module})
			}
		}
	}
	return found
}

// tellUnreadable is about a module file of ours that this user cannot read.
func (v *visit) tellUnreadable(file string) {
	if !strings.Contains(filepath.Base(file), "zk_pkcs11") {
		return
	}
	v.tell(Finding{
		Name: "registration-unreadable", Level: Warning,
		What:    "this user cannot read " + file,
		Why:     "p11-kit leaves the module out, and so GnuTLS, curl and others find no token",
		Command: command("chmod", "a+r", file),
		mend:    modeMend(file, 0o644),
	})
}

// moduleOf is the module that a file names.
func moduleOf(text []byte) string {
	for line := range bytes.Lines(text) {
		if name, value, is := strings.Cut(string(line), ":"); is && strings.TrimSpace(name) == "module" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// checkModuleOf looks at the file that a registration leads to. A name without a slash is one in p11-kit's own folder.
func (v *visit) checkModuleOf(r registration) {
	path := r.module
	if !strings.Contains(path, "/") {
		path = firstThere(path)
	}
	v.note("p11-kit", "%s names %s", r.file, r.module)
	switch err := unix.Access(path, unix.R_OK); err {
	case nil:
	case unix.EACCES:
		v.tell(Finding{
			Name: "registration-module-closed", Level: Warning,
			What:    "this user cannot read " + path + ", which " + r.file + " names",
			Why:     "p11-kit leaves the module out, and so GnuTLS, curl and others find no token",
			Command: command("chmod", "a+rx", path),
		})
	default:
		v.tell(Finding{
			Name: "registration-stale", Level: Warning,
			What:    fmt.Sprintf("%s names %s: %v", r.file, r.module, err),
			Why:     "p11-kit leaves the module out, and so GnuTLS, curl and others find no token",
			Command: restored(r.file),
		})
	}
}

// restored has a registration lead to a module that is there, or takes it away.
func restored(file string) string {
	if there := firstThere(moduleName); exists(there) {
		return command("sed", "-i", "s|^module:.*|module: "+there+"|", file)
	}
	return command("rm", file)
}

// firstThere is where a module is, or where p11-kit would look for it.
func firstThere(name string) string {
	for _, dir := range modulePlaces {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	return filepath.Join(modulePlaces[0], name)
}

// checkTwice looks for several files that register the module: each token is there twice then.
func (v *visit) checkTwice(found []registration) {
	if len(found) < 2 {
		return
	}
	var files []string
	for _, r := range found {
		files = append(files, r.file)
	}
	names := slices.Compact(slices.Sorted(slices.Values(baseNames(files))))
	f := Finding{
		Name: "registration-twice", Level: Warning,
		What:    "p11-kit has the module from " + strings.Join(files, " and "),
		Why:     "each token is there twice, and programs ask for a choice, or take the one of another version",
		Command: command("rm", files[0]),
	}
	if len(names) < len(files) {
		f.Name, f.Why = "registration-hidden", "of two files of one name p11-kit reads the first, and the one of the package has no effect"
	}
	v.tell(f)
}

func baseNames(files []string) (names []string) {
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return names
}

// checkCopies looks for two modules of one name: ours of two versions, or the vendor's and ours.
func (v *visit) checkCopies() {
	var copies []string
	var infos []os.FileInfo
	for _, dir := range modulePlaces {
		path := filepath.Join(dir, moduleName)
		info, err := os.Stat(path)
		if err != nil || slices.ContainsFunc(infos, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
			continue
		}
		copies, infos = append(copies, path), append(infos, info)
	}
	if len(copies) < 2 {
		return
	}
	v.tell(Finding{
		Name: "module-twice", Level: Warning,
		What:    "there are " + strings.Join(copies, " and "),
		Why:     "programs that look for " + moduleName + " by its name take one, p11-kit another: keys of one are not those of the other",
		Command: command(append([]string{"dpkg", "--search"}, copies...)...),
	})
}
