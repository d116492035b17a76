// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// exposition is what Prometheus reads from a text in its format, version 0.0.4.
type exposition struct {
	kinds   map[string]string  // by family
	samples map[string]float64 // by name and labels, which are in alphabetical order
	labels  map[string][]map[string]string
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`)
	labelPair  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"`)
	comment    = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$`)
)

// parseExposition reads the format as strictly as its description is.
func parseExposition(text string) (exposition, error) {
	x := exposition{map[string]string{}, map[string]float64{}, map[string][]map[string]string{}}
	if !strings.HasSuffix(text, "\n") {
		return x, errors.New("the last line does not end")
	}
	helped, now := map[string]bool{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := comment.FindStringSubmatch(line)
		var err error
		switch {
		case m != nil && m[1] == "HELP":
			if helped[m[2]] {
				err = errors.New("a second HELP")
			}
			helped[m[2]], now = true, m[2]
		case m != nil:
			if x.kinds[m[2]] != "" || m[2] != now || !slices.Contains([]string{"gauge", "counter"}, m[3]) {
				err = errors.New("a TYPE that is not the only one, behind its HELP, or of a known kind")
			}
			x.kinds[m[2]] = m[3]
		default:
			err = x.readSample(line, now)
		}
		if err != nil {
			return x, fmt.Errorf("%q: %w", line, err)
		}
	}
	return x, nil
}

func (x exposition) readSample(line, family string) error {
	name := metricName.FindString(line)
	if name == "" || name != family || x.kinds[name] == "" {
		return errors.New("a sample outside its family")
	}
	if x.kinds[name] == "counter" && !strings.HasSuffix(name, "_total") {
		return errors.New("the name of a counter ends in _total")
	}
	labels, rest, err := readLabels(line[len(name):])
	if err != nil {
		return err
	}
	number, is := strings.CutPrefix(rest, " ")
	value, err := strconv.ParseFloat(number, 64)
	if !is || err != nil {
		return fmt.Errorf("%q is no value", rest)
	}
	key := name + canonical(labels)
	if _, twice := x.samples[key]; twice {
		return errors.New("a second sample of the same labels")
	}
	x.samples[key] = value
	x.labels[name] = append(x.labels[name], labels)
	return nil
}

func readLabels(text string) (labels map[string]string, rest string, err error) {
	labels = map[string]string{}
	if !strings.HasPrefix(text, "{") {
		return labels, text, nil
	}
	for text = text[1:]; ; text = text[1:] {
		m := labelPair.FindStringSubmatch(text)
		if m == nil {
			return nil, "", fmt.Errorf("no label at %q", text)
		}
		if _, twice := labels[m[1]]; twice {
			return nil, "", fmt.Errorf("a second label %s", m[1])
		}
		labels[m[1]] = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(m[2])
		text = text[len(m[0]):]
		if strings.HasPrefix(text, "}") {
			return labels, text[1:], nil
		}
		if !strings.HasPrefix(text, ",") {
			return nil, "", fmt.Errorf("no end of the labels at %q", text)
		}
	}
}

func canonical(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}

func (x exposition) hasLabel(family, name, value string) bool {
	return slices.ContainsFunc(x.labels[family], func(labels map[string]string) bool { return labels[name] == value })
}

// TestExpositionParser: the parser refuses what Prometheus would.
func TestExpositionParser(t *testing.T) {
	const head = "# HELP a_total x\n# TYPE a_total counter\n"
	if _, err := parseExposition(head + "a_total{b=\"c\\\"\",d=\"\"} 1e3\n"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"a_total 1\n", head + "a_total 1", head + "a_total x\n", head + "a_total{b=c} 1\n", head + "a_total{b=\"c\" 1\n", head + "a_total 1\na_total 2\n",
		head + "b 1\n", head + head, "# HELP a x\n# TYPE a counter\na 1\n", head + "\n", head + "a_total{b=\"\\x\"} 1\n",
	} {
		if _, err := parseExposition(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
