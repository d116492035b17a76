// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errRepeated is an option that is given a second time.
var errRepeated = errors.New("given more than once")

// singleValue is the value of an option that takes one. Of two of them the last would win without a word, and
// a key would be deleted that nobody has looked at.
type singleValue struct {
	pflag.Value
	isGiven bool
}

// Set takes the value of a command line, once.
func (v *singleValue) Set(text string) error {
	if v.isGiven {
		return errRepeated
	}
	v.isGiven = true
	return v.Value.Set(text)
}

// refuseRepeated has the options of a command and of those below it be given once, but for lists, and for
// options without a value, which say the same again.
func refuseRepeated(c *cobra.Command) {
	for _, below := range c.Commands() {
		refuseRepeated(below)
	}
	c.Flags().VisitAll(makeSingle)
	c.PersistentFlags().VisitAll(makeSingle)
}

func makeSingle(f *pflag.Flag) {
	_, isList := f.Value.(pflag.SliceValue)
	_, isSingle := f.Value.(*singleValue)
	if isList || isSingle || f.NoOptDefVal != "" {
		return
	}
	f.Value = &singleValue{Value: f.Value}
}
