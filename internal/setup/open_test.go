// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/zymbit"
)

// lines takes what is logged.
type lines struct{ warnings []string }

func (l *lines) Errorf(string, ...any) {}
func (l *lines) Infof(string, ...any)  {}
func (l *lines) Warningf(format string, args ...any) {
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

func TestWarnOfOthers(t *testing.T) {
	tests := []struct {
		mode   fs.FileMode
		group  int
		warned bool
	}{
		{0o700, -1, false},
		{0o755, -1, false},
		{0o770, -1, true},
		{0o770, 7, false},
		{0o777, 7, true},
		{0o777, -1, true},
	}
	for _, tt := range tests {
		dir, log := t.TempDir(), &lines{}
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		o := opener{slot: config.Slot{State: dir}, log: log}
		o.warnOfOthers(access{group: tt.group})
		if (len(log.warnings) == 1) != tt.warned {
			t.Errorf("%v, group %d: %q", tt.mode, tt.group, log.warnings)
		}
		if tt.warned && !strings.Contains(log.warnings[0], dir) {
			t.Errorf("the line does not name the directory: %s", log.warnings[0])
		}
	}
}

// A user without a home has no device; a directory that somebody set is an
// error if it cannot be used.
func TestNotMine(t *testing.T) {
	denied := fmt.Errorf("state directory: %w", fs.ErrPermission)
	byDefault := opener{settings: config.Config{State: "/x", Source: config.Source{State: "/x"}}}
	bySetting := opener{settings: config.Config{State: "/y", Source: config.Source{State: "/x"}}}
	if err := byDefault.notMine(denied); !errors.Is(err, scm.ErrAbsent) || !errors.Is(err, ErrNoPlace) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("by default: %v", err)
	}
	if err := bySetting.notMine(denied); errors.Is(err, scm.ErrAbsent) {
		t.Errorf("by setting: %v", err)
	}
	if err := byDefault.notMine(fs.ErrInvalid); errors.Is(err, scm.ErrAbsent) {
		t.Errorf("another error: %v", err)
	}
}

// A token that was one of hardware stays one when the vendor's library is gone.
func TestAutoStaysWithHardware(t *testing.T) {
	dir := t.TempDir()
	o := opener{
		settings: config.Config{Zymbit: config.Zymbit{Library: filepath.Join(dir, "none.so")}},
		slot:     config.Slot{State: dir, Backend: config.BackendAuto},
	}
	if o.hardware() {
		t.Fatal("hardware without a library and without a token")
	}
	if err := os.WriteFile(filepath.Join(dir, "zymbit.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !o.hardware() {
		t.Error("the token of an SCM became one of software")
	}
}

// The settings of the hardware get to its driver.
func TestHardwareOptions(t *testing.T) {
	dir := t.TempDir()
	text := `state = "` + dir + `"
[zymbit]
library = "libother.so"
key_store = "wallet"
refresh = "7s"
foreign_25519 = "x25519"
passphrase_base64 = true
`
	c, err := config.Source{File: "/f", Text: text}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	got := opener{settings: c, slot: c.Slots[0]}.hardwareOptions(access{file: 0o600, group: -1})
	want := zymbit.Options{
		Library: "libother.so", KeyStore: zymbit.KeyStoreWallet, Refresh: 7 * time.Second,
		Foreign25519: zymbit.Foreign25519X25519, PassphraseBase64: true,
		State: dir, Mode: 0o600, Group: -1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
