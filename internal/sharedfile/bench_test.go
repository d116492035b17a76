// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"path/filepath"
	"testing"
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

func BenchmarkUpdate(b *testing.B) {
	f := open(b, filepath.Join(b.TempDir(), "f"))
	for b.Loop() {
		mustIncrement(b, f)
	}
}
