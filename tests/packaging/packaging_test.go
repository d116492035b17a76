// SPDX-License-Identifier: Apache-2.0

// Package packaging_test looks at what make builds and installs.
package packaging_test

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// run runs make with another build folder than that of the project, from which
// other tests load the module at the same time.
func run(t *testing.T, build string, args ...string) {
	t.Helper()
	harness.Need(t, "make", "go")
	if out, err := try(t, build, args...); err != nil {
		t.Fatalf("make %q: %v\n%s", args, err, out)
	}
}

// try is run, for a make that may fail.
func try(t *testing.T, build string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"--no-print-directory", "BUILD=" + build}, args...)...)
	cmd.Dir = harness.Root(t)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "MAKE") { // not the flags of the make that runs the tests
			cmd.Env = append(cmd.Env, kv)
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tree returns the files below a folder and their permissions.
func tree(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		found[strings.TrimPrefix(path, dir)] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestInstall(t *testing.T) {
	build := t.TempDir()
	for _, test := range []struct {
		args                     []string
		library, tool, directory string
	}{
		{nil, "/usr/lib", "/usr/bin", "/usr/share"},
		{[]string{"PREFIX=/opt/zk"}, "/opt/zk/lib", "/opt/zk/bin", "/opt/zk/share"},
		{[]string{"LIBDIR=/usr/lib/multi"}, "/usr/lib/multi", "/usr/bin", "/usr/share"},
	} {
		root := t.TempDir()
		args := append(test.args, "DESTDIR="+root)
		run(t, build, append(args, "build", "install")...)
		module := test.directory + "/p11-kit/modules/zk_pkcs11.module"
		want := map[string]fs.FileMode{
			test.library + "/libzk_pkcs11.so": 0o755,
			test.tool + "/zk_pkcs11-util":     0o755,
			module:                            0o644,
		}
		got := tree(t, root)
		for path, mode := range want {
			if got[path] != mode {
				t.Errorf("install %q: %s has mode %v, want %v", test.args, path, got[path], mode)
			}
		}
		text, err := os.ReadFile(root + module)
		if err != nil {
			t.Fatal(err)
		}
		if line := "module: " + test.library + "/libzk_pkcs11.so\n"; !strings.Contains(string(text), line) {
			t.Errorf("%s has no line %q:\n%s", module, line, text)
		}
		checkInstalled(t, root+test.library+"/libzk_pkcs11.so", root+test.tool+"/zk_pkcs11-util")

		run(t, build, append(args, "uninstall")...)
		if left := tree(t, root); len(left) > 0 {
			t.Errorf("uninstall %q leaves %v", test.args, left)
		}
	}
}

// checkInstalled uses what was installed.
func checkInstalled(t *testing.T, module, tool string) {
	t.Helper()
	harness.Need(t, "pkcs11-tool")
	home := harness.NewHome(t)
	home.Run(tool, "--init-token", "--slot", "0", "--label", "installed", "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	if out := home.Run("pkcs11-tool", "--module", module, "-L"); !strings.Contains(out, "installed") {
		t.Errorf("the module does not show the token that the tool made:\n%s", out)
	}
}

// TestArm64 builds the module for the boards that carry an SCM.
func TestArm64(t *testing.T) {
	harness.Need(t, "aarch64-linux-gnu-gcc")
	build := t.TempDir()
	run(t, build, "build-arm64")
	file := open(t, filepath.Join(build, "arm64/libzk_pkcs11.so"))
	if file.Machine != elf.EM_AARCH64 || file.Class != elf.ELFCLASS64 || file.Type != elf.ET_DYN {
		t.Errorf("the module is %v, %v, %v", file.Machine, file.Class, file.Type)
	}
	if name, err := file.DynString(elf.DT_SONAME); err != nil || !slices.Equal(name, []string{"libzk_pkcs11.so"}) {
		t.Errorf("soname %q, %v", name, err)
	}
	got, want := exported(t, file), exported(t, open(t, harness.Module(t)))
	if !slices.Equal(got, want) {
		t.Errorf("it exports\n%q\nand the module for this machine\n%q", got, want)
	}
}

func open(t *testing.T, path string) *elf.File {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// exported returns the names that a library defines for others. Some linkers put
// sections, which have no names, into the table too.
func exported(t *testing.T, file *elf.File) (names []string) {
	t.Helper()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) != elf.STT_SECTION {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}
