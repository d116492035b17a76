// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestRepeatedOptions: each option with a value is taken once, in all commands; lists go on.
func TestRepeatedOptions(t *testing.T) {
	options, lists := map[*pflag.Flag]bool{}, 0
	collectOptions(newCommand(), options)
	for f := range options {
		_, isList := f.Value.(pflag.SliceValue)
		if f.NoOptDefVal != "" {
			continue
		}
		value := map[string]string{"string": "x", "duration": "1s"}[f.Value.Type()]
		first, second := f.Value.Set(orElse(value, "1")), f.Value.Set(orElse(value, "1"))
		if first != nil || errors.Is(second, errRepeated) == isList {
			t.Errorf("--%s: %v, and then %v", f.Name, first, second)
		}
		if isList {
			lists++
		}
	}
	if lists == 0 || len(options) < 50 {
		t.Errorf("%d options, %d of them lists", len(options), lists)
	}
}

func collectOptions(c *cobra.Command, found map[*pflag.Flag]bool) {
	for _, below := range c.Commands() {
		collectOptions(below, found)
	}
	add := func(f *pflag.Flag) { found[f] = true }
	c.Flags().VisitAll(add)
	c.PersistentFlags().VisitAll(add)
}
