package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// A Terminal is where commands read and print.
type Terminal struct {
	In     *os.File
	Out    io.Writer // results
	Err    io.Writer // questions, progress, and what is only for people
	Getenv func(string) string
}

// errNoTerminal is the failure where somebody has to be asked and nobody is
// there.
func errNoTerminal(what, variable string) error {
	return withHint(fmt.Errorf("there is no terminal to ask for %s on", what), "set "+variable).exits(exitUsage)
}

// interactive reports whether there is somebody to ask.
func (t *Terminal) interactive() bool {
	return t.In != nil && term.IsTerminal(int(t.In.Fd()))
}

// secret asks for something that is not shown, unless a variable of the
// environment has it.
func (t *Terminal) secret(ctx context.Context, what string, variables ...string) (string, error) {
	for _, v := range variables {
		if text := t.Getenv(v); text != "" {
			return text, nil
		}
	}
	if !t.interactive() {
		return "", errNoTerminal(what, variables[0])
	}
	text, err := t.unseen(ctx, strings.ToUpper(what[:1])+what[1:]+": ")
	fmt.Fprintln(t.Err)
	switch {
	case errors.Is(err, io.EOF):
		return "", withHint(fmt.Errorf("the input ended before %s was typed", what), "type it, or set "+variables[0]).exits(exitUsage)
	case errors.Is(err, context.Canceled):
		return "", errInterrupted
	case err != nil:
		return "", fmt.Errorf("read %s: %w", what, err)
	case text == "":
		return "", usage("nothing was typed for %s", what)
	}
	return text, nil
}

// unseen asks for a line that is not shown, and gives the terminal back as it
// was, whatever happens. It returns context.Canceled for Ctrl-C and for a
// signal, and io.EOF for Ctrl-D.
//
// The terminal hands over each key: where it gathered lines, one that is being
// read could not be interrupted, and the end of the input would look like
// nothing yet.
func (t *Terminal) unseen(ctx context.Context, prompt string) (text string, err error) {
	fd := int(t.In.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, term.Restore(fd, before)) }()
	fmt.Fprint(t.Err, prompt)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		text, err := readKeys(t.In)
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		return "", context.Canceled
	}
}

// mostTyped bounds what is typed, in bytes.
const mostTyped = 4096

// readKeys reads keys up to Enter.
func readKeys(r io.Reader) (string, error) {
	var line []byte
	key := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, key); err != nil {
			return "", err
		}
		switch key[0] {
		case '\r', '\n':
			return string(line), nil
		case 'C' - '@':
			return "", context.Canceled
		case 'D' - '@':
			if len(line) == 0 {
				return "", io.EOF
			}
		case 'U' - '@':
			line = line[:0]
		case 'H' - '@', 0x7f:
			_, n := utf8.DecodeLastRune(line)
			line = line[:len(line)-n]
		default:
			if line = append(line, key[0]); len(line) > mostTyped {
				return "", fmt.Errorf("it has more than %d bytes", mostTyped)
			}
		}
	}
}

// line prints a sentence.
func (t *Terminal) line(format string, args ...any) error {
	_, err := fmt.Fprintf(t.Out, format+"\n", args...)
	return err
}

// json prints an answer as it is, in lines.
func (t *Terminal) json(answer json.RawMessage) error {
	if len(answer) == 0 {
		answer = json.RawMessage("{}")
	}
	var b bytes.Buffer
	if err := json.Indent(&b, answer, "", "  "); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	_, err := fmt.Fprintln(t.Out, harmless(strings.TrimSpace(b.String())))
	return err
}

// harmless writes what would move a terminal's cursor in JSON's own way, which
// programs read as the same: JSON itself forbids only some of it.
func harmless(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c == '\n' || !moves(c):
			b.WriteRune(c)
		case c <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}

// widest is how wide what is printed is where nobody looks: as wide as it
// needs.
const widest = 1 << 20

// width is how many columns there are to print on.
func (t *Terminal) width() int {
	out, isFile := t.Out.(*os.File)
	if !isFile || !term.IsTerminal(int(out.Fd())) {
		return widest
	}
	if n, err := strconv.Atoi(t.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if n, _, err := term.GetSize(int(out.Fd())); err == nil && n > 0 {
		return n
	}
	return 80
}

var errShape = errors.New("the server's answer has another shape than expected: it may be of another version")
