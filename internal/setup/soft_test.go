// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft"
)

// fill sets every field below v to something that is not zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"x"}))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(time.Second))
	case reflect.Float32:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("a setting of kind %s", v.Kind())
	}
}

// TestSoftOptions checks that each setting of the soft SCM reaches it.
func TestSoftOptions(t *testing.T) {
	var s config.Soft
	fill(t, reflect.ValueOf(&s).Elem())
	o := reflect.ValueOf(softOptions(s))
	elsewhere := []string{"Mode", "Group", "Wait", "Process", "Existing"}
	for i := range o.NumField() {
		name := o.Type().Field(i).Name
		if slices.Contains(elsewhere, name) != o.Field(i).IsZero() {
			t.Errorf("soft.Options.%s is %v", name, o.Field(i))
		}
	}
}

// TestDefectNames checks that the settings know the defects of the soft SCM.
func TestDefectNames(t *testing.T) {
	for _, name := range soft.Defects {
		text := fmt.Sprintf("soft.defects = %q", name)
		c, err := config.Source{File: "/f", Text: text}.Load(func(string) string { return "" })
		if err != nil || !slices.Equal(c.Soft.Defects, []string{name}) {
			t.Errorf("%s: %q, %v", text, c.Soft.Defects, err)
		}
	}
}
