#!/bin/sh
# switch-to-configuration of a stand-in system: what the real one of NixOS does
# as far as gitops-sync can see it, with its order, words and exit codes.
#
#   boot          makes this system the one that a reboot starts: writes
#                 /boot/loader as systemd-boot reads it (1 where that fails)
#   test          stops units that are gone or changed, decrypts the secrets,
#                 points /run/current-system here, and starts, restarts or
#                 reloads units
#   switch        both
#   dry-activate  says what would be done, in the words of the real one, and ends
#                 with 0 but where another switch is at work
#
# Exit codes: 1 nothing was changed (bootloader, usage, a pre-switch check,
# another machine), 2 an
# activation snippet failed (the rest was done), 4 a unit could not be started,
# restarted, reloaded or stopped, one is failed at the end, or the activation of
# a user failed; 11 with "Could not acquire lock" another switch is at work; 100
# a reboot is needed. Any other failure ends it with the last errno, in the
# midst of its work: 11 too, where logind does not answer.
#
# A unit that is active and has changed is stopped and started again; with
# X-StopIfChanged=false restarted, with X-ReloadIfChanged=true reloaded, with
# X-RestartIfChanged=false left as it is. All of these are read in [Service]
# alone. What is to be done is written to /run/nixos/{start,restart,reload}-list
# first, and what an earlier switch left there is worked off. What had failed
# before is reset, so that it is started again with its target.
#
# Without systemd (/run/systemd/system) the services' commands run directly, at
# each switch. Each call is noted in /run/stand-in/calls: "ACTION SYSTEM".
#
# Called as `activate` it only does the activation, called as `init` what a
# boot does: /run/booted-system, activation, units. `init systemd` is for right
# before systemd starts, which then starts the units by itself.
# shellcheck disable=SC2154,SC2329 # settings; functions called by name
set -u

system=$(dirname "$(readlink -f "$0")")
system=${system%/bin}
# A switch does not get its caller's environment on NixOS; sops and age may
# still be somewhere that only the caller knows.
PATH=/run/wrappers/bin:/usr/local/bin:/usr/bin:/bin:$PATH
export PATH HOME=/var/empty
unset XDG_CONFIG_HOME
export SOPS_DISABLE_VERSION_CHECK=1
# shellcheck source=/dev/null
. "$system/stand-in/settings"
tab='	'
status=0

say() { printf '%s\n' "$*" >&2; }

die() { # CODE MESSAGE HINT
	say "error: $2"
	say "hint: $3"
	exit "$1"
}

main() {
	case ${0##*/} in
	activate) activate && exit "$status" ;;
	init) start_up "${1-}" && exit "$status" ;;
	esac
	action=${1-}
	case $action in
	test | switch | boot | dry-activate) ;;
	*) die 1 "expected test, switch, boot or dry-activate, not '$action'" 'usage: switch-to-configuration ACTION' ;;
	esac
	refuse_real_host
	[ "$action" != dry-activate ] || { dry_activate; exit 0; }
	mkdir -p /run/nixos /run/stand-in
	take_lock
	echo "$action $system" >>/run/stand-in/calls
	forced=$(forced_code)
	[ "$forced" != 11 ] || say 'Could not acquire lock'
	case $forced in 1 | 11 | 100) die "$forced" "this system is told to fail with $forced" 'see "exit" in its host.json' ;; esac
	[ "${NIXOS_NO_CHECK-}" = 1 ] || pre_switch_checks
	[ "$action" = test ] || install_bootloader
	[ "$action" = boot ] || switch_over
	[ "$forced" = 0 ] || status=$forced
	exit "$status"
}

# All are asked, and each that fails is named: the words are those of nixpkgs.
pre_switch_checks() {
	failed=''
	while IFS="$tab" read -r name file; do
		[ "$name $action" != 'switchInhibitors boot' ] || continue
		sh "$file" </dev/null 9>&- && continue
		say "Pre-switch check '$name' failed"
		failed=1
	done <"$system/stand-in/pre-switch-checks"
	[ -z "$failed" ] || { say 'Pre-switch checks failed'; exit 1; }
}

