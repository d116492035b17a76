// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

func BenchmarkVersion(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	for b.Loop() {
		f.Version()
	}
}

func BenchmarkView(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	for b.Loop() {
		mustCount(b, f)
	}
}

// BenchmarkViewBesideAWriter has another File write all the time.
func BenchmarkViewBesideAWriter(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	f, g := open(b, path), open(b, path)
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			default:
				_ = g.Update(increment)
			}
		}
	}()
	for b.Loop() {
		mustCount(b, f)
	}
	close(ended)
	<-done
}

// BenchmarkUpdate is what a commit costs that changes one page.
func BenchmarkUpdate(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	for b.Loop() {
		mustIncrement(b, f)
	}
}

// BenchmarkUpdateOfManyPages is one that lets the file grow.
func BenchmarkUpdateOfManyPages(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	mustUpdate(b, f, "CREATE TABLE big (b BLOB)")
	for b.Loop() {
		mustUpdate(b, f, "INSERT INTO big VALUES (randomblob(20000))")
	}
}

// BenchmarkDeleteForGood is an Update with Purge.
func BenchmarkDeleteForGood(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	mustUpdate(b, f, "CREATE TABLE big (b BLOB)")
	for b.Loop() {
		mustUpdate(b, f, "INSERT INTO big VALUES (randomblob(2000))")
		mustUpdate(b, f, "DELETE FROM big")
		if err := f.Purge(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a file beside another user, and reads once.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	mustIncrement(b, open(b, path))
	for b.Loop() {
		f, err := sharedfile.Open(path, options())
		if err != nil {
			b.Fatal(err)
		}
		mustCount(b, f)
		f.Close()
	}
}
