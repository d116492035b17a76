// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// The test program is no client, so that "auto" finds nothing in it. Real
// clients meet the quirks in tests/.
func TestQuirks(t *testing.T) {
	tests := []struct {
		name  string
		names []string
		want  pkcs11.Quirks
	}{
		{"none", nil, pkcs11.Quirks{}},
		{"auto", []string{config.QuirksAuto}, pkcs11.Quirks{}},
		{"libp11", []string{config.QuirkLibp11}, pkcs11.Quirks{HideOtherKeyTypes: true}},
		{"crypto11", []string{config.QuirkCrypto11}, pkcs11.Quirks{HideOtherKeyTypes: true}},
		{"openssh", []string{config.QuirkOpenSSH}, pkcs11.Quirks{HideUnknownCurves: true}},
		{"haproxy", []string{config.QuirkHaproxy}, pkcs11.Quirks{}},
		{"both", []string{config.QuirkOpenSSH, config.QuirkLibp11}, pkcs11.Quirks{HideOtherKeyTypes: true, HideUnknownCurves: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "log")
			q := newQuirks(tt.names, trace.NewLogger(trace.Info, file))
			q.readyChildren()
			for range 2 {
				if got := q.detect(); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
			}
			text, _ := os.ReadFile(file) // there is none where nothing was logged
			for _, name := range tt.names {
				if want := name != config.QuirksAuto; strings.Contains(string(text), "quirk "+name+":") != want {
					t.Errorf("%s: log is %q", name, text)
				}
			}
		})
	}
}
