#!/bin/sh
# Builds the program from its sources. nix/package.nix and `./dev compile` both
# call this script, so that both build the same.
#
#     build.sh packages TO          fetches the npm packages that lib/std names,
#                                   and puts their own files into the folder TO
#     build.sh tree PACKAGES        makes the tree that Deno runs: the names of
#                                   npm packages become paths of their files
#     build.sh flags PROGRAMS       prints the flags for `deno run`
#     build.sh compile PROGRAMS TO  makes one binary of the tree
#
# It works in the current folder, a copy of deno.json, gitops_sync.ts and lib,
# and needs deno on PATH. PROGRAMS is the list that the program may run, with
# commas. `compile` also needs DENORT_BIN, the runtime of the same version.
set -eu

# Everything that any configuration can need. Each command drops what its own
# configuration does not need (lib/cli/permissions.ts), in a worker with its own
# permissions, which is an unstable option of Deno. --quiet: a missing program is
# reported when it is needed. --allow-sys: Deno 2.9 requires it for Deno.umask,
# and has no narrower name for that.
permissions='--quiet --no-prompt
--allow-env --allow-net --allow-read --allow-write
--allow-sys
--unstable-worker-options'

# Nothing is fetched, neither at build time nor at run time. --no-lock: the
# oldest Deno can't read deno.lock, and the hash of the packages is stricter.
# Deno does not search for packages either: it would search each parent folder,
# and a parent of the files of a compiled program is the folder for temporary
# files, where anyone may put a package.
offline='--cached-only --no-lock --no-remote --no-npm --node-modules-dir=none'

# A binary would store what V8 compiled in a file below the folder for temporary
# files, and would not check who made that file.
compiled='--no-code-cache'

# Files that the program loads by computed names (gitops_sync.ts,
# lib/cli/confine.ts and lib/secrets/reading/reader.ts), which the compiler can't
# find.
late='lib/cli/main.ts lib/cli/worker.ts lib/cli/deliver_worker.ts lib/secrets/reading/worker.ts'

main() {
	command=${1-}
	[ $# -eq 0 ] || shift
	# Without this, Deno always writes colours.
	export NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
	case $command in
	packages | tree | flags | compile) "$command" "$@" ;;
	*)
		echo "build.sh: unknown command: $command" >&2
		exit 2
		;;
	esac
}

packages() { # TO
	deno install --no-lock --node-modules-dir=auto --entrypoint lib/std/*.ts
	mkdir -p "$1"
	# A package's own folder; its dependencies are links beside it.
	find node_modules/.deno/*/node_modules -mindepth 1 -maxdepth 1 -type d \
		-exec cp -r {} "$1/" \;
	rm -rf node_modules
}

tree() { # PACKAGES
	cp -r "$1" npm
	chmod -R u+w npm
	for file in lib/std/*.ts; do
		sed -E 's|"npm:(@?[^@"]+)@[^/"]+/|"../../npm/\1/|' "$file" >mapped
		mv mapped "$file"
	done
	if grep -rn '"npm:' gitops_sync.ts lib; then
		echo 'build.sh: these imports name npm packages: only files in lib/std may do that' >&2
		exit 1
	fi
	# The times of files become part of the binary, which must be reproducible.
	find . -exec touch -h -d @1 {} +
}

flags() { # PROGRAMS
	echo $permissions "--allow-run${1:+=$1}" $offline
}

compile() { # PROGRAMS TO
	includes=''
	for file in $late; do includes="$includes --include $file"; done
	# shellcheck disable=SC2046,SC2086 # lists of words
	deno compile --no-check $(flags "$1") $compiled $includes --output "$2" gitops_sync.ts
}

main "$@"