forced_code() {
	case $action in
	test) echo "$exit_test" ;;
	boot) echo "$exit_boot" ;;
	switch) echo "$exit_switch" ;;
	esac
}

# On a real NixOS this would be a way to lose a host.
refuse_real_host() {
	current=$(readlink -f /run/current-system) || current=
	[ -z "$current" ] || [ ! -e "$current" ] || [ -d "$current/stand-in" ] ||
		die 1 "$current is a real system" 'a stand-in system belongs in tests/world or on a test host'
}

take_lock() {
	exec 9>/run/nixos/switch-to-configuration.lock
	flock --nonblock 9 || die 11 'Could not acquire lock' 'another switch-to-configuration is at work'
}

# As the builder of systemd-boot's entries does in NixOS: the entry of this
# generation, and then loader.conf, which names it.
install_bootloader() {
	[ "$bootloader" = works ] || { say 'No space left on device'; return 0; }
	mkdir -p /boot/loader/entries
	name=nixos-generation-$(generation)
	entry=$name.conf default=$name.conf
	# With boot counting, a new entry has tries, and an old one keeps its own.
	if [ -s /boot/loader/tries ]; then
		entry=$name+$(cat /boot/loader/tries).conf default='nixos-generation-*'
		for old in "/boot/loader/entries/$name.conf" "/boot/loader/entries/$name+"*; do
			[ ! -e "$old" ] || entry=${old##*/}
		done
	fi
	{ put "/boot/loader/entries/$entry" "title NixOS
linux /EFI/nixos/kernel.efi
options init=$system/init loglevel=4" && put /boot/loader/loader.conf "timeout 5
default $default"; } || die 1 'Failed to install bootloader' 'look at the free space: df -h /boot'
}

# The number in the profile's link to this system; 0 where it has none.
generation() {
	link=$(readlink /nix/var/nix/profiles/system) || link=
	[ "$(readlink -f /nix/var/nix/profiles/system)" = "$system" ] || link=
	number=${link#system-}
	number=${number%-link}
	echo "${number:-0}"
}

put() { # FILE TEXT: whole or not at all
	echo "$2" >"$1.new" && sync "$1.new" && mv -T "$1.new" "$1" && return
	rm -f "$1.new"
	return 1
}

switch_over() {
	sleep "$hang"
	has_systemd && wait_for_boot
	old=$(readlink -f /run/current-system) || old=
	has_systemd && { sort_units; stop_units; }
	[ "$errno" = 0 ] || die "$errno" "this system is told to end with errno $errno" 'see "errno" in its host.json'
	say 'activating the configuration...'
	activate
	if has_systemd; then start_units; else run_commands; fi
	sleep "$hang_after"
}

# The one of 24.11 does, so that a switch in the midst of a boot waits for it.
wait_for_boot() {
	[ "$release" = 24.11 ] || return 0
	while :; do
		case $(systemctl is-system-running) in initializing | starting) sleep 0.2 ;; *) return ;; esac
	done
}

# --- activation -----------------------------------------------------------

# Each snippet may fail; what comes after it is done all the same.
activate() {
	snippet setupSecrets install_secrets
	[ ! -s "$system/stand-in/activation" ] || snippet custom sh "$system/stand-in/activation"
	repoint /run/current-system "$system"
}

snippet() { # NAME COMMAND…
	name=$1
	shift
	# Not the lock's descriptor: what a snippet leaves behind would hold it.
	("$@") </dev/null 9>&- && return
	say "Activation script snippet '$name' failed ($?)"
	status=2
}

repoint() { # LINK TARGET
	ln -sfn "$2" "$1.new" && mv -T "$1.new" "$1"
}

# All are decrypted before any is put in place; the old ones go at the end.
install_secrets() {
	[ -s "$system/stand-in/secrets" ] || { rm -rf /run/secrets /run/secrets.d; return 0; }
	umask 077
	mkdir -p /run/secrets.d
	generation=$(mktemp -d /run/secrets.d/XXXXXXXX)
	while IFS=$tab read -r file key name; do
		if ! decrypt "$file" "$key" >"$generation/$name"; then
			say "failed to decrypt $file for $name"
			rm -rf "$generation"
			return 1
		fi
		chmod 400 "$generation/$name"
	done <"$system/stand-in/secrets"
	chmod 755 /run/secrets.d "$generation"
	repoint /run/secrets "$generation"
	for other in /run/secrets.d/*; do
		[ "$other" = "$generation" ] || rm -rf "$other"
	done
}

decrypt() { # FILE KEY
	case $1 in *.age)
		age --decrypt --identity "$key_file" "$1"
		return
		;;
	esac
	if [ "$2" = - ]; then
		SOPS_AGE_KEY_FILE=$key_file sops decrypt "$1"
	else
		SOPS_AGE_KEY_FILE=$key_file sops decrypt --extract "[\"$2\"]" "$1"
	fi
}

# --- services -------------------------------------------------------------

has_systemd() { [ -d /run/systemd/system ]; }

# What a system installs, one a line.
units_of() { # SYSTEM
	for file in "$1"/etc/systemd/system/*.*; do
		if [ -L "$file" ] && [ ! -d "$file" ]; then echo "${file##*/}"; fi
	done
}

