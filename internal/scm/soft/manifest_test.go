// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// bootBench is a bench with files of supervised boot, all of them in the manifest.
func bootBench(t *testing.T, o Options) *bench {
	t.Helper()
	o.BootDir = t.TempDir()
	b := newBench(t, o)
	must(t, os.Mkdir(filepath.Join(o.BootDir, "overlays"), 0o700))
	for i, name := range []string{"kernel8.img", "config.txt", "overlays/vc4.dtbo"} {
		b.write(name, "as it was")
		must(t, b.d.AddBootFile(name, scm.DefaultBootSlot-scm.Slot(i)))
	}
	return b
}

func (b *bench) write(name, content string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.d.options.BootDir, name), []byte(content), 0o600))
}

func (b *bench) manifest(want string) {
	b.t.Helper()
	if got, err := b.other.BootManifest(); err != nil || got != want {
		b.t.Errorf("BootManifest = %q, %v; want %q", got, err, want)
	}
}

func TestManifest(t *testing.T) {
	b := bootBench(t, Options{})
	b.manifest("config.txt kernel8.img overlays/vc4.dtbo")
	if r := b.boot(); len(r.Failed) != 0 {
		t.Errorf("Boot: %+v", r)
	}
	must(t, b.other.RemoveBootFile("kernel8.img"))
	b.manifest("config.txt overlays/vc4.dtbo")
	b.want("second RemoveBootFile", b.d.RemoveBootFile("kernel8.img"), scm.ErrInput)
	b.write("config.txt", "changed")
	must(t, os.Remove(filepath.Join(b.d.options.BootDir, "overlays/vc4.dtbo")))
	want := []string{"config.txt", "overlays/vc4.dtbo"}
	if got, err := b.other.VerifyBootFiles(); err != nil || !slices.Equal(got, want) {
		t.Errorf("VerifyBootFiles = %q, %v", got, err)
	}
	if r := b.boot(); !slices.Equal(r.Failed, want) || r.LED.Code != 4 || r.LED.Sub != 2 {
		t.Errorf("Boot: %+v", r)
	}
	b.sign(nil)
	must(t, b.d.AddBootFile("config.txt", 0))
	must(t, b.d.RemoveBootFile("overlays/vc4.dtbo"))
	if r := b.boot(); len(r.Failed) != 0 {
		t.Errorf("Boot after the update: %+v", r)
	}
	b.reset().manifest("")
}

// TestBootFilesNoEd25519 signs with the default slot on an SCM that makes no Ed25519
// signatures for its host.
func TestBootFilesNoEd25519(t *testing.T) {
	b := bootBench(t, Options{Settings: Settings{Ed25519: settings.Ed25519None}})
	if r := b.boot(); len(r.Failed) != 0 {
		t.Errorf("Boot: %+v", r)
	}
	b.write("config.txt", "changed")
	if r := b.boot(); !slices.Equal(r.Failed, []string{"config.txt"}) {
		t.Errorf("Boot with a wrong file: %+v", r)
	}
}

// TestBootFilesSignerRemoved removes the key that signed a file.
func TestBootFilesSignerRemoved(t *testing.T) {
	b := bootBench(t, Options{Settings: Settings{PermanentRemovable: true}})
	must(t, b.d.Remove(scm.Key{Slot: scm.DefaultBootSlot}))
	b.want("second Remove", b.other.Remove(scm.Key{Slot: scm.DefaultBootSlot}), scm.ErrSlotEmpty)
	if r := b.boot(); !slices.Equal(r.Failed, []string{"kernel8.img"}) {
		t.Errorf("Boot: %+v", r)
	}
}

func TestBootFileErrors(t *testing.T) {
	b := bootBench(t, Options{})
	b.write("with space", "")
	for _, path := range []string{
		"", ".", "/etc/passwd", "../x", "a/../../x", "./config.txt", "with space", "tab\there", "nul\x00", "missing", "overlays",
	} {
		b.want(path, b.d.AddBootFile(path, 0), scm.ErrInput)
	}
	for _, slot := range []scm.Slot{-1, scm.FirstUser, scm.LastUser} {
		b.want("slot", b.d.AddBootFile("config.txt", slot), scm.ErrSlotRange)
	}
}

// TestWrongBootFile starts production mode with a wrong file.
func TestWrongBootFile(t *testing.T) {
	for _, test := range []struct {
		name, failure string
		policy        int
		silent        error
		code, sub     int
	}{
		{name: "default", silent: scm.ErrDestroyed, code: 5},
		{name: "hold", failure: settings.FailureHold, silent: scm.ErrAbsent, code: 4, sub: 2},
		{name: "policy none", failure: settings.FailurePolicy, policy: board.BootPolicyNone},
		{name: "policy destroy", failure: settings.FailurePolicy, policy: board.BootPolicyDestroy, silent: scm.ErrDestroyed, code: 5},
		{name: "policy hold", failure: settings.FailurePolicy, policy: board.BootPolicyHold, silent: scm.ErrAbsent, code: 4, sub: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bootBench(t, Options{Settings: Settings{BootFailure: test.failure}})
			must(t, b.d.SetBootPolicy(test.policy))
			b.lock()
			b.sign(nil)
			b.write("config.txt", "changed")
			b.boot()
			b.sign(test.silent)
			b.led(test.code, test.sub)
			b.write("config.txt", "as it was")
			b.boot()
			if test.silent != scm.ErrDestroyed {
				b.sign(nil)
			}
		})
	}
}

// TestBootProcess starts when a file cannot be read for another reason than that
// it is not there.
func TestBootProcess(t *testing.T) {
	b := bootBench(t, Options{})
	path := filepath.Join(b.d.options.BootDir, "config.txt")
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	b.boot()
	b.led(22, 9)
	_, err := b.d.VerifyBootFiles()
	b.want("VerifyBootFiles", err, scm.ErrDevice)
}
