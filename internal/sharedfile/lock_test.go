// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/sharedfile"
)

type take func(*sharedfile.Lock, time.Duration) (func(), error)

func TestLockExcludes(t *testing.T) {
	exclusive, shared := (*sharedfile.Lock).Exclusive, (*sharedfile.Lock).Shared
	for _, test := range []struct {
		name         string
		first, other take
		want         error
	}{
		{"readers share", shared, shared, nil},
		{"a reader keeps writers out", shared, exclusive, sharedfile.ErrBusy},
		{"a writer keeps readers out", exclusive, shared, sharedfile.ErrBusy},
		{"a writer keeps writers out", exclusive, exclusive, sharedfile.ErrBusy},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			release, err := test.first(openLock(t, path), 0)
			if err != nil {
				t.Fatal(err)
			}
			other := openLock(t, path)
			if got, err := test.other(other, time.Millisecond); !errors.Is(err, test.want) {
				t.Errorf("while the first has it: %v, want %v", err, test.want)
			} else if err == nil {
				got()
			}
			release()
			if got, err := test.other(other, 0); err != nil {
				t.Errorf("after its release: %v", err)
			} else {
				got()
			}
		})
	}
}

func TestNilLock(t *testing.T) {
	var l *sharedfile.Lock
	release, err := l.Exclusive(0)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func openLock(t *testing.T, path string) *sharedfile.Lock {
	t.Helper()
	l, err := sharedfile.OpenLock(path, "", sharedfile.Options{Mode: 0o600, Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
