#!/bin/sh
# Boots a machine: Debian's systemd as process 1 of namespaces of its own, on a
# root folder whose changes stay. machine.ts starts it, as root.
#
#     boot.sh DIR BASE CHECKOUT DENO SOPS DENO_DIR [PROGRAM]
#
# DIR is the machine's: DIR/upper has what it changed of BASE, DIR/shared is its
# /srv, DIR/disk (if it is there) its state folder, DIR/boot.log what was said
# before its journal began, and DIR/init is made when it runs, with the id of its
# process 1. Everything else is read-only to it. gitops-sync is that of CHECKOUT,
# or the one in the folder PROGRAM. Its power is cut by a line on standard input,
# and no mount, process or control group is left. So it is at the end of standard
# input, which comes when the caller dies; then DIR is removed, too.
#
# A cable leads from the machine's eth0 (10.23.0.2) to `cable` (10.23.0.1) in
# the network namespace of this process, and from there nowhere.
set -eu

PATH=$PATH:/usr/sbin:/sbin
export PATH

# From outside. Already in a mount and a network namespace of its own.
supervise() { # DIR …
	dir=$1
	exec 2>>"$dir/boot.log"
	is_orphan=''
	let_go_of_disks
	group=$dir/cgroup/$(basename "$dir")
	mkdir -p "$dir/cgroup"
	mount -t cgroup2 cgroup2 "$dir/cgroup"
	mkdir "$group"
	unshare --mount --pid --fork --kill-child --uts --ipc --net \
		-- /bin/sh "$self" --join "$group" "$@" </dev/null >>"$dir/boot.log" 2>&1 &
	machine=$!
	trap cut_power EXIT
	until init=$(pgrep -P "$machine"); do
		kill -0 "$machine" || exit 1
		sleep 0.01
	done
	connect
	echo "$init" >"$dir/init.new"
	mv "$dir/init.new" "$dir/init"
	read -r _ || is_orphan=yes
}

# The power of another machine could not be cut as long as this one has its disk.
let_go_of_disks() {
	own=$(readlink "$dir/disk" || true)
	for disk in $(sed -n 's|^/dev/loop[0-9]* \([^ ]*/gitops-sync-disk-[^ ]*\) .*|\1|p' /proc/mounts); do
		[ "$disk/state" = "$own" ] || umount -l "$disk"
	done
}

connect() {
	ip link set lo up
	ip link add name cable type veth peer name eth0 netns "$init"
	ip address add 10.23.0.1/24 dev cable
	ip link set cable up
	in_machine='nsenter --net --target'
	$in_machine "$init" ip address add 10.23.0.2/24 dev eth0
	$in_machine "$init" ip link set eth0 up
}

# Process 1 of the namespace takes all others with it. It is named by its
# parent, because it may have ended before and its id be another's.
cut_power() {
	trap - EXIT
	pkill -KILL -P "$machine" || true
	wait "$machine" || true
	rm -f "$dir/init"
	find "$group" -depth -type d -exec rmdir {} +
	umount "$dir/cgroup"
	[ -z "$is_orphan" ] || rm -rf "$dir"
}

# From inside of the new namespaces, as process 1: a control group of its own,
# which is then the top of all that it sees.
join() { # GROUP DIR …
	echo 0 >"$1/cgroup.procs"
	shift
	exec unshare --cgroup -- /bin/sh "$self" --inside "$@"
}

