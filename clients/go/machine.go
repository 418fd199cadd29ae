// SPDX-License-Identifier: LGPL-2.1-or-later
//go:build linux

package memnotifyfs

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// monotonic is CLOCK_MONOTONIC, which the standard library does not give.
func monotonic() time.Duration {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return time.Duration(now.Nano())
}

// hasForeignRights is whether this program has rights that its user does not have, as for secure_getenv(3).
func hasForeignRights() bool {
	if os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return true
	}
	vector, err := os.ReadFile("/proc/self/auxv")
	if err != nil { // no /proc; or the kernel hides what a program with capabilities of its own does
		return !errors.Is(err, fs.ErrNotExist)
	}
	return isSecure(vector)
}

// isSecure is AT_SECURE of an auxiliary vector, which is pairs of words.
func isSecure(vector []byte) bool {
	const word, atSecure = int(unsafe.Sizeof(uintptr(0))), 23
	for ; len(vector) >= 2*word; vector = vector[2*word:] {
		pair := *(*[2]uintptr)(unsafe.Pointer(&vector[0]))
		if pair[0] == atSecure {
			return pair[1] != 0
		}
	}
	return false
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

// socketOf a socket is itself; of a mount point its file "socket" under memnotify-run(1), else with ".sock" added.
func socketOf(place string) string {
	mount := strings.TrimRight(place, "/")
	if strings.HasSuffix(place, ".sock") || isSocket(place) {
		return place
	}
	if isSocket(mount + "/socket") {
		return mount + "/socket"
	}
	return mount + ".sock"
}

// findSockets is where a server may be; the first that answers is the one.
func findSockets(place string) []string {
	getenv := os.Getenv
	if hasForeignRights() {
		getenv = func(string) string { return "" }
	}
	if place == "" {
		place = getenv("MEMNOTIFYFS")
	}
	if place != "" {
		return []string{socketOf(place)}
	}
	sockets := []string{"/run/memnotify.sock"}
	if own := getenv("XDG_RUNTIME_DIR"); own != "" {
		sockets = append(sockets, own+"/memnotify.sock")
	}
	return sockets
}
