#!/bin/sh
# Runs a command in a small world of its own, in which it may act as if the
# machine were a NixOS host, while the real machine stays as it is.
#
#     tests/world/enter.sh DIR COMMAND [ARGUMENT…]
#
# In the world these folders are folders of DIR (made where they are missing);
# everything else is the machine's own, also for writing:
#
#     /nix /run /boot /etc/ssh /etc/gitops-sync /var/lib/gitops-sync
#
# So DIR/run/current-system is the running system, DIR/nix/var/nix/profiles/system
# the boot default, and both can be looked at from outside (with readlink: they
# point into the world's store, which outside is DIR/nix/store). Changes to
# other names right in /etc, /var and /var/lib last as long as the command;
# whatever lies deeper is the machine's.
#
# What must be in memory is in /run/gitops-sync (RUNTIME_DIRECTORY), which each
# entry has for itself. HOME and XDG_CACHE_HOME are DIR/home and DIR/cache, Nix
# reads DIR/nix.conf (made once; edit it as you like), tests/world/bin is first
# on PATH, and no setting of the caller for Nix, sops or age gets in (`enter.sh
# DIR env SOPS_AGE_KEY=… COMMAND` sets one). The working directory stays.
#
# Entering one DIR again, or several times at once, is entering the same world.
# It takes about 30 ms. The mounts go with the command's last process. To remove
# a world: chmod -R u+w DIR && rm -rf DIR (from outside).
#
# Root is not needed where the kernel lets users have namespaces of their own.
set -eu

fail() { # MESSAGE HINT
	printf 'enter.sh: %s\nhint: %s\n' "$1" "$2" >&2
	exit 2
}

# From outside: makes the folders and enters new namespaces.
main() {
	[ $# -ge 2 ] || fail 'Cannot enter a world: expected a folder and a command' \
		'usage: tests/world/enter.sh DIR COMMAND [ARGUMENT…]'
	mkdir -p -- "$1" || fail "Cannot make the folder $1" 'name a folder that you may write to'
	dir=$(cd -- "$1" && pwd -P)
	self=$(cd -- "$(dirname -- "$0")" && pwd -P)
	shift
	refuse_hidden "$dir"
	command -v unshare >/dev/null || fail 'Cannot enter a world: there is no unshare' 'apt-get install util-linux'
	mkdir -p "$dir/nix" "$dir/run/lock" "$dir/run/gitops-sync" "$dir/boot" "$dir/etc/ssh" "$dir/etc/gitops-sync" \
		"$dir/var/lib/gitops-sync" "$dir/home" "$dir/cache" "$dir/root"
	[ -e "$dir/nix.conf" ] || write_nix_conf "$dir/nix.conf"
	# Without root: a namespace in which this user counts as root. The new
	# namespaces' mounts are private, which is what unshare does by itself.
	if [ "$(id -u)" = 0 ]; then flags=-m; else flags=-rm; fi
	exec unshare "$flags" -- /bin/sh "$self/enter.sh" --inside "$dir" "$self" "$@"
}

refuse_hidden() { # DIR
	case $1/ in
	/run/* | /nix/* | /boot/*)
		fail "Cannot make a world in $1: the world has a folder of its own in that place" \
			'name a folder elsewhere, for example in /tmp'
		;;
	esac
	# The world's store is not the machine's, so its programs would be gone.
	case $(readlink -f "$(command -v mount)") in
	/nix/*)
		fail "Cannot make a world here: this machine's own programs live in /nix" \
			'use a Debian machine or container'
		;;
	esac
}

# Through a temporary name: two may enter at once.
write_nix_conf() { # FILE
	cat >"$1.$$" <<-'CONF'
		experimental-features = nix-command flakes
		build-users-group =
		sandbox = false
		substitute = false
		filter-syscalls = false
		warn-dirty = false
	CONF
	mv "$1.$$" "$1"
}

# From inside the new namespaces: puts the new root together and goes there.
inside() { # DIR SELF COMMAND…
	dir=$1
	self=$2
	shift 2
	here=$PWD
	root=$dir/root
	# Unbindable: the binds below must not show the new root within itself, or
	# removing DIR inside of the world would go through the whole machine.
	mount --make-unbindable -t tmpfs -o mode=755 world "$root"
	table=$root/.mounts
	folders=''
	bind_top_level
	farm etc ssh gitops-sync
	farm var lib
	farm var/lib gitops-sync
	for path in nix run boot etc/ssh etc/gitops-sync var/lib/gitops-sync; do
		bind "$dir/$path" "$path"
	done
	in_memory run/gitops-sync
	(cd "$root" && eval "mkdir -p $folders")
	# One process for all of them.
	mount -a -T "$table"
	copy_resolver
	set_environment
	# Not chroot: Nix starts its programs at the root of the mount namespace,
	# which must be this one. The old root lies on the new one, until it is gone.
	cd "$root"
	PATH=$PATH:/usr/sbin:/sbin
	pivot_root . . || fail 'Cannot change the root' 'the root of this machine may be an initramfs; use a container'
	umount -l .
	cd -- "$here" 2>/dev/null ||
		fail "Cannot work in $here: it does not exist in the world" 'change to another folder first'
	exec "$@"
}

# Adds a folder to make, and a line like those of fstab(5) to the table of mounts.
bind() { # FROM TO
	folders="$folders '$2'"
	escape "$1"
	from=$escaped
	escape "$root/$2"
	printf '%s %s none rbind 0 0\n' "$from" "$escaped" >>"$table"
}

# A folder that only this entry has, and that no disk does.
in_memory() { # TO
	escape "$root/$1"
	printf 'tmpfs %s tmpfs mode=700 0 0\n' "$escaped" >>"$table"
}

# No $(…) where it can be helped: each costs as much as starting a program.
escape() {
	escaped=$1
	case $1 in
	*[\\\ \	]*) escaped=$(printf %s "$1" | sed 's/\\/\\134/g; s/ /\\040/g; s/\t/\\011/g') ;;
	esac
}

# Everything in / that the world does not have for itself.
bind_top_level() {
	links=''
	for entry in /*; do
		case $entry in
		/nix | /run | /boot | /etc | /var | /lost+found | *[[:space:]\']*) continue ;;
		esac
		if [ -L "$entry" ]; then
			links="$links $entry"
		elif [ -d "$entry" ]; then
			bind "$entry" "${entry#/}"
		fi
	done
	bind /etc .machine/etc
	bind /var .machine/var
	# shellcheck disable=SC2086 # a list of names
	[ -z "$links" ] || cp -P $links "$root/"
}

# Makes a folder whose entries are links to the machine's, without some: so the
# world can have folders in it that the machine does not have.
farm() { # FOLDER WITHOUT…
	folder=$1
	shift
	mkdir -p "$root/$folder"
	links='' others=''
	for entry in "/$folder"/* "/$folder"/.[!.]*; do
		name=${entry##*/}
		case " $* " in *" $name "*) continue ;; esac
		# A link is copied, since it may be relative to where it is. Names
		# with a blank are nothing that a program needs.
		case $name in *[[:space:]]*) continue ;; esac
		if [ -L "$entry" ]; then
			links="$links $entry"
		elif [ -e "$entry" ]; then
			others="$others /.machine/$folder/$name"
		fi
	done
	# shellcheck disable=SC2086 # a list of names
	[ -z "$links" ] || cp -P $links "$root/$folder/"
	# shellcheck disable=SC2086
	[ -z "$others" ] || ln -s $others "$root/$folder/"
}

