// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/doctor"
)

const aboutDoctor = `Look at how the module is set up here, and tell what is wrong: what it is, why it
matters, and the command that mends it. It makes no directory and no file, and asks
for no PIN.

With --fix it does what is safe: permissions, groups and owners of the state
directory and its files, links that lead nowhere.

The exit status is 0 without a finding, 1 with warnings, and 2 when something stops
the module or those who use it.`

// doctorTool has the command.
type doctorTool struct {
	output
	examination
	fix bool
}

func newDoctorCommand() *cobra.Command {
	d := &doctorTool{}
	c := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong with the set-up, and tell what mends it", Long: aboutDoctor, Args: cobra.NoArgs,
		Example: "  zk_pkcs11-util doctor\n  zk_pkcs11-util doctor --fix\n  zk_pkcs11-util doctor --pid \"$(pgrep --oldest nginx)\"",
		RunE:    d.run,
	}
	d.addJSON(c)
	d.tokenName.addTo(c.Flags(), "token")
	c.Flags().BoolVar(&d.fix, "fix", false, "mend what can be mended safely")
	c.Flags().IntVar(&d.process, "pid", 0, "look at the limits and rights of the process with this `ID`, not at those of the tool")
	return c
}

// doctorResult is what "doctor --json" prints.
type doctorResult struct {
	doctor.Report
	Mended []doctor.Mended `json:"mended"`
	Status int             `json:"status"` // of the exit
}

func (d *doctorTool) run(c *cobra.Command, _ []string) error {
	report, err := d.examine()
	if err != nil {
		return err
	}
	r := doctorResult{Report: report, Mended: []doctor.Mended{}}
	if d.fix {
		r.Mended = r.Mend()
		if r.Report, err = d.examine(); err != nil {
			return err
		}
	}
	r.Status, d.out = r.Worst(), c.OutOrStdout()
	if err := d.print("doctor/1", r, r.printText); err != nil || r.Status == 0 {
		return err
	}
	return silently(r.Status)
}

// screenWidth is that of the pages of this project, which show what is printed.
const screenWidth = 80

func (r doctorResult) printText(w io.Writer) {
	width := r.factWidth()
	for _, f := range r.Facts {
		printWrapped(w, fmt.Sprintf("%-*s", width, f.Name), f.Value)
	}
	for _, m := range r.Mended {
		if m.Problem == "" {
			printWrapped(w, "\nmended: ", m.Name+": "+m.What)
		} else {
			printWrapped(w, "\nnot mended: ", m.Name+": "+m.Problem)
		}
	}
	for _, f := range r.Findings {
		printFinding(w, f)
	}
	fmt.Fprintf(w, "\n%s\n", r.verdict())
}

// factColumn is the column of names where none of them is of one slot among several.
const factColumn = 12

// factWidth is the width of a column that has room for every name, and a space after it.
func (r doctorResult) factWidth() int {
	width := factColumn
	for _, f := range r.Facts {
		width = max(width, len(f.Name)+1)
	}
	return width
}

func printFinding(w io.Writer, f doctor.Finding) {
	place := ""
	if f.Slot != nil {
		place = fmt.Sprintf(" (slot %d)", *f.Slot)
	}
	fmt.Fprintf(w, "\n%s: %s%s\n", strings.ToUpper(string(f.Level)), f.Name, place)
	printWrapped(w, "  what  ", f.What)
	printWrapped(w, "  why   ", f.Why)
	fmt.Fprintf(w, "  do    %s\n", f.Command) // in one line, to be copied
}

// verdict is the last line.
func (r doctorResult) verdict() string {
	n := map[doctor.Level]int{}
	safe := 0
	for _, f := range r.Findings {
		n[f.Level]++
		if f.Safe {
			safe++
		}
	}
	text := fmt.Sprintf("%s, %s", count(n[doctor.Error], "error"), count(n[doctor.Warning], "warning"))
	if r.Status == 0 {
		text = "Nothing is wrong"
	}
	if safe > 0 {
		text += fmt.Sprintf("; --fix mends %d", safe)
	}
	return text
}

// printWrapped prints text behind a name, and what does not fit below it.
func printWrapped(w io.Writer, name, text string) {
	indent := strings.Repeat(" ", len(strings.TrimLeft(name, "\n")))
	column := len(indent)
	fmt.Fprint(w, name)
	for i, word := range strings.Fields(text) {
		if i > 0 && column+1+len(word) > screenWidth {
			fmt.Fprintf(w, "\n%s", indent)
			column = len(indent)
		} else if i > 0 {
			fmt.Fprint(w, " ")
			column++
		}
		fmt.Fprint(w, word)
		column += len(word)
	}
	fmt.Fprintln(w)
}