inside() { # DIR BASE CHECKOUT DENO SOPS DENO_DIR [PROGRAM]
	root=$1/root
	lay_root "$1" "$2"
	show "$1/shared" /srv
	[ ! -d "$1/disk" ] || show "$1/disk" /var/lib/gitops-sync
	show "$3" /opt/gitops-sync ro
	show "$4" /usr/local/bin/deno ro
	show "$5" /usr/local/bin/sops ro
	# Only what Deno has fetched: the rest of its cache is the machine's own.
	[ ! -d "$6/npm" ] || show "$6/npm" /var/cache/deno/npm ro
	if [ $# -gt 6 ]; then
		show "$7" "$7"
		ln -sfn "$7/gitops-sync" "$root/usr/local/bin/gitops-sync"
	fi
	mount_system
	hostname demo
	cd "$root"
	# Not chroot: Nix starts its programs at the root of the mount namespace.
	pivot_root . .
	umount -l .
	# As systemd itself does where it boots a real machine: what it mounts for a
	# unit, such as credentials, it mounts in another namespace.
	mount --make-rshared /
	hash -r
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	start_stand_in
	# Nothing that would reach the real machine's clock or kernel. With a clock of
	# its own (clock.c), which nothing gets that systemd starts.
	set --
	[ ! -e /srv/clock.so ] || set -- LD_PRELOAD=/srv/clock.so
	exec env -i PATH="$PATH" container=lxc "$@" setpriv \
		--bounding-set=-sys_time,-sys_module,-sys_rawio,-syslog \
		/usr/lib/systemd/systemd
}

# Not every filesystem can hold the upper folder of an overlay (another overlay
# cannot); then the machine gets a copy of its own.
lay_root() { # DIR BASE
	mkdir -p "$1/upper" "$1/work" "$root" "$1/shared"
	if [ ! -e "$1/copied" ] && mount -t overlay machine \
		-o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$root"; then
		:
	else
		[ -e "$1/copied" ] || { cp -a --reflink=auto "$2/." "$root" && touch "$1/copied"; }
		mount --bind "$root" "$root"
	fi
	# What is not Debian's, once: the machine may change it.
	[ -e "$root/etc/nix/nix.conf" ] ||
		cp -R --no-preserve=ownership "$(dirname "$self")/root/." "$root"
}

show() { # FROM TO [OPTION]
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$root${2%/*}"
		[ -e "$root$2" ] || : >"$root$2"
	fi
	mount --bind "$1" "$root$2"
	[ $# -lt 3 ] || mount -o "remount,bind,$3" "$root$2"
}

# The folders of the kernel, such that the real machine's settings are safe.
mount_system() {
	mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
	for part in sys sysrq-trigger; do
		[ -e "$root/proc/$part" ] || continue
		mount --bind "$root/proc/$part" "$root/proc/$part"
		mount -o remount,bind,ro "$root/proc/$part"
	done
	mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
	mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
	mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
	mount_dev
	# The kernel's own is the same after a power cut, and no reboot is.
	cat /proc/sys/kernel/random/uuid >"$root/run/boot-id"
	mount --bind "$root/run/boot-id" "$root/proc/sys/kernel/random/boot_id"
}

mount_dev() {
	mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
	for device in null zero full random urandom tty; do
		: >"$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	for stream in 0/stdin 1/stdout 2/stderr; do
		ln -s "/proc/self/fd/${stream%/*}" "$root/dev/${stream#*/}"
	done
}

# What a bootloader and stage 2 of NixOS do. As there, a failed activation does
# not keep systemd from starting.
start_stand_in() {
	[ -e /boot/loader/loader.conf ] || return 0
	entry=$(default_entry "$(sed -n 's/^default //p' /boot/loader/loader.conf)")
	count_boot
	system=$(sed -n 's|^options init=\(.*\)/init .*|\1|p' "/boot/loader/entries/$entry")
	"$system/init" systemd || echo "$system/init ended with $?"
}

# The one that systemd-boot takes: the newest that it has not given up. `./dev
# boot` looks whether the real one does so.
default_entry() { # PATTERN
	for name in $(cd /boot/loader/entries && ls); do
		case $name in *+0.conf | *+0-*) given_up=0 ;; *) given_up=1 ;; esac
		case ${name%%+*}.conf in
		"$1" | "$1.conf") echo "2 $name $name" ;;
		esac
		# shellcheck disable=SC2254 # a pattern
		case $name in $1) echo "$given_up ${name%%+*} $name" ;; esac
	done | sort -k 1,1 -k 2,2V | tail -n 1 | cut -d ' ' -f 3
}

# As systemd-boot: takes one of the tries in the entry's name, and says in a
# variable of the firmware which entry that was.
count_boot() {
	case $entry in *+*) ;; *) return 0 ;; esac
	tries=${entry##*+}
	tries=${tries%.conf}
	left=${tries%%-*}
	tried=$((${tries#"$left"} + 0))
	# One that loader.conf names in full is tried for ever.
	[ "$left" -gt 0 ] || left=1
	counted=${entry%+*}+$((left - 1))-$((1 - tried)).conf
	mv "/boot/loader/entries/$entry" "/boot/loader/entries/$counted"
	entry=$counted
	# bless-boot looks for a mounted partition.
	mount --bind /boot /boot
	mount -t tmpfs tmpfs /sys/firmware
	mkdir -p /sys/firmware/efi/efivars
	{
		printf '\006\000\000\000'
		printf '%s' "\\loader\\entries\\$counted" | sed 's/./&\n/g' | tr '\n' '\000'
		printf '\000\000'
	} >/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
}

self=$(readlink -f -- "$0")
case ${1-} in
--join)
	shift
	join "$@"
	;;
--inside)
	shift
	inside "$@"
	;;
--supervise)
	shift
	supervise "$@"
	;;
*) exec unshare --mount --net -- /bin/sh "$self" --supervise "$@" ;;
esac
