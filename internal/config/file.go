// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// readFile applies the text of s and returns the line of each [[slot]].
func (c *Config) readFile(s Source) (slotLines []int, err error) {
	var tree map[string]any
	meta, err := toml.Decode(s.Text, &tree)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, atLine(s.File, syntax.Position.Line, errors.New(syntax.Message))
	}
	if err != nil {
		return nil, atLine(s.File, 1, err)
	}
	r := reader{config: c, base: filepath.Dir(s.File), tree: tree}
	find := finder{lines: strings.Split(s.Text, "\n")}
	for _, key := range meta.Keys() {
		line := find.nextLine(key[len(key)-1])
		if err := r.readKey(key); err != nil {
			return nil, atLine(s.File, line, fmt.Errorf("%s: %w", key, err))
		}
		if len(c.Slots) > len(slotLines) {
			slotLines = append(slotLines, line)
		}
	}
	return slotLines, nil
}

func atLine(file string, line int, err error) error {
	return fmt.Errorf("%s:%d: %w", file, line, err)
}

// reader applies the keys of a file, one after the other as they stand there.
type reader struct {
	config *Config
	base   string
	tree   map[string]any
}

func (r reader) readKey(key toml.Key) error {
	if key[0] == "slot" {
		return r.readSlot(key)
	}
	name, v := strings.Join(key, "."), lookup(r.tree, key)
	for _, s := range r.config.settings() {
		if s.key == name {
			return r.applyTo(v, s)
		}
		if _, table := v.(map[string]any); table && strings.HasPrefix(s.key, name+".") {
			return nil
		}
	}
	return r.unknown(key)
}

// unknown says that there is no such setting, and where one of this name stands, if there is one: a line at the
// end of a file is one of its last table.
func (r reader) unknown(key toml.Key) error {
	places := r.placesOf(key[len(key)-1])
	if len(places) == 0 {
		return errors.New("unknown setting")
	}
	return fmt.Errorf("unknown setting; %s stands %s", key[len(key)-1], strings.Join(places, " or "))
}

// placesOf are the places in a file of settings of a name.
func (r reader) placesOf(name string) (places []string) {
	for _, s := range r.config.settings() {
		table, last, below := strings.Cut(s.key, ".")
		switch {
		case s.key == name:
			places = append(places, "above the first [table] of the file")
		case below && last == name:
			places = append(places, "below ["+table+"]")
		}
	}
	return places
}

// readSlot reads a [[slot]] header or a key below the latest of them.
func (r reader) readSlot(key toml.Key) error {
	tables, ok := r.tree["slot"].([]map[string]any)
	if !ok {
		return errors.New("slots are written as [[slot]]")
	}
	if len(key) == 1 {
		r.config.Slots = append(r.config.Slots, Slot{})
		return nil
	}
	last := len(r.config.Slots) - 1
	for _, s := range r.config.Slots[last].settings() {
		if s.key == strings.Join(key[1:], ".") {
			return r.applyTo(lookup(tables[last], key[1:]), s)
		}
	}
	return r.unknown(key)
}

func (r reader) applyTo(v any, s setting) error {
	text, err := textOf(v)
	if err != nil {
		return err
	}
	return s.value.Set(text, r.base)
}

func lookup(tree map[string]any, key toml.Key) any {
	for _, part := range key[:len(key)-1] {
		tree, _ = tree[part].(map[string]any)
	}
	return tree[key[len(key)-1]]
}

// textOf writes a value of the file as it would stand in a variable.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []any:
		return textOfList(v)
	}
	return "", errors.New("want a string")
}

func textOfList(list []any) (string, error) {
	words := make([]string, len(list))
	for i, v := range list {
		word, ok := v.(string)
		if !ok {
			return "", errors.New("want a list of strings")
		}
		words[i] = word
	}
	if len(words) == 0 {
		return "none", nil
	}
	return strings.Join(words, ","), nil
}

// finder finds the lines of keys, which the parser does not tell. The keys are
// asked for in the order of the file, so the search goes on where the last one
// was found.
type finder struct {
	lines []string
	at    int
}

// nextLine returns the number of the line on which name stands as a key, counted
// from 1.
func (f *finder) nextLine(name string) int {
	key := regexp.MustCompile(`(^|[\s.{,\["'])` + regexp.QuoteMeta(name) + `["']?\s*[=.\]]`)
	for i := f.at; i < len(f.lines); i++ {
		if key.MatchString(f.lines[i]) && !strings.HasPrefix(strings.TrimSpace(f.lines[i]), "#") {
			f.at = i
			break
		}
	}
	return f.at + 1
}
