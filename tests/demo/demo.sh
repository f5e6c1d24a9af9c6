#!/bin/sh
# ./dev demo: what gitops-sync does, on real git, Nix, age and sops, in a world
# of its own (tests/world/enter.sh) that is gone afterwards.
#
#     tests/demo/demo.sh [--keep]
#
# The story itself is in story.sh. It checks every fact that it tells: exit 1
# means that one of them is not so.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd -P)
enter=$here/../world/enter.sh

main() {
	keep=no
	case ${1-} in
	'') ;;
	--keep) keep=yes ;;
	*)
		printf 'demo: unknown argument: %s\nhint: usage: ./dev demo [--keep]\n' "$1" >&2
		exit 2
		;;
	esac
	world=$(mktemp -d "${TMPDIR:-/tmp}/gitops-sync-demo-XXXXXX")
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	"$enter" "$world" "$here/story.sh" "$world"
}

finish() {
	code=$?
	trap - EXIT
	if [ "$keep" = yes ]; then
		printf '\nThe folder stays: %s\nA shell in it: ./dev shell tests/world/enter.sh %s sh\n' "$world" "$world"
	else
		# The store's folders are read-only, which only root may overlook.
		chmod -R u+w "$world" 2>/dev/null || true
		rm -rf "$world"
	fi
	exit "$code"
}

main "$@"
