// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

// TestUncounted: where a wrong PIN could not be counted no PIN is looked at, unless the
// whole token is for reading only.
func TestUncounted(t *testing.T) {
	for _, tt := range []struct {
		directory, records, counts os.FileMode
		want                       string
	}{
		{0o777, 0o666, 0o666, "false true false"},
		{0o777, 0o666, 0o444, "false false true"},
		{0o777, 0o444, 0o444, "true true false"},
		{0o777, 0o444, 0o666, "true true false"},
		{0o755, 0o666, 0o666, "true true false"},
	} {
		dir := processtest.PublicDir(t)
		s := open(t, dir)
		secret, err := s.Initialize("token", soPIN, store.Mate{}, store.Root{}, unprepared)
		if err == nil {
			err = s.SetCheapPIN(store.NormalUser, secret, userPIN)
		}
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		allow(t, dir, "*", 0o666)
		allow(t, dir, "token.db", tt.records)
		allow(t, dir, "token.pins", tt.counts)
		if err := os.Chmod(dir, tt.directory); err != nil {
			t.Fatal(err)
		}
		p := processtest.Start(t, "is counted", dir, processtest.Unprivileged(t))
		if got := p.Hear(); got != tt.want && os.Geteuid() == 0 {
			t.Errorf("%v: read-only, right, uncounted: %s, want %s", tt, got, tt.want)
		}
	}
}

func allow(t *testing.T, dir, pattern string, mode os.FileMode) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	for _, path := range found {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBond: a bond is of the secret and of all that is known of the device.
func TestBond(t *testing.T) {
	s, dir, secret := initialized(t)
	mate := store.Mate{Serial: "0123456789abcdef"}
	if err := s.Bind([]byte("another secret"), mate); !errors.Is(err, store.ErrSecret) {
		t.Errorf("with another secret: %v, want ErrSecret", err)
	}
	if err := s.Bind(secret, mate); err != nil {
		t.Fatal(err)
	}
	p, err := open(t, dir).Pairing()
	if err != nil || !p.Initialized || p.Mate != mate || string(p.Bond) != string(store.Bond(secret, mate)) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, other := range [][]byte{
		store.Bond(secret, store.Mate{Serial: mate.Serial, Open: true}),
		store.Bond(secret, store.Mate{Serial: "another"}),
		store.Bond([]byte("another secret"), mate),
	} {
		if string(other) == string(p.Bond) {
			t.Error("two bonds are the same")
		}
	}
	if _, err := s.Initialize("again", soPIN, store.Mate{Serial: "another"}, store.Root{}, func(_, bond []byte) error {
		p.Bond = bond
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Pairing(); err != nil || now.Mate.Serial != "another" || string(now.Bond) != string(p.Bond) {
		t.Errorf("after Initialize: %+v, %v", now, err)
	}
}
