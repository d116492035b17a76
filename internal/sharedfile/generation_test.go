// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sharedfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/descriptor"
)

// TestCounterOfManyChanges: a thread that is preempted between two words does not take the
// counter for one that was put back.
func TestCounterOfManyChanges(t *testing.T) {
	const changes = 200000
	w := &words{}
	writer, reader := &generation{words: w, writable: true}, &generation{words: w}
	ended := make(chan error)
	go func() {
		for range changes {
			if _, err := writer.tellChange(1); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
		if reader.readPart(1); reader.cut.Load() {
			t.Error("the counter was taken for another one")
			<-ended
			return
		}
	}
}

// TestCounterThatFaults stands for a file that was cut and for a disk that is full. The
// race detector looks at memory in C, where a fault ends the process.
func TestCounterThatFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gen")
	dir, err := descriptor.OpenDirectory(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	g, err := openGeneration(dir, "gen", Options{Mode: 0o600, Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	before, err := g.tellChange(3)
	if err != nil || before != g.version() || before != g.readPart(3).part || g.readPart(2).part == before {
		t.Fatalf("told %d, %v; version %d, parts %d and %d", before, err, g.version(), g.readPart(3).part, g.readPart(2).part)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if v := g.version(); v == before {
		t.Errorf("version is still %d", v)
	}
	if err := g.beginChange(); !errors.Is(err, errCut) {
		t.Errorf("begin: %v", err)
	}
	if _, err := g.tellChange(allParts); !errors.Is(err, errCut) {
		t.Errorf("tell: %v", err)
	}
	if v := g.readPart(3).part; v == before || g.unsettled() || g.isAskedFor() {
		t.Errorf("part has version %d, unsettled %v, asked %v", v, g.unsettled(), g.isAskedFor())
	}
}
