// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// value is the text of a setting, and the directory to which a relative path in
// it refers: that of the file, or "" for the working directory.
type value struct{ text, base string }

func (v value) word(to *string) error {
	if v.text == "" {
		return fmt.Errorf("is empty")
	}
	if strings.ContainsRune(v.text, 0) {
		return fmt.Errorf("contains a NUL")
	}
	*to = v.text
	return nil
}

func (v value) path(to *string) error {
	err := v.word(to)
	if err == nil {
		*to = absolute(v.base, v.text)
	}
	return err
}

func (v value) oneOf(to *string, words ...string) error {
	for _, w := range words {
		if v.text == w {
			*to = w
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s", v.text, strings.Join(words, ", "))
}

// duration takes a Go duration ("2m30s") or a number of seconds.
func (v value) duration(to *time.Duration) error {
	d, err := time.ParseDuration(v.text)
	if seconds, notNumber := strconv.ParseUint(v.text, 10, 31); notNumber == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < 0 {
		return fmt.Errorf(`%q is not a duration such as "150s"`, v.text)
	}
	*to = d
	return nil
}

// number takes a whole number from least to most.
func (v value) number(to *int, least, most int) error {
	n, err := strconv.Atoi(v.text)
	if err != nil || n < least || n > most {
		return fmt.Errorf("%q is not a number from %d to %d", v.text, least, most)
	}
	*to = n
	return nil
}

func (v value) decimal(to *float32) error {
	f, err := strconv.ParseFloat(v.text, 32)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%q is not a number", v.text)
	}
	*to = float32(f)
	return nil
}

func (v value) truth(to *bool) error {
	var word string
	err := v.oneOf(&word, "true", "false")
	*to = word == "true"
	return err
}
