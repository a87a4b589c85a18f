package ident

import (
	"slices"
	"strings"
	"testing"
)

func TestWordsAreToldApart(t *testing.T) {
	list := strings.Fields(wordList)
	if len(list) != 1024 || !slices.IsSorted(list) {
		t.Fatalf("got %d words, sorted %v, want 1024 in order", len(list), slices.IsSorted(list))
	}
	for i, w := range list {
		if len(w) < 3 || len(w) > 7 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("got %q, want three to seven small letters", w)
		}
		for _, other := range list[i+1:] {
			if oneLetterApart(w, other) {
				t.Errorf("%q and %q differ by one letter", w, other)
			}
		}
	}
}

// Words that sound like others come back misspelt from the telephone, whether
// the others are in the list or not.
func TestNoWordSoundsLikeAnother(t *testing.T) {
	alike := strings.Fields(`bear bare blue blew bread bred cereal serial council counsel flower flour
		hair hare horse hoarse kernel colonel medal metal meddle mussel muscle pair pear pepper paper
		peace piece plum plumb prince prints ribbon robin sale sail sea see son sun stairs stares steel
		steal sunday sundae symbol cymbal tail tale throne thrown thyme time week weak`)
	fine := []string{"paper", "ribbon"} // the other one is not there
	for _, w := range strings.Fields(wordList) {
		if slices.Contains(alike, w) && !slices.Contains(fine, w) {
			t.Errorf("got %q, which sounds like another word", w)
		}
	}
}

func oneLetterApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	switch len(b) - len(a) {
	case 0:
		different := 0
		for i := range a {
			if a[i] != b[i] {
				different++
			}
		}
		return different <= 1
	case 1:
		for i := range b {
			if b[:i]+b[i+1:] == a {
				return true
			}
		}
	}
	return false
}

func TestWordsAreReadAsTheyAreTyped(t *testing.T) {
	list := strings.Fields(wordList)
	want := list[0] + "-" + list[512] + "-" + list[1023]
	if got := Words(0<<20 | 512<<10 | 1023); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Words(3<<30 | 512<<10 | 1023); got != want {
		t.Errorf("with more than 30 bits: got %q, want %q", got, want)
	}
	spoken := strings.ReplaceAll(want, "-", " ")
	for _, typed := range []string{want, spoken, "  " + strings.ToUpper(spoken) + " ", strings.ReplaceAll(want, "-", ", "), want + "."} {
		if got, err := ParseWords(typed); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", list[0], list[0] + " " + list[1], want + " " + list[0], "xyzzy " + spoken[strings.Index(spoken, " ")+1:], strings.Repeat("a ", 100)} {
		if got, err := ParseWords(typed); err == nil {
			t.Errorf("%q: got %q, want an error", typed, got)
		}
	}
	if got, err := ParseWords(RandomWords()); err != nil {
		t.Errorf("random words: got %q, %v, want three of the list", got, err)
	}
}
