// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

// TestDenied: a user who is refused the state directory is told of its owner and its group, and of nothing else
// where another file is refused.
func TestDenied(t *testing.T) {
	state := filepath.Join(t.TempDir(), "above", "state")
	t.Setenv("ZK_PKCS11_HOME", state)
	t.Setenv("ZK_PKCS11_CONF", "")
	t.Setenv("ZK_PKCS11_BACKEND", "soft")
	for path, isState := range map[string]bool{
		state: true, filepath.Join(state, "token.db"): true, filepath.Dir(state): true, "": true,
		"/etc/x.pem": false, state + ".pem": false, filepath.Join(filepath.Dir(state), "other"): false,
	} {
		err := error(fs.ErrPermission)
		if path != "" {
			err = fmt.Errorf("in vain: %w", &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES})
		}
		text := explain(err)
		if strings.Contains(text, "state_group") != isState || strings.Contains(text, "name another one") == isState {
			t.Errorf("%q: %s", path, text)
		}
	}
	renamed := explain(&os.LinkError{Op: "rename", Old: filepath.Join(state, "x"), New: "/etc/x.pem", Err: syscall.EACCES})
	result := explain(notWritten("--out", &fs.PathError{Op: "open", Path: filepath.Join(state, "x"), Err: syscall.EACCES}))
	for _, unwritten := range []error{pkcs11.CKR_TOKEN_WRITE_PROTECTED, scm.ErrReadOnly, store.ErrReadOnly} {
		if text := explain(unwritten); !strings.Contains(text, "owner of that directory") {
			t.Errorf("%v: %s", unwritten, text)
		}
	}
	backup := explain(fmt.Errorf("x: %w", &nameless{&fs.PathError{Op: "open", Path: "/root/x", Err: syscall.EACCES}}))
	if strings.Contains(backup, "open") || !strings.HasPrefix(backup, "x: permission denied") {
		t.Error(backup)
	}
	for _, text := range []string{renamed, result, backup} {
		if strings.Contains(text, "state_group") {
			t.Error(text)
		}
	}
}
