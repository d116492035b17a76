// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// output is where a command prints its result: as text for people, or as JSON.
type output struct {
	json bool
	out  io.Writer
}

// addJSON gives a command, and those below it, the option --json.
func (o *output) addJSON(c *cobra.Command) {
	c.PersistentFlags().BoolVar(&o.json, "json", false, "print JSON")
}

// schema names a form of JSON that docs/tool.md documents, with its version. The version goes up
// when a field goes or means something else, not when one comes.
type schema string

// named returns the name of a form as it stands in the JSON.
func (s schema) named() string { return "zk_pkcs11-util." + string(s) }

// print prints a result, which is a struct, with its schema as the first field of the JSON, or as
// text says. Some results are shown only once, so it matters whether somebody could read them.
func (o *output) print(s schema, result any, text func(io.Writer)) error {
	var b bytes.Buffer
	if !o.json {
		text(&b)
	} else if err := encodeResult(&b, s, result); err != nil {
		return err
	}
	_, err := b.WriteTo(o.out)
	return err
}

// encodeResult encodes a result with its schema. A list is as it is: lists are older than schemas.
func encodeResult(b *bytes.Buffer, s schema, result any) error {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return err
	}
	text := plain.Bytes()
	if fields, is := bytes.CutPrefix(text, []byte("{")); is && s != "" {
		comma := ","
		if bytes.HasPrefix(fields, []byte("}")) {
			comma = ""
		}
		text = append(fmt.Appendf(nil, "{\"schema\":%q%s", s.named(), comma), fields...)
	}
	return json.Indent(b, text, "", "  ")
}