# The file of a unit in a system, that of its template for an instance.
file_of() { # SYSTEM UNIT
	if [ -e "$1/etc/systemd/system/$2" ]; then
		echo "$1/etc/systemd/system/$2"
		return
	fi
	case $2 in *@*.*) ;; *) return 1 ;; esac
	file="$1/etc/systemd/system/${2%%@*}@.${2##*.}"
	[ -e "$file" ] && echo "$file"
}

# What a unit file says in one of its sections.
says() { # FILE SECTION KEY=VALUE
	sed -n "/^\\[$2\\]/,/^\\[/p" "$1" | grep -qx "$3"
}

active_units() {
	systemctl list-units --all --state=active,activating --plain --no-legend --no-pager --full | cut -d ' ' -f 1
}

# A dry activation writes nothing down.
note() { # LIST UNIT
	echo "$2" >>"${dry_lists-/run/nixos}/$1-list"
}

noted() { # LIST
	cat "/run/nixos/$1-list" "${dry_lists-/run/nixos}/$1-list" 2>/dev/null | sort -u | tr '\n' ' '
}

commas() { printf '%s, ' "$@" | sed 's/, $//'; }

# What has to be done with each unit that is active.
sort_units() {
	to_stop='' to_skip=''
	for unit in $(active_units); do
		[ -n "$old" ] && before=$(file_of "$old" "$unit") || continue
		if ! now=$(file_of "$system" "$unit") || [ ! -s "$now" ]; then
			says "$before" Unit X-StopOnRemoval=false || to_stop="$to_stop $unit"
		elif cmp -s "$before" "$now"; then
			:
		else
			sort_changed "$unit" "$now"
		fi
	done
	for target in "$system"/etc/systemd/system/*.wants; do
		[ -d "$target" ] || continue
		target=${target##*/}
		target=${target%.wants}
		systemctl --quiet is-active "$target" && note start "$target"
	done
	[ ! -e "$system/etc/fstab" ] || note start local-fs.target
	sort_mounts
}

sort_changed() { # UNIT FILE
	case $1 in
	*.slice | *.socket | *.path) return ;;
	*.mount) note reload "$1" && return ;;
	esac
	if says "$2" Service X-ReloadIfChanged=true; then
		note reload "$1"
	elif says "$2" Service X-RestartIfChanged=false || says "$2" Unit RefuseManualStop=true; then
		to_skip="$to_skip $1"
	elif says "$2" Service X-StopIfChanged=false; then
		note restart "$1"
	else
		to_stop="$to_stop $1"
		# What a socket starts is left to it.
		if socket=$(file_of "$system" "${1%.service}.socket"); then
			to_stop="$to_stop ${socket##*/}"
			note start "${socket##*/}"
		else
			note start "$1"
		fi
	fi
}

