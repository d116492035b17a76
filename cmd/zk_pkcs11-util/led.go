// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm/soft/board"
)

// ledCode is a fatal code of the LED.
type ledCode struct {
	Code    int    `json:"code"`
	Sub     int    `json:"sub,omitempty"` // 0 = none
	Meaning string `json:"meaning"`
}

func (c ledCode) String() string {
	if c.Sub == 0 {
		return strconv.Itoa(c.Code)
	}
	return fmt.Sprintf("%d-%d", c.Code, c.Sub)
}

// So many flashes in a row are the most that codes have.
const (
	mostFlashes = 30
	mostSub     = 9
)

// ledCodes lists the codes that there are.
func ledCodes() (all []ledCode) {
	for code := range mostFlashes + 1 {
		for sub := range mostSub + 1 {
			if m, ok := board.LEDMeaning(code, sub); ok {
				all = append(all, ledCode{code, sub, m})
			}
		}
	}
	return all
}

func (x *scmTool) ledCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "led CODE [SUB]",
		Short: "Tell what a fatal code of the LED means",
		Long: `Tell what a fatal code of the LED means.

The LED tells it three times: ten very quick flashes, a pause, CODE flashes of
half a second, and perhaps another pause and SUB flashes.`,
		Example: "  zk_pkcs11-util scm led 4 2\n  zk_pkcs11-util scm led 4-2",
		Args:    cobra.RangeArgs(1, 2),
		RunE:    x.explainCodes,
	}
}

func (x *scmTool) explainCodes(_ *cobra.Command, args []string) error {
	found, err := findCodes(args)
	if err != nil {
		return err
	}
	return x.printResult(found, found.printText)
}

// codeList is what "scm led" tells.
type codeList []ledCode

func (l codeList) printText(w io.Writer) {
	for _, c := range l {
		fmt.Fprintf(w, "%s: %s\n", c, c.Meaning)
	}
}

// findCodes finds the codes that the arguments of "led" mean: CODE alone is all
// that begin so.
func findCodes(args []string) (codeList, error) {
	wanted := strings.Join(args, "-")
	var names []string
	var found codeList
	for _, c := range ledCodes() {
		names = append(names, c.String())
		if c.String() == wanted || strconv.Itoa(c.Code) == wanted {
			found = append(found, c)
		}
	}
	if found == nil {
		return nil, usagef("the LED has no fatal code %s; the codes are %s", wanted, strings.Join(names, ", "))
	}
	return found, nil
}
