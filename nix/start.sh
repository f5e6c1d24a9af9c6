# Begins the wrapper of the package: what the runtime itself would meet before
# the program begins, and answer with a stack.

gitops_sync_fail() { # MESSAGE HINT
	printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
	exit 2
}

# Where the user's locale is missing, bash says so each time it goes back to it.
gitops_sync_is_utf8() { gitops_sync_fits "$1" 2>/dev/null; } # TEXT

# Byte by byte, as RFC 3629 has it.
gitops_sync_fits() { # TEXT
	local LC_ALL=C tail=$'[\x80-\xbf]' one=$'[\x01-\x7f]' two=$'[\xc2-\xdf]' three four all
	three=$'(\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])'
	four=$'(\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])'
	all="^($one|$two$tail|$three$tail|$four$tail$tail)*\$"
	[[ $1 =~ $all ]]
}

# There, the runtime finds itself.
[[ $OSTYPE != linux* || -e /proc/self/exe ]] ||
	gitops_sync_fail 'Cannot start: /proc is not mounted' 'mount it: mount -t proc proc /proc'

# The current folder: bash knows its path, if it still has one.
[[ $PWD -ef . ]] || pwd -P >/dev/null 2>&1 ||
	gitops_sync_fail 'Cannot start: the current folder does not exist any more' 'change to another folder: cd /'
gitops_sync_is_utf8 "$PWD" ||
	gitops_sync_fail "Cannot start in $(printf %q "$PWD"): expected UTF-8" 'change to another folder: cd /'

# The runtime gives the program's own files a name below this folder. A relative
# name, or none, is no place: the usual folder takes its place then.
if [[ ${TMPDIR-/} != /* ]] || ! gitops_sync_is_utf8 "${TMPDIR-}"; then unset TMPDIR; fi

for gitops_sync_word; do
	gitops_sync_is_utf8 "$gitops_sync_word" ||
		gitops_sync_fail "Cannot read the argument $(printf %q "$gitops_sync_word"): expected UTF-8" \
			'rename the file or branch to a name in UTF-8'
done
