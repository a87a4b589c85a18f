package main

import "syscall"

// keptInTime reports what the kernel knows of who keeps its clock.
func keptInTime() (kept, known bool) {
	const unsynchronized = 0x40 // STA_UNSYNC of adjtimex(2)
	var t syscall.Timex         // with no modes it changes nothing
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, false
	}
	return t.Status&unsynchronized == 0, true
}
