// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// Bytes: MEMNOTIFYFS_LIMITS_MAX of <memnotifyfs/contract.h>.
const limitsMax = 4095

const (
	watchVerb   = "watch "
	readRequest = "read\n"
)

// A LimitError is that the server does not take the limits.
type LimitError struct {
	Limits string
	Reason string
	Column int // the byte of Limits at which it stopped, from 1; 0: no place is to blame
}

func (e *LimitError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("memnotifyfs: %s: %q", e.Reason, e.Limits)
	}
	return fmt.Sprintf("memnotifyfs: %s, at column %d: %q", e.Reason, e.Column, e.Limits)
}

func protocolError(line string) error {
	return fmt.Errorf("memnotifyfs: %w: %.100q", syscall.EPROTO, line)
}

var comment = regexp.MustCompile("#[^\n]*")

// watchRequests waits for limits, and then reads. They have one line: comments and newlines become blanks, so that each
// byte stays at its place.
func watchRequests(limits string) ([]byte, error) {
	if len(limits) > limitsMax {
		return nil, &LimitError{Limits: limits, Reason: fmt.Sprintf("longer than %d bytes", limitsMax)}
	}
	text := comment.ReplaceAllStringFunc(limits, func(found string) string { return strings.Repeat(" ", len(found)) })
	return []byte(watchVerb + strings.ReplaceAll(text, "\n", " ") + "\n" + readRequest), nil
}

// Those that a server gives.
var errnos = map[string]syscall.Errno{
	"EDQUOT": syscall.EDQUOT, "EINVAL": syscall.EINVAL, "EMFILE": syscall.EMFILE, "ENFILE": syscall.ENFILE,
	"ENODEV": syscall.ENODEV, "ENOMEM": syscall.ENOMEM, "EOPNOTSUPP": syscall.EOPNOTSUPP, "EPROTO": syscall.EPROTO,
}

// "error EINVAL: column 11: the number is missing"
var refusal = regexp.MustCompile(`^error (\w+): (?:column (\d+): )?(.*)$`)

// parseRefusal is a *LimitError if limits were asked for and are at fault.
func parseRefusal(line, limits string) error {
	found := refusal.FindStringSubmatch(line)
	if found == nil {
		return protocolError(line)
	}
	errno, known := errnos[found[1]]
	if !known {
		errno = syscall.EIO
	}
	if errno != syscall.EINVAL || limits == "" {
		return fmt.Errorf("memnotifyfs: %s: %w", found[3], errno)
	}
	column, _ := strconv.Atoi(found[2]) // 0 where there is none
	if column -= len(watchVerb); column < 0 {
		column = 0
	}
	return &LimitError{Limits: limits, Reason: found[3], Column: column}
}
