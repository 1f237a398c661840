package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// numberText writes 1234567 as 1,234,567.
func numberText(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// plural writes "1 event", "2 events".
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return numberText(n) + " " + noun + "s"
}

// byteText writes a number of bytes in binary units.
func byteText(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", max(0, n))
	}
	const units = "KMGTPE"
	value, unit := float64(n)/(1<<10), 0
	for value >= 1023.95 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// seconds makes a duration, however long.
func seconds(s float64) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	if s >= most.Seconds() {
		return most
	}
	return time.Duration(s * float64(time.Second))
}

// durationText writes the two greatest units of a duration: 3d 4h, 2m 5s, 12 ms.
func durationText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 3*365*day:
		return "years"
	case d >= day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	case d >= time.Second:
		return fmt.Sprintf("%ds", d/time.Second)
	case d <= 0:
		return "0s"
	}
	return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
}

// since is how long ago a time was. Clocks of two machines may differ a little.
func (p *printer) since(t time.Time) string {
	return durationText(max(0, p.now.Sub(t)).Truncate(time.Second))
}

// clock writes a time: of today without the day.
func (p *printer) clock(t time.Time) string {
	t = t.In(p.now.Location())
	if t.Format(time.DateOnly) == p.now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// join joins what is not empty.
func join(separator string, parts ...string) string {
	var given []string
	for _, part := range parts {
		if part != "" {
			given = append(given, part)
		}
	}
	return strings.Join(given, separator)
}

// clean takes out what a terminal would obey: names and messages come from tables
// and servers. Line breaks stay, but at the end.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r) && r != '\n':
			return unicode.ReplacementChar
		}
		return r
	}, strings.TrimRight(text, "\r\n "))
}

// oneLine is a cleaned text in one line.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// pad fills a text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-visible(text)))
}

// visible counts the characters of a text but for colours.
func visible(text string) int {
	n := 0
	for len(text) > 0 {
		if strings.HasPrefix(text, "\x1b[") {
			if end := strings.IndexByte(text, 'm'); end > 0 {
				text = text[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(text)
		text, n = text[size:], n+1
	}
	return n
}

// wrap breaks a text at blanks into lines of so many characters; 0 is unlimited. A
// word that is longer is broken too.
func wrap(text string, width int) []string {
	if width <= 0 || visible(text) <= width {
		return []string{text}
	}
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	if len(indent) > width/2 {
		indent = ""
	}
	var lines []string
	line, used := indent, len(indent)
	flush := func() {
		lines = append(lines, line)
		line, used = indent, len(indent)
	}
	for _, word := range strings.Fields(text) {
		if used > len(indent) && used+1+visible(word) > width {
			flush()
		}
		for visible(word) > width-len(indent) && !strings.Contains(word, "\x1b") {
			runes := []rune(word)
			line += string(runes[:width-len(indent)])
			flush()
			word = string(runes[width-len(indent):])
		}
		if used > len(indent) {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+visible(word)
	}
	if used > len(indent) {
		flush()
	}
	return lines
}
