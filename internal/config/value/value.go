// SPDX-License-Identifier: Apache-2.0

// Package value turns the text of a setting into what the setting is, as package flag
// does for the options of a command. A table of settings lists the variables, and no
// function for each.
package value

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value is the variable behind a setting.
type Value interface {
	// Set reads text into the variable. A relative path in it refers to the directory
	// base, or where that is "" to the working directory.
	Set(text, base string) error
	// Text is what Set would read, "" for the zero value.
	Text() string
}

// Word is any text but the empty one.
func Word(to *string) Value { return word{to} }

// Path is the path of a file, which is made absolute.
func Path(to *string) Value { return path{to} }

// OneOf is one of some words.
func OneOf(to *string, words ...string) Value { return oneOf{to, words} }

// Duration is a Go duration ("2m30s") or a number of seconds.
func Duration(to *time.Duration) Value { return duration{to} }

// Number is a whole number from least to most.
func Number(to *int, least, most int) Value { return number{to, least, most} }

// Decimal is a number with a fraction.
func Decimal(to *float32) Value { return decimal{to} }

// Truth is true or false.
func Truth(to *bool) Value { return truth{to} }

// Absolute returns path as an absolute one, which it is below base if it is relative.
func Absolute(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	if base != "" {
		return filepath.Join(base, path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

type word struct{ to *string }

func (v word) Text() string { return *v.to }

func (v word) Set(text, _ string) error {
	if text == "" {
		return errors.New("is empty")
	}
	if strings.ContainsRune(text, 0) {
		return errors.New("contains a NUL")
	}
	*v.to = text
	return nil
}

type path struct{ to *string }

func (v path) Text() string { return *v.to }

func (v path) Set(text, base string) error {
	err := word(v).Set(text, base)
	if err == nil {
		*v.to = Absolute(base, text)
	}
	return err
}

type oneOf struct {
	to    *string
	words []string
}

func (v oneOf) Text() string { return *v.to }

func (v oneOf) Set(text, _ string) error {
	if err := CheckWord(text, v.words...); err != nil {
		return err
	}
	*v.to = text
	return nil
}

// CheckWord returns an error unless text is one of the words.
func CheckWord(text string, words ...string) error {
	if !slices.Contains(words, text) {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
	return nil
}

type duration struct{ to *time.Duration }

func (v duration) Text() string {
	if *v.to == 0 {
		return ""
	}
	return v.to.String()
}

func (v duration) Set(text, _ string) error {
	d, err := time.ParseDuration(text)
	if seconds, notNumber := strconv.ParseUint(text, 10, 31); notNumber == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < 0 {
		return fmt.Errorf(`%q is not a duration such as "150s"`, text)
	}
	*v.to = d
	return nil
}

type number struct {
	to          *int
	least, most int
}

func (v number) Text() string {
	if *v.to == 0 {
		return ""
	}
	return strconv.Itoa(*v.to)
}

func (v number) Set(text, _ string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < v.least || n > v.most {
		return fmt.Errorf("%q is not a number from %d to %d", text, v.least, v.most)
	}
	*v.to = n
	return nil
}

type decimal struct{ to *float32 }

func (v decimal) Text() string {
	if *v.to == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*v.to), 'g', -1, 32)
}

func (v decimal) Set(text, _ string) error {
	f, err := strconv.ParseFloat(text, 32)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%q is not a number", text)
	}
	*v.to = float32(f)
	return nil
}

type truth struct{ to *bool }

func (v truth) Text() string {
	if !*v.to {
		return ""
	}
	return "true"
}

func (v truth) Set(text, _ string) error {
	err := CheckWord(text, "true", "false")
	*v.to = text == "true"
	return err
}
