// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"testing"
)

func TestSourceSurvivesEncoding(t *testing.T) {
	full := Source{Variables: map[string]string{"ZK_PKCS11_HOME": "/h", "ZK_PKCS11_TRACE": "a=b"}}
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString("of " + v.Type().Field(i).Name + "\n")
		}
	}
	for _, s := range []Source{full, {Variables: map[string]string{}}} {
		if got := decodeSource(s.Encode()); !reflect.DeepEqual(got, s) {
			t.Errorf("got  %+v\nwant %+v", got, s)
		}
	}
}

// A child has the settings of its parent, and a process that inherits nothing its own.
func TestLoadInherited(t *testing.T) {
	env := vars{"ZK_PKCS11_HOME": "/h", "ZK_PKCS11_CONF": write(t, "[log]\nto = \"l\"\n")}
	parent, err := LoadInherited("", env.get)
	if err != nil || parent.State != "/h" {
		t.Fatalf("got %+v, %v", parent, err)
	}
	child, err := LoadInherited(parent.Source.Encode(), vars{}.get)
	if err != nil || !reflect.DeepEqual(child, parent) {
		t.Errorf("got  %+v, %v\nwant %+v", child, err, parent)
	}
}
