package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"gatehouse/cmd/gatehouse/remote"
)

// firstSet gives a flag that several variables of the environment can set the
// first of them that is not empty. By itself the parser takes the first that is
// there: an empty GATEHOUSE_TOKEN would hide what another name holds.
func firstSet(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Envs) < 2 {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if value := os.Getenv(name); value != "" {
			return value, nil
		}
	}
	return nil, nil
}

// blankBeforeValue refuses what looks as if it switched something off, and
// would switch it on: a flag that is on or off takes a value with an equals
// sign alone, and the word behind it is read as something else.
func blankBeforeValue(app *kong.Node, args []string) error {
	node := app
	for i, arg := range args {
		if arg == "--" {
			return nil
		}
		for _, child := range node.Children {
			if child.Type == kong.CommandNode && (child.Name == arg || slices.Contains(child.Aliases, arg)) {
				node = child
				break
			}
		}
		name, isFlag := strings.CutPrefix(arg, "--")
		if isFlag && i+1 < len(args) && isSwitchWord(args[i+1]) && isSwitch(node, name) {
			return &remote.Failure{
				Err:  fmt.Errorf("--%s is on or off: its value goes behind an equals sign, without a blank", name),
				Hint: fmt.Sprintf("write --%s=%s", name, args[i+1]), Exit: 2,
			}
		}
	}
	return nil
}

func isSwitchWord(s string) bool {
	return slices.Contains([]string{"true", "false", "yes", "no"}, strings.ToLower(s))
}

// isSwitch reports whether a flag of a command, or of what is above it, is on
// or off.
func isSwitch(n *kong.Node, name string) bool {
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			if f.Name == name {
				return f.IsBool()
			}
		}
	}
	return false
}
