// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// step is a block of commands on a page ("sh"), and what the page says that they
// print (the "text" block right after it).
type step struct {
	line     int // of the page, where the block begins
	commands string
	output   []string
}

// steps reads a page.
func steps(page string) []step {
	var found []step
	var fence string // language of the block that we are in
	inside := false
	for i, line := range strings.Split(page, "\n") {
		language, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && inside:
			inside = false
		case isFence:
			fence, inside = language, true
			if fence == "sh" {
				found = append(found, step{line: i + 1})
			}
		case inside && fence == "sh":
			found[len(found)-1].commands += line + "\n"
		case inside && fence == "text":
			s := &found[len(found)-1]
			s.output = append(s.output, line)
		}
	}
	return found
}

// goCode returns the first Go program of a page.
func goCode(page string) string {
	_, after, _ := strings.Cut(page, "```go\n")
	code, _, _ := strings.Cut(after, "```\n")
	return code
}

const mark = "@@ line "

// script makes one program of the steps, because later ones use variables and
// files of earlier ones.
func script(steps []step) string {
	var b strings.Builder
	b.WriteString("set -eu\n")
	for _, s := range steps {
		fmt.Fprintf(&b, "echo '%s%d'\n%s", mark, s.line, s.commands)
	}
	b.WriteString("echo '" + mark + "end'\n")
	return b.String()
}

// printed returns what a step printed.
func (s step) printed(all string) string {
	_, after, _ := strings.Cut(all, fmt.Sprintf("%s%d\n", mark, s.line))
	mine, _, _ := strings.Cut(after, mark)
	return mine
}

// missing returns the first line of the page's output that is not in out, where
// the lines have to come in the same order. It reports whether there is one. "..." stands for any text.
func (s step) missing(out string) (line string, missing bool) {
	for _, line := range s.output {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, ".*")
		at := regexp.MustCompile(pattern).FindStringIndex(out)
		if at == nil {
			return line, true
		}
		out = out[at[1]:]
	}
	return "", false
}

func TestSteps(t *testing.T) {
	t.Parallel()
	page := "# A\n```sh\none\ntwo\n```\n```text\nout\n```\ntext\n```ini\nno=1\n```\n```sh\nthree\n```\n"
	want := []step{{2, "one\ntwo\n", []string{"out"}}, {13, "three\n", nil}}
	if got := steps(page); !reflect.DeepEqual(got, want) {
		t.Errorf("steps: %+v, want %+v", got, want)
	}
	all := "@@ line 2\n1\n2\n@@ line 13\n3\n@@ line end\n"
	for i, printed := range []string{"1\n2\n", "3\n"} {
		if got := want[i].printed(all); got != printed {
			t.Errorf("step %d printed %q, want %q", i, got, printed)
		}
	}
}

func TestMissingOutput(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		output []string
		out    string
		want   string
	}{
		{nil, "anything", ""},
		{[]string{"b", "d"}, "a\nb\nc\nd\n", ""},
		{[]string{"d", "b"}, "a\nb\nc\nd\n", "b"},
		{[]string{"a...c"}, "a b c\n", ""},
		{[]string{"a...c"}, "a\nc\n", "a...c"},
		{[]string{"a.c"}, "abc\n", "a.c"},
		{[]string{"b", "b"}, "b\n", "b"},
	} {
		got, missing := step{output: test.output}.missing(test.out)
		if got != test.want || missing != (test.want != "") {
			t.Errorf("%q in %q: %q is missing (%v), want %q", test.output, test.out, got, missing, test.want)
		}
	}
}
