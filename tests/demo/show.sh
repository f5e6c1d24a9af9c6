# How the demo shows things, and checks them. For story.sh to include.
# shellcheck shell=sh disable=SC2034

# Colours only for people.
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') red=$(printf '\033[31m')
	green=$(printf '\033[32m') cyan=$(printf '\033[36m') plain=$(printf '\033[0m')
else
	bold='' dim='' red='' green='' cyan='' plain=''
fi

step=0

heading() { # TEXT
	step=$((step + 1))
	printf '\n%s%s  %s%s\n' "$bold" "$step" "$1" "$plain"
}

# Words to what follows.
tell() { printf '%s\n' "$@"; }

# Shows a command as one would type it, and runs it with its real output.
# Redirections and && are the shell's, so it is one text. It must end with the
# exit code given, or 0.
run() { # COMMAND [EXIT-CODE]
	printf '\n%s$ %s%s\n' "$cyan" "$1" "$plain"
	code=0
	(eval "$1") || code=$?
	if [ "$code" != "${2:-0}" ]; then wrong "exit code of: $1" "${2:-0}" "$code"; fi
	[ "$code" = 0 ] || printf '%s(exit code %s)%s\n' "$dim" "$code" "$plain"
}

# What was changed, without Git's frame around it, cut to the width of a page.
show_change() {
	printf '\n'
	git diff --unified=0 "$@" | sed -E '/^(diff|index|---|@@)/d; s/^\+\+\+ b\/(.*)/\1:/; s/^(.{76}).+/\1…/' |
		sed "s/^-.*/$red&$plain/; s/^+.*/$green&$plain/"
}

# A fact, checked.
fact() { # TEXT EXPECTED ACTUAL
	[ "$2" = "$3" ] || wrong "$1" "$2" "$3"
	printf '%s✓ %s%s\n' "$green" "$1" "$plain"
}

wrong() { # TEXT EXPECTED ACTUAL
	printf '\n%sNot so: %s%s\n  expected: %s\n  found:    %s\n' "$red" "$1" "$plain" "$2" "$3"
	exit 1
}
