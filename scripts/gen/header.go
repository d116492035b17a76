// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// cconst is a constant that a header defines.
type cconst struct {
	name  string
	alias string // the constant that this is another name of, or ""
	value constant.Value
}

// allOnes reports whether the value is ~0UL, whose bits depend on the machine.
func (c cconst) allOnes() bool { return constant.Sign(c.value) < 0 }

// header holds the constants read so far, in their order.
type header struct {
	constants []cconst
	values    map[string]constant.Value
}

func newHeader() *header { return &header{values: map[string]constant.Value{}} }

var (
	// A macro with parameters has its parenthesis right behind the name.
	define  = regexp.MustCompile(`^\s*#\s*define\s+(CK[A-Z]?_\w+|CRYPTOKI_\w+)\s+(\S.*)$`)
	comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	suffix  = regexp.MustCompile(`(?i)\b(0x[0-9a-f]+|[0-9]+)(ul|lu|u|l)\b`)
)

// read adds the constants of a header. Its error begins with the line.
func (h *header) read(text string) error {
	number := 1
	for _, line := range logicalLines(text) {
		if m := define.FindStringSubmatch(line.text); m != nil {
			if err := h.add(m[1], m[2]); err != nil {
				return fmt.Errorf("%d: %s: %w", number, m[1], err)
			}
		}
		number += line.height
	}
	return nil
}

// logical is what the C preprocessor takes for one line.
type logical struct {
	text   string
	height int // how many lines of the file it has
}

// logicalLines takes comments away and joins lines that a backslash continues.
func logicalLines(text string) []logical {
	const continued = "\x00"
	text = comment.ReplaceAllStringFunc(text, func(c string) string {
		return " " + strings.Repeat(continued, strings.Count(c, "\n"))
	})
	text = strings.ReplaceAll(text, "\\\n", continued)
	var lines []logical
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, logical{
			text:   strings.ReplaceAll(line, continued, " "),
			height: 1 + strings.Count(line, continued),
		})
	}
	return lines
}

func (h *header) add(name, text string) error {
	if _, twice := h.values[name]; twice {
		return fmt.Errorf("defined twice")
	}
	// Go writes the complement as ^, and its constants have no suffix.
	goText := strings.ReplaceAll(suffix.ReplaceAllString(strings.TrimSpace(text), "$1"), "~", "^")
	expr, err := parser.ParseExpr(goText)
	if err != nil {
		return fmt.Errorf("not a constant: %q", text)
	}
	value, err := h.eval(expr)
	if err != nil {
		return err
	}
	c := cconst{name: name, value: value}
	if id, ok := expr.(*ast.Ident); ok {
		c.alias = id.Name
	}
	h.values[name] = value
	h.constants = append(h.constants, c)
	return nil
}

// eval computes an expression of numbers and of constants defined before.
func (h *header) eval(expr ast.Expr) (constant.Value, error) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		return number(e)
	case *ast.Ident:
		if v, ok := h.values[e.Name]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s is not defined before", e.Name)
	case *ast.ParenExpr:
		return h.eval(e.X)
	case *ast.UnaryExpr:
		return h.unary(e)
	case *ast.BinaryExpr:
		return h.binary(e)
	}
	return nil, fmt.Errorf("an expression of kind %T", expr)
}

func number(lit *ast.BasicLit) (constant.Value, error) {
	if lit.Kind != token.INT {
		return nil, fmt.Errorf("%s is not an integer", lit.Value)
	}
	return constant.MakeFromLiteral(lit.Value, token.INT, 0), nil
}

func (h *header) unary(e *ast.UnaryExpr) (constant.Value, error) {
	x, err := h.eval(e.X)
	if err != nil {
		return nil, err
	}
	if e.Op != token.XOR || constant.Sign(x) != 0 {
		return nil, fmt.Errorf("only ~0UL may use an operator in front")
	}
	return constant.UnaryOp(token.XOR, x, 0), nil
}

func (h *header) binary(e *ast.BinaryExpr) (constant.Value, error) {
	x, err := h.eval(e.X)
	if err != nil {
		return nil, err
	}
	y, err := h.eval(e.Y)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case token.ADD, token.OR:
		return constant.BinaryOp(x, e.Op, y), nil
	case token.SHL:
		bits, _ := constant.Uint64Val(y)
		return constant.Shift(x, token.SHL, uint(bits)), nil
	}
	return nil, fmt.Errorf("operator %s", e.Op)
}