# Mounts: other options are a reload, another device or type is a restart.
sort_mounts() {
	[ -n "$old" ] && [ -e "$old/etc/fstab" ] || return 0
	while read -r device folder type options _; do
		[ "$type" != swap ] || { stop_swap "$device"; continue; }
		unit=$(systemd-escape --path --suffix=mount "$folder")
		now=$(awk -v folder="$folder" '$2 == folder' "$system/etc/fstab" 2>/dev/null)
		case $now in
		'') to_stop="$to_stop $unit" ;;
		"$device $folder $type $options "*) ;;
		"$device $folder $type "*) note reload "$unit" ;;
		*) note restart "$unit" ;;
		esac
	done <"$old/etc/fstab"
}

# It is turned off without systemd, and a failure is only told.
stop_swap() { # DEVICE
	! awk -v device="$1" '$3 == "swap" && $1 == device { exit 1 }' "$system/etc/fstab" || return 0
	if [ -n "${dry_lists-}" ]; then
		say "would stop swap device: $1"
	else
		say "stopping swap device: $1"
		swapoff "$1" 2>/dev/null || say "Failed to stop swapping to $1: No such file or directory (os error 2)"
	fi
}

stop_units() {
	[ -z "$to_stop" ] || {
		# shellcheck disable=SC2086 # a list of names
		say "stopping the following units: $(commas $to_stop)"
		each stop "$to_stop"
	}
	# shellcheck disable=SC2086
	[ -z "$to_skip" ] || say "NOT restarting the following changed units: $(commas $to_skip)"
}

# As with the real one, the jobs are begun together and then waited for.
each() { # VERB UNITS
	jobs=
	for unit in $2; do
		systemctl "$1" "$unit" 2>/dev/null 9>&- &
		jobs="$jobs $!:$unit"
	done
	for job in $jobs; do
		wait "${job%%:*}" || { say "Failed to $1 ${job#*:}"; status=4; }
	done
}

start_units() {
	for list in restart reload; do
		[ ! -e "/run/nixos/activation-$list-list" ] || while read -r unit; do
			note "$list" "$unit"
		done <"/run/nixos/activation-$list-list"
		rm -f "/run/nixos/activation-$list-list"
	done
	link_units
	systemctl reset-failed
	systemctl daemon-reload
	activate_users
	work_off reload reloading
	work_off restart restarting
	work_off start starting
	failed=$(systemctl list-units --failed --plain --no-legend --no-pager | cut -d ' ' -f 1)
	# What is started again and again has failed, too.
	failed="$failed $(systemctl list-units --all --state=auto-restart,auto-restart-queued --plain --no-legend --no-pager | cut -d ' ' -f 1)"
	[ -z "${failed# }" ] || units_failed "$failed"
}

work_off() { # VERB DOING
	list=$(noted "$1")
	if [ -n "$list" ]; then
		# shellcheck disable=SC2086 # a list of names
		say "$2 the following units: $(commas $list)"
		each "$1" "$list"
	fi
	rm -f "/run/nixos/$1-list"
}

# Each user that logind knows of. Where it does not answer, that is the end.
activate_users() {
	users=$(timeout 5 loginctl list-users --no-legend) || {
		say 'Failed to list users with logind'
		exit 11
	}
	[ -s "$system/stand-in/user-activation" ] || return 0
	for user in $(printf %s "$users" | awk '{ print $2 }'); do
		say "reloading user units for $user..."
		runuser -u "$user" -- env XDG_RUNTIME_DIR="/run/user/$(id -u "$user")" \
			sh "$system/stand-in/user-activation" 9>&- && continue
		say "user activation for $user failed"
		status=4
	done
}

