package connect

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// golden calls check with each line of a file that real Javas wrote: the bits of
// a number in hex, what Java 25 prints, and what Java 17 prints.
func golden(t *testing.T, path string, check func(bits uint64, java25, java17 string)) {
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	n := 0
	for ; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		u, err := strconv.ParseUint(fields[0], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		check(u, fields[1], fields[len(fields)-1])
	}
	if n < 1000 {
		t.Errorf("%s: %d lines, want at least 1000", path, n)
	}
}

func TestAppendDouble(t *testing.T) {
	golden(t, "testdata/double.txt", func(bits uint64, java25, java17 string) {
		f := math.Float64frombits(bits)
		if got := string(AppendDouble(nil, f, false)); got != java25 {
			t.Errorf("%x: %s, Java 25 prints %s", bits, got, java25)
		}
		if got := string(AppendDouble(nil, f, true)); got != java17 {
			t.Errorf("%x: %s, Java 17 prints %s", bits, got, java17)
		}
	})
}

func TestAppendFloat(t *testing.T) {
	golden(t, "testdata/float.txt", func(bits uint64, java25, java17 string) {
		f := math.Float32frombits(uint32(bits))
		if got := string(AppendFloat(nil, f, false)); got != java25 {
			t.Errorf("%x: %s, Java 25 prints %s", bits, got, java25)
		}
		if got := string(AppendFloat(nil, f, true)); got != java17 {
			t.Errorf("%x: %s, Java 17 prints %s", bits, got, java17)
		}
	})
}

// TestDoubleKnown: what the releases are known to print.
func TestDoubleKnown(t *testing.T) {
	for _, c := range []struct {
		f              float64
		java19, java18 string
	}{
		{1, "1.0", "1.0"},
		{1e7, "1.0E7", "1.0E7"},
		{9999999, "9999999.0", "9999999.0"},
		{12345678, "1.2345678E7", "1.2345678E7"},
		{1e-3, "0.001", "0.001"},
		{1e-4, "1.0E-4", "1.0E-4"},
		{2e-3, "0.002", "0.002"},
		{1e23, "1.0E23", "9.999999999999999E22"},
		{2e23, "2.0E23", "1.9999999999999998E23"},
		{math.Ldexp(1, -44), "5.684341886080802E-14", "5.6843418860808015E-14"},
		{math.SmallestNonzeroFloat64, "4.9E-324", "4.9E-324"},
		{math.MaxFloat64, "1.7976931348623157E308", "1.7976931348623157E308"},
	} {
		if got := string(AppendDouble(nil, c.f, false)); got != c.java19 {
			t.Errorf("%g: %s, want %s", c.f, got, c.java19)
		}
		if got := string(AppendDouble(nil, c.f, true)); got != c.java18 {
			t.Errorf("%g, Java 18: %s, want %s", c.f, got, c.java18)
		}
	}
}

// checkShortest: what is printed reads back as the number, is not longer than
// strconv's shortest unless that has one digit, and has Java's shape.
func checkShortest(t *testing.T, text string, f float64, width int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return
	}
	back, err := strconv.ParseFloat(text, width)
	if err != nil || back != f {
		t.Errorf("%x: %s reads back as %g (%v)", math.Float64bits(f), text, back, err)
	}
	if a := math.Abs(f); f != 0 && strings.Contains(text, "E") != (a < 1e-3 || a >= 1e7) {
		t.Errorf("%s: an exponent is wanted below 10^-3 and from 10^7 on", text)
	}
	if !strings.Contains(text, ".") {
		t.Errorf("%s has no point", text)
	}
	want := len(significant(strconv.FormatFloat(f, 'e', -1, width)))
	if got := len(significant(text)); got > max(want, 2) {
		t.Errorf("%s has %d digits, the shortest has %d", text, got, want)
	}
}

// significant gives the significant digits of a number.
func significant(text string) string {
	text, _, _ = strings.Cut(strings.ToLower(text), "e")
	text = strings.ReplaceAll(strings.TrimPrefix(text, "-"), ".", "")
	return strings.TrimRight(strings.TrimLeft(text, "0"), "0")
}

func FuzzAppendDouble(f *testing.F) {
	for _, d := range []float64{0, 1, 0.1, 1e23, 5e-324, 1e7, 2.2250738585072014e-308} {
		f.Add(math.Float64bits(d))
	}
	f.Fuzz(func(t *testing.T, u uint64) {
		d, s := math.Float64frombits(u), math.Float32frombits(uint32(u))
		checkShortest(t, string(AppendDouble(nil, d, false)), d, 64)
		checkShortest(t, string(AppendFloat(nil, s, false)), float64(s), 32)
		for _, old := range []string{string(AppendDouble(nil, d, true)), string(AppendFloat(nil, s, true))} {
			if len(old) < 3 || len(old) > 26 {
				t.Errorf("%x: %q", u, old)
			}
		}
		if back, err := strconv.ParseFloat(string(AppendDouble(nil, d, true)), 64); err == nil && back != d && d == d {
			t.Errorf("%x, Java 18: reads back as %g", u, back)
		}
	})
}
