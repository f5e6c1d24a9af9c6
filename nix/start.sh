# Runs first in the wrapper of the package. It checks for problems at which the
# runtime would end with a stack trace before the program starts.

gitops_sync_fail() { # MESSAGE HINT
	printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
	exit 2
}

# If the user's locale is missing, bash warns each time it returns to it.
gitops_sync_is_utf8() { gitops_sync_fits "$1" 2>/dev/null; } # TEXT

# Byte by byte, according to RFC 3629.
gitops_sync_fits() { # TEXT
	local LC_ALL=C tail=$'[\x80-\xbf]' one=$'[\x01-\x7f]' two=$'[\xc2-\xdf]' three four all
	three=$'(\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])'
	four=$'(\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])'
	all="^($one|$two$tail|$three$tail|$four$tail$tail)*\$"
	[[ $1 =~ $all ]]
}

# The runtime finds itself there.
[[ $OSTYPE != linux* || -e /proc/self/exe ]] ||
	gitops_sync_fail 'Cannot start: /proc is not mounted' 'mount it: mount -t proc proc /proc'

# The current folder: bash knows its path, if it still exists.
[[ $PWD -ef . ]] || pwd -P >/dev/null 2>&1 ||
	gitops_sync_fail 'Cannot start: the current folder does not exist any more' 'change to another folder: cd /'
gitops_sync_is_utf8 "$PWD" ||
	gitops_sync_fail "Cannot start in $(printf %q "$PWD"): expected UTF-8" 'change to another folder: cd /'

# The runtime names the program's own files below this folder. If it is not an
# absolute path in UTF-8, the usual folder is used instead.
if [[ ${TMPDIR-/} != /* ]] || ! gitops_sync_is_utf8 "${TMPDIR-}"; then unset TMPDIR; fi

for gitops_sync_word; do
	gitops_sync_is_utf8 "$gitops_sync_word" ||
		gitops_sync_fail "Cannot read the argument $(printf %q "$gitops_sync_word"): expected UTF-8" \
			'rename the file or branch to a name in UTF-8'
done
