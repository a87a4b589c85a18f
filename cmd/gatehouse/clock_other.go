//go:build !linux

package main

// keptInTime cannot be asked for here.
func keptInTime() (kept, known bool) { return false, false }
