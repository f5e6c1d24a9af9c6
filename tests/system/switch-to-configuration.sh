#!/bin/sh
# switch-to-configuration of a stand-in system: what the real one of NixOS does
# as far as gitops-sync can see it, with its order, words and exit codes.
#
#   boot          makes this system the one that a reboot starts: writes
#                 /boot/loader as systemd-boot reads it (1 where that fails)
#   test          stops units that are gone, decrypts the secrets, points
#                 /run/current-system here, and starts or restarts units
#   switch        both
#   dry-activate  says what would be done; always 0
#
# Exit codes: 1 nothing was changed (bootloader, usage, another machine), 2 an
# activation snippet failed (the rest was done), 4 a unit is failed at the end,
# 11 another switch is at work, 100 a reboot is needed.
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
	case $forced in 1 | 11 | 100) die "$forced" "this system is told to fail with $forced" 'see "exit" in its host.json' ;; esac
	[ "$action" = test ] || install_bootloader
	[ "$action" = boot ] || switch_over
	[ "$forced" = 0 ] || status=$forced
	exit "$status"
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
	entry=nixos-generation-$(generation).conf
	{ put "/boot/loader/entries/$entry" "title NixOS
linux /EFI/nixos/kernel.efi
options init=$system/init loglevel=4" && put /boot/loader/loader.conf "timeout 5
default $entry"; } || die 1 'Failed to install bootloader' 'look at the free space: df -h /boot'
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
	old=$(readlink -f /run/current-system) || old=
	has_systemd && stop_gone_units
	say 'activating the configuration...'
	activate
	if has_systemd; then start_units; else run_commands; fi
	sleep "$hang_after"
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

units_of() { # SYSTEM
	[ ! -e "$1/stand-in/services" ] || cut -f 1 "$1/stand-in/services" | sed 's/$/.service/'
}

same_unit() { cmp -s "$old/etc/systemd/system/$1" "$system/etc/systemd/system/$1"; }

# X-RestartIfChanged=false counts in [Service] alone; anywhere else the real one
# passes over it, and restarts the unit.
stays_as_it_is() { # UNIT
	sed -n '/^\[Service\]/,/^\[/p' "$system/etc/systemd/system/$1" | grep -q '^X-RestartIfChanged=false$'
}

is_ours() { [ -e "$system/etc/systemd/system/$1" ]; }

stop_gone_units() {
	[ -n "$old" ] || return 0
	gone=
	for unit in $(units_of "$old"); do is_ours "$unit" || gone="$gone $unit"; done
	[ -n "$gone" ] || return 0
	say "stopping the following units:$gone"
	# shellcheck disable=SC2086 # a list of names
	systemctl stop $gone
	for unit in $gone; do rm -f "/run/systemd/system/$unit"; done
	# shellcheck disable=SC2086
	systemctl reset-failed $gone 2>/dev/null
}

start_units() {
	changed='' others='' kept=''
	for unit in $(units_of "$system"); do
		if [ ! -e "$old/etc/systemd/system/$unit" ] || same_unit "$unit"; then
			others="$others $unit"
		elif stays_as_it_is "$unit"; then
			kept="$kept $unit"
		else
			changed="$changed $unit"
		fi
	done
	link_units
	systemctl daemon-reload
	[ -z "$kept" ] || say "NOT restarting the following changed units:$kept"
	# shellcheck disable=SC2086 # lists of names
	[ -z "$changed" ] || { say "restarting the following units:$changed"; systemctl restart $changed; }
	# shellcheck disable=SC2086
	[ -z "$others" ] || { say "starting the following units:$others"; systemctl start $others; }
	failed=$(systemctl list-units --failed --plain --no-legend --no-pager | cut -d ' ' -f 1)
	[ -z "$failed" ] || units_failed "$failed"
}

link_units() {
	mkdir -p /run/systemd/system
	for unit in $(units_of "$system"); do
		repoint "/run/systemd/system/$unit" "$system/etc/systemd/system/$unit"
	done
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
	say "warning: the following units failed: $(printf '%s, ' $1 | sed 's/, $//')"
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
		want_units
	elif has_systemd; then
		start_units
	else
		run_commands
	fi
}

# What starts systemd goes on to start these.
want_units() {
	link_units
	wants=/run/systemd/system/multi-user.target.wants
	mkdir -p "$wants"
	for unit in $(units_of "$system"); do
		ln -sfn "../$unit" "$wants/$unit"
	done
}

dry_activate() {
	old=$(readlink -f /run/current-system) || old=
	say "would activate the configuration..."
	for unit in $(units_of "$system"); do
		if [ ! -e "$old/etc/systemd/system/$unit" ]; then
			say "would start the following units: $unit"
		elif ! same_unit "$unit"; then
			say "would restart the following units: $unit"
		fi
	done
	[ -n "$old" ] || return 0
	for unit in $(units_of "$old"); do
		is_ours "$unit" || say "would stop the following units: $unit"
	done
}

main "$@"
