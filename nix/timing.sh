# Checks the times of the module with systemd-analyze; sourced by the build of the
# configuration (config-file.nix). `zoneinfo` is the folder of the time zones.
# shellcheck shell=bash disable=SC2154

refuse() { # OPTION VALUE EXPECTED EXAMPLE
	printf 'error: Cannot use "%s" for %s: expected %s\n' "$2" "$1" "$3" >&2
	printf 'hint: for example: %s = "%s";\n' "$1" "$4" >&2
	exit 1
}

# A time span of systemd.time(7). KIND is positive, zero (also allows zero) or
# infinite (also allows infinity).
check_span() { # OPTION VALUE KIND EXAMPLE
	local output us
	output=$(LC_ALL=C systemd-analyze timespan -- "$2") ||
		refuse "$1" "$2" 'a time span of systemd.time(7)' "$4"
	us=$(sed -n '2s/.*: *//p' <<<"$output")
	case $3.$us in
	*. | *.*[!0-9]*) refuse "$1" "$2" "a time span that systemd-analyze accepts; it reports: $output" "$4" ;;
	infinite.18446744073709551615 | zero.0) ;;
	*.18446744073709551615) refuse "$1" "$2" 'a finite time span' "$4" ;;
	*.0) refuse "$1" "$2" 'a time span greater than zero' "$4" ;;
	esac
}

# A calendar event of systemd.time(7) that is at least once in the future.
check_calendar() { # OPTION VALUE
	local output
	output=$(LC_ALL=C systemd-analyze calendar -- "$2" || LC_ALL=C systemd-analyze calendar -- "$(without_zone "$2")") ||
		refuse "$1" "$2" 'a calendar event of systemd.time(7)' '*:0/15'
	case $output in
	*'Next elapse: never'*) refuse "$1" "$2" 'a calendar event in the future' '04:40' ;;
	*'Next elapse: '*) ;;
	*) refuse "$1" "$2" "a calendar event that systemd-analyze accepts; it reports: $output" '04:40' ;;
	esac
}

# A build has no time zones in the folder that systemd reads on a host.
without_zone() { # CALENDAR
	local zone=${1##* }
	if [ "$zone" != "$1" ] && [ -f "$zoneinfo/$zone" ]; then
		printf '%s' "${1% *}"
	else
		printf '%s' "$1"
	fi
}
