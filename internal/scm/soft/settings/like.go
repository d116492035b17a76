// SPDX-License-Identifier: Apache-2.0

package settings

import "libzk_pkcs11/internal/config/value"

// Values of Settings.Like.
const (
	LikeSoftware = "software"
	LikeHardware = "hardware"
)

// profile are the defaults that are other ones than in the table, by the names of settings. The
// vendor tells how long an SCM boots; the latencies are presumed ones of its kind of secure element.
func (s *Settings) profile() map[string]string {
	if s.Like != LikeHardware {
		return nil
	}
	boots := "90s"
	if s.Firmware == "01.02.02release" {
		boots = "140s" // of revision B
	}
	return map[string]string{
		"eddsa": Ed25519Digest, "nonce": NonceRandom, "boot_delay": boots,
		"latency_sign": "80ms", "latency_generate": "150ms", "latency_random": "30ms", "latency_lock": "40ms", "latency_absent": "1s",
	}
}

// refusal is true or false, of which the field is the opposite: true is the default.
type refusal struct{ to *bool }

func (v refusal) Text() string {
	if *v.to {
		return "false"
	}
	return ""
}

func (v refusal) Set(text, _ string) error {
	err := value.CheckWord(text, "true", "false")
	if err == nil {
		*v.to = text == "false"
	}
	return err
}
