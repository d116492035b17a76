// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
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
		group  string
		warned bool
	}{
		{0o700, "", false},
		{0o755, "", false},
		{0o770, "", true},
		{0o770, "ssl-cert", false},
		{0o777, "ssl-cert", true},
		{0o777, "", true},
	}
	for _, tt := range tests {
		dir, log := t.TempDir(), &lines{}
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		o := opener{settings: config.Config{StateGroup: tt.group}, slot: config.Slot{State: dir}, log: log}
		o.warnOfOthers()
		if (len(log.warnings) == 1) != tt.warned {
			t.Errorf("%v, group %q: %q", tt.mode, tt.group, log.warnings)
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
	if err := byDefault.notMine(denied); !errors.Is(err, scm.ErrAbsent) || !errors.Is(err, fs.ErrPermission) {
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
