// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var update = flag.Bool("update", false, "draw docs/capacity.svg anew")

// TestPicture: the picture of the page is what the program draws, with a name and points for each line.
func TestPicture(t *testing.T) {
	path := filepath.Join(harness.Root(t), "docs/capacity.svg")
	drawn := filepath.Join(t.TempDir(), "drawn.svg")
	if err := answer([]string{"-svg", drawn}, io.Discard); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(drawn)
	if err != nil {
		t.Fatal(err)
	}
	checkPicture(t, want)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != string(want) {
		t.Errorf("docs/capacity.svg is not what is drawn (%v); run go test ./tests/bench/capacity -run Picture -update", err)
	}
}

// checkPicture reads a picture as browsers do, and counts its lines.
func checkPicture(t *testing.T, picture []byte) {
	t.Helper()
	lines := 0
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, is := token.(xml.StartElement); is && e.Name.Local == "polyline" {
			lines++
		}
	}
	if want := 3 + len(pools()) + 3 + 3; lines != want {
		t.Errorf("%d lines are drawn, not %d", lines, want)
	}
}

// TestReport: the same question has the same answer each time.
func TestReport(t *testing.T) {
	const want = `4 hosts, 2 SCMs, 50 % of the handshakes resumed
at most      198.4 handshakes a second, 99.2 of them with a signature
at 150.0/s     p50 22ms, p99 112ms
an SCM away for 10s: 3236 handshakes late, 0 of them lost to clients that wait for 5s; the slowest takes 4.73s
             over 21.6s after it went
`
	var b strings.Builder
	words := "--hosts 4 --scms=2 --pool 2 --resumption 0.5 --rate 150 --device 20ms --module 100us --link 400us --full 1ms --brief 500us --client 500us"
	if err := answer(strings.Fields(words), &b); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("\n%s", b.String())
	}
}

// TestMistakes: what cannot be answered is refused.
func TestMistakes(t *testing.T) {
	for _, words := range [][]string{
		{"--hosts", "0"}, {"--scms", "3", "--pool", "2"}, {"--resumption", "2"}, {"--device", "20"}, {"--rate", "1000"}, {"--rate", "-1"}, {"more"},
	} {
		if err := answer(words, io.Discard); err == nil {
			t.Errorf("%q is accepted", words)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.01: "0.01", 10: "10", 1000: "1,000", 12034: "12,034", 1e7: "10,000,000"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s", v, got)
		}
	}
}
