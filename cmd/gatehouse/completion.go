package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand prints what makes a shell complete commands.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says where the script goes.
func (completionCommand) Help() string {
	return `For this shell: source <(gatehouse completion bash), the same with zsh; gatehouse completion fish | source.
For every shell, put that line into ~/.bashrc or, behind compinit, ~/.zshrc; for fish, save the script as ~/.config/fish/completions/gatehouse.fish.`
}

// Run prints the script.
func (c completionCommand) Run(out io.Writer, app *kong.Kong) error {
	write := map[string]func([]place) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[c.Shell]
	_, err := io.WriteString(out, write(places(app.Model.Node, nil)))
	return err
}

// A place is a command, or a group of them, with what can follow it.
type place struct {
	path     []string // of commands, below the program's name
	commands []word
	flags    []word
	args     []string // what an argument can be, where that is known
}

// A word is what can be typed, and what it means.
type word struct {
	text   string
	help   string
	takes  bool     // a value follows
	values []string // what the value can be; empty: anything
}

// places lists a node and all below it.
func places(n *kong.Node, path []string) []place {
	here := place{path: path}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			if !slices.ContainsFunc(here.flags, func(w word) bool { return w.text == "--"+f.Name }) {
				here.flags = append(here.flags, word{"--" + f.Name, firstSentence(f.Help), !f.IsBool(), valuesOf(f.Value)})
			}
		}
	}
	for _, a := range n.Positional {
		here.args = append(here.args, valuesOf(a)...)
	}
	all := []place{}
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		here.commands = append(here.commands, word{text: child.Name, help: firstSentence(child.Help)})
		all = append(all, places(child, append(slices.Clone(path), child.Name))...)
	}
	return append([]place{here}, all...)
}

func valuesOf(v *kong.Value) []string {
	return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
}

// firstSentence is as much of a help as a shell has room for.
func firstSentence(help string) string {
	if i := strings.IndexAny(help, ".;"); i > 0 {
		return help[:i]
	}
	return help
}

// quoted is a text as all three shells read it: in single quotes, which none
// of our helps needs to contain.
func quoted(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "’") + "'"
}

func texts(words []word) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.text
	}
	return strings.Join(all, " ")
}

// takers are the flags with a value, and those of them whose values are known.
func takers(all []place) (taking []string, known map[string][]string) {
	known = map[string][]string{}
	for _, p := range all {
		for _, f := range p.flags {
			if f.takes && !slices.Contains(taking, f.text) {
				taking = append(taking, f.text)
			}
			if len(f.values) > 0 {
				known[f.text] = f.values
			}
		}
	}
	slices.Sort(taking)
	return taking, known
}

// walk is what finds, in bash and in zsh, which command a line is at: it skips
// flags and their values, and goes down where a word names a command.
const walk = `	local path='' word skip='' i
	for ((i = %[1]d; i < %[2]s; i++)); do
		word=${%[3]s}
		if [[ -n $skip ]]; then skip=''; continue; fi
		case $word in
		%[4]s) skip=1 ;;
		-*) ;;
		*) case " $(_gatehouse_commands "$path") " in *" $word "*) path="${path:+$path }$word" ;; esac ;;
		esac
	done
`

// tables are the two functions that say what can follow a command, and a flag.
func tables(all []place) string {
	var commands, follows, values strings.Builder
	for _, p := range all {
		at := quoted(strings.Join(p.path, " "))
		if len(p.commands) > 0 {
			fmt.Fprintf(&commands, "\t%s) echo %s ;;\n", at, quoted(texts(p.commands)))
		}
		fmt.Fprintf(&follows, "\t%s) echo %s ;;\n", at, quoted(strings.TrimSpace(texts(p.flags)+" "+strings.Join(p.args, " "))))
	}
	_, known := takers(all)
	for _, flag := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(&values, "\t%s) echo %s ;;\n", flag, quoted(strings.Join(known[flag], " ")))
	}
	return fmt.Sprintf(`_gatehouse_commands() {
	case $1 in
%s	esac
}

_gatehouse_flags() {
	case $1 in
%s	esac
}

_gatehouse_values() {
	case $1 in
%s	esac
}
`, &commands, &follows, &values)
}

func bashScript(all []place) string {
	taking, _ := takers(all)
	return "# Completes gatehouse in bash.\n" + tables(all) + `
_gatehouse() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
` + fmt.Sprintf(walk, 1, "COMP_CWORD", "COMP_WORDS[i]", strings.Join(taking, "|")) + `	# bash takes --flag=value for three words.
	if [[ $cur == = ]]; then cur='' skip=$prev prev=$prev; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]} skip=1; fi
	if [[ -n $skip ]]; then
		COMPREPLY=($(compgen -W "$(_gatehouse_values "$prev")" -- "$cur"))
		[[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$cur"))
		return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(_gatehouse_flags "$path")" -- "$cur"))
		return
	fi
	COMPREPLY=($(compgen -W "$(_gatehouse_commands "$path") $(_gatehouse_flags "$path" | tr ' ' '\n' | grep -v '^-')" -- "$cur"))
}
complete -F _gatehouse gatehouse
`
}

func zshScript(all []place) string {
	taking, _ := takers(all)
	return "#compdef gatehouse\n# Completes gatehouse in zsh.\n" + tables(all) + `
_gatehouse() {
	setopt localoptions sh_word_split no_nomatch
	local prev=${words[CURRENT-1]}
` + strings.Replace(fmt.Sprintf(walk, 2, "CURRENT", "words[i]", strings.Join(taking, "|")), "path", "at", -1) + `	if [[ -n $skip ]]; then
		local known="$(_gatehouse_values "$prev")"
		if [[ -n $known ]]; then compadd -- $known; else _files; fi
		return
	fi
	if [[ ${words[CURRENT]} == -* ]]; then
		compadd -- $(_gatehouse_flags "$at")
		return
	fi
	compadd -- $(_gatehouse_commands "$at") $(_gatehouse_flags "$at" | tr ' ' '\n' | grep -v '^-')
}
compdef _gatehouse gatehouse
`
}

// fishScript says of each word when it may come: at which commands before.
func fishScript(all []place) string {
	taking, _ := takers(all)
	var b strings.Builder
	fmt.Fprintf(&b, `# Completes gatehouse in fish.
function __gatehouse_at
	set -l path
	set -l skip
	for word in (commandline -opc)[2..-1]
		if test -n "$skip"
			set skip
			continue
		end
		switch $word
			case %s
				set skip 1
			case '-*'
			case '*'
				set -a path $word
		end
	end
	test "$path" = "$argv"
end
complete -c gatehouse -f
`, strings.Join(taking, " "))
	for _, p := range all {
		at := "'__gatehouse_at " + strings.Join(p.path, " ") + "'"
		for _, c := range p.commands {
			fmt.Fprintf(&b, "complete -c gatehouse -n %s -a %s -d %s\n", at, c.text, quoted(c.help))
		}
		for _, a := range p.args {
			fmt.Fprintf(&b, "complete -c gatehouse -n %s -a %s\n", at, a)
		}
		for _, f := range p.flags {
			fmt.Fprintf(&b, "complete -c gatehouse -n %s -l %s -d %s", at, strings.TrimPrefix(f.text, "--"), quoted(f.help))
			switch {
			case len(f.values) > 0:
				fmt.Fprintf(&b, " -x -a %s", quoted(strings.Join(f.values, " ")))
			case f.takes:
				b.WriteString(" -r -F")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