# All of this system's units and wants in place of those of the one before.
link_units() {
	mkdir -p /run/systemd/system
	[ ! -e /run/stand-in/links ] || xargs rm -f </run/stand-in/links
	: >/run/stand-in/links
	(cd "$system/etc/systemd/system" && find . -type l) | while read -r link; do
		mkdir -p "/run/systemd/system/${link%/*}"
		ln -sfn "$(readlink "$system/etc/systemd/system/$link")" "/run/systemd/system/$link"
		echo "/run/systemd/system/$link" >>/run/stand-in/links
	done
	cat "$system/etc/fstab" 2>/dev/null >/etc/fstab
	return 0
}

# Daemons have no place without systemd; commands that end are run.
run_commands() {
	failed=
	while IFS=$tab read -r name _ script type; do
		[ "$type" = oneshot ] || continue
		say "starting $name.service"
		sh "$script" </dev/null 9>&- || failed="$failed $name.service"
	done <"$system/stand-in/services"
	[ -z "$failed" ] || units_failed "$failed"
}

units_failed() { # NAMES
	# shellcheck disable=SC2086 # a list of names
	say "warning: the following units failed: $(commas $1)"
	status=4
}

# --- the rest -------------------------------------------------------------

start_up() { # [systemd]
	mkdir -p /run/nixos /run/stand-in
	echo "init $system" >>/run/stand-in/calls
	repoint /run/booted-system "$system"
	old=
	activate
	if [ "$1" = systemd ]; then
		# What starts systemd goes on to start these.
		link_units
	elif has_systemd; then
		start_units
	else
		run_commands
	fi
}

# As the real one: it takes the lock, tells no targets and so nothing that they
# start, nothing of users, and always ends with 0. What is to be done with what
# an earlier switch has left is told as well.
dry_activate() {
	mkdir -p /run/nixos
	take_lock
	old=$(readlink -f /run/current-system) || old=
	dry_lists=$(mktemp -d)
	to_stop='' to_skip=''
	! has_systemd || sort_units
	say 'Not checking switch inhibitors (action = dry-activate)'
	# shellcheck disable=SC2086 # lists of names
	{
		tell_dry 'would stop the following units' $to_stop
		tell_dry 'would NOT stop the following changed units' $to_skip
	}
	say 'would activate the configuration...'
	[ -z "$dry_words" ] || say "$dry_words"
	dry_secrets
	# shellcheck disable=SC2046
	{
		tell_dry 'would reload the following units' $(noted reload)
		tell_dry 'would restart the following units' $(noted restart)
		tell_dry 'would start the following units' $(noted start | tr ' ' '\n' | grep -v '\.target$')
	}
	rm -r "$dry_lists"
}

tell_dry() { # WORDS UNIT…
	words=$1
	shift
	[ $# = 0 ] || say "$words: $(commas $(printf '%s\n' "$@" | sort -fu))"
}

# As sops-install-secrets does: decrypts all into a folder that it leaves there.
dry_secrets() {
	[ -s "$system/stand-in/secrets" ] || [ -d /run/secrets ] || return 0
	umask 077
	mkdir -p /run/secrets.d
	generation=$(mktemp -d /run/secrets.d/XXXXXXXX)
	added='' modified='' removed=''
	while IFS=$tab read -r file key name; do
		decrypt "$file" "$key" >"$generation/$name" || return 0
		if [ ! -e "/run/secrets/$name" ]; then
			added="$added $name"
		elif ! cmp -s "$generation/$name" "/run/secrets/$name"; then
			modified="$modified $name"
		fi
	done <"$system/stand-in/secrets"
	for path in /run/secrets/*; do
		[ ! -e "$path" ] || [ -e "$generation/${path##*/}" ] || removed="$removed ${path##*/}"
	done
	# shellcheck disable=SC2086 # lists of names
	{
		tell_secrets 'would add' $added
		tell_secrets 'would modify' $modified
		tell_secrets 'would remove' $removed
	}
}

tell_secrets() { # WORDS NAME…
	words=$1
	shift
	[ $# = 0 ] || say "$words secret$([ $# = 1 ] || echo s): $(commas "$@")"
}

main "$@"
