package ident

import (
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
)

// wordList has 1,024 short words, in order, that are told apart also on the
// telephone: no two differ by one letter.
//
//go:embed words.txt
var wordList string

var words = sync.OnceValue(func() []string { return strings.Fields(wordList) })

// Words gives three words that stand for the lower 30 bits of a number:
// "copper-lake-violin".
func Words(n uint32) string {
	list := words()
	return list[n>>20&1023] + "-" + list[n>>10&1023] + "-" + list[n&1023]
}

// RandomWords gives three words that nobody can foresee. They are no secret:
// there are a thousand million.
func RandomWords() string {
	var b [4]byte
	rand.Read(b[:])
	return Words(binary.BigEndian.Uint32(b[:]))
}

// ErrWords says that something is not three words of the list.
var ErrWords = errors.New("not three words of ours")

// ParseWords gives three words as Words writes them, from how somebody typed
// them: with blanks, hyphens, commas or full stops between, and capitals.
func ParseWords(typed string) (string, error) {
	if len(typed) > 100 {
		return "", ErrWords
	}
	found := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return strings.ContainsRune(" -,.\t\u00a0\u2010\u2011\u2013", r) })
	if len(found) != 3 {
		return "", ErrWords
	}
	for _, w := range found {
		if _, ours := slices.BinarySearch(words(), w); !ours {
			return "", ErrWords
		}
	}
	return strings.Join(found, "-"), nil
}
