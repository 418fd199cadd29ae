// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"
)

// No line of the server's is as long, in bytes.
const lineMax = 4096

// A session is one connection, which ends when its ctx is done.
type session struct {
	path  string
	conn  net.Conn
	lines *bufio.Reader
	ended chan struct{}
}

// connect takes the first socket that answers.
func connect(ctx context.Context, paths []string) (*session, error) {
	var problem error
	for _, path := range paths {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil {
			return newSession(ctx, path, conn), nil
		}
		if problem == nil || errors.Is(problem, fs.ErrNotExist) && !errors.Is(err, fs.ErrNotExist) {
			problem = err
		}
	}
	return nil, orDone(ctx, problem)
}

func newSession(ctx context.Context, path string, conn net.Conn) *session {
	s := &session{path: path, conn: conn, lines: bufio.NewReaderSize(conn, lineMax), ended: make(chan struct{})}
	go func() {
		select {
		case <-ctx.Done(): // so that a call that waits does not
		case <-s.ended:
		}
		conn.Close()
	}()
	return s
}

// close is to be called once.
func (s *session) close() {
	close(s.ended)
	s.conn.Close()
}

func (s *session) readLine() (string, error) {
	line, err := s.lines.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		err = protocolError(string(line))
	}
	return strings.TrimSuffix(string(line), "\n"), err
}

// ask sends requests, the last of which is "read", and gives what that says: nil while the group whose memory is shown
// is removed, an error if that is all that was asked for. Events before it are older, and are left out. If limits are
// part of it an error may be about them.
func (s *session) ask(requests []byte, limits string) (map[string]Meter, error) {
	_, problem := s.conn.Write(requests) // where it has hung up it may have said why
	state := map[string]Meter{}
	asked := bytes.Count(requests, []byte("\n"))
	for answers := 0; answers < asked; {
		line, err := s.readLine()
		if err != nil {
			if problem == nil {
				problem = err
			}
			return nil, problem
		}
		switch {
		case line == "ok":
			answers++
		case strings.HasPrefix(line, "error "):
			err := parseRefusal(line, limits)
			if errors.Is(err, syscall.ENODEV) && answers > 0 {
				return nil, nil
			}
			return nil, err
		case line != "" && line[0] >= '0' && line[0] <= '9':
		default:
			name, meter, err := parseMeter(line)
			if err != nil {
				return nil, err
			}
			state[name] = meter
		}
	}
	return state, nil
}
