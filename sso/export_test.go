package sso

import "github.com/beevik/etree"

// Scan gives the tree that the scanner builds; nil if it refuses.
func Scan(raw []byte) *etree.Element {
	s, r := scan(raw)
	if r != nil {
		return nil
	}
	return s.root
}

// Codes gives every rejection code with its message and remedy.
func Codes() map[string][2]string {
	out := map[string][2]string{}
	for code, f := range findings {
		out[code] = [2]string{f.message, f.remedy}
	}
	return out
}
