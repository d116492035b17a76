// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// fields counts the settings in v, and sets each of them to something that is not zero.
func fields(t *testing.T, v reflect.Value) (n int) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			n += fields(t, v.Field(i))
		}
		return n
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
	return 1
}

// TestWhole: each field of Settings is in the table once.
func TestWhole(t *testing.T) {
	var s Settings
	rows := s.Table()
	for _, r := range rows {
		if text := r.Value.Text(); text != "" {
			t.Errorf("%s is %q in settings without values", r.Name, text)
		}
	}
	if n := fields(t, reflect.ValueOf(&s).Elem()); n != len(rows) {
		t.Errorf("%d fields, %d rows", n, len(rows))
	}
	named := map[string]bool{}
	for _, r := range rows {
		if r.Value.Text() == "" {
			t.Errorf("%s shares the field of another setting", r.Name)
		}
		if r.Meaning == "" || named[r.Name] {
			t.Errorf("%s has no meaning, or two", r.Name)
		}
		named[r.Name] = true
	}
}

// TestDefaults: what has no value gets the default in its row, and keeps it.
func TestDefaults(t *testing.T) {
	s, err := Settings{}.Complete()
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Complete()
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("completed twice: %+v, %v\nonce: %+v", again, err, s)
	}
	var zero Settings
	for _, r := range zero.Table() {
		if (r.Default == "") == (r.Shown == "") {
			t.Errorf("%s has the default %q, and pages show %q", r.Name, r.Default, r.Shown)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, s := range []Settings{
		{Seal: "none"}, {Ed25519: "x"}, {Nonce: "x"}, {Allocation: "x"}, {Unlisted: "x"}, {Generator: "x"},
		{BootFailure: "x"}, {TemperatureFailure: FailurePolicy}, {Defects: []string{"x"}},
		{UserSlots: -1}, {UserSlots: 513}, {MaxRandom: -1}, {BootDelay: -1},
	} {
		if _, err := s.Complete(); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

// TestDefects: those of the firmware unless the setting says which.
func TestDefects(t *testing.T) {
	const early = "00.00.51beta"
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"auto", firmwareDefects[early]}, {"none", []string{}}, {strings.Join(Defects, ","), Defects},
	} {
		s := Settings{Firmware: early}
		err := defects{&s.Defects}.Set(tt.text, "")
		if err == nil {
			s, err = s.Complete()
		}
		if err != nil || !slices.Equal(s.Defects, tt.want) || s.Defects == nil {
			t.Errorf("%s: %q, %v", tt.text, s.Defects, err)
		}
	}
}

// TestMeanings: the table names each defect, and each firmware that has some.
func TestMeanings(t *testing.T) {
	var s Settings
	meaning := map[string]string{}
	for _, r := range s.Table() {
		meaning[r.Name] = r.Meaning
	}
	for _, name := range Defects {
		if !strings.Contains(meaning["defects"], fmt.Sprintf("`%s`", name)) {
			t.Errorf("the row defects does not name %s", name)
		}
	}
	for name := range firmwareDefects {
		if !strings.Contains(meaning["firmware"], fmt.Sprintf("`%s`", name)) {
			t.Errorf("the row firmware does not name %s", name)
		}
	}
}