# Where names are looked up is often a link into /run, which is another here.
copy_resolver() {
	if [ -L /etc/resolv.conf ] && [ -e /etc/resolv.conf ]; then
		rm -f "$root/etc/resolv.conf"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	fi
}

set_environment() {
	# The compiled program is the same in every world, so its cache is shared.
	DENO_DIR=${DENO_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/deno}
	PATH=$self/bin:$PATH
	HOME=$dir/home
	XDG_CACHE_HOME=$dir/cache
	NIX_CONF_DIR=$dir
	RUNTIME_DIRECTORY=/run/gitops-sync
	SOPS_DISABLE_VERSION_CHECK=1
	export DENO_DIR PATH HOME XDG_CACHE_HOME NIX_CONF_DIR RUNTIME_DIRECTORY SOPS_DISABLE_VERSION_CHECK
	unset XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS \
		NIX_CONFIG NIX_REMOTE NIX_PATH NIX_PROFILES NIX_USER_CONF_FILES NIX_STORE_DIR NIX_STATE_DIR NIX_LOG_DIR \
		SOPS_AGE_KEY SOPS_AGE_KEY_FILE SOPS_AGE_KEY_CMD SOPS_AGE_RECIPIENTS SOPS_AGE_SSH_PRIVATE_KEY_FILE \
		SOPS_AGE_SSH_PRIVATE_KEY_CMD SOPS_PGP_FP SSH_AUTH_SOCK GNUPGHOME VAULT_ADDR VAULT_TOKEN VAULT_AGENT_ADDR
	[ -d "${TMPDIR:-/}" ] || unset TMPDIR
}

if [ "${1-}" = --inside ]; then
	shift
	inside "$@"
else
	main "$@"
fi
