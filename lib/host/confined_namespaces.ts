/**
 * Runs an untrusted program without systemd, as similar to confined_unit.ts as
 * the kernel allows: as an unprivileged user in namespaces of its own, without
 * any file of the host except the given ones.
 *
 * This is weaker than a unit: there is no filter of system calls, and the
 * memory limit is per process.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import {
  addressSlack,
  type Confinement,
  foldersOf,
  type Shown,
} from "./confined_unit.ts";

/**
 * Builds a root folder from the given files, enters it, and drops all
 * privileges. It is a constant. Its arguments are the user, the group, the
 * memory limit, the runtime folder, the cache folder, then `FLAG FROM TO` for
 * each file, then `--` and the command. FLAG is `need`, `if` if the file is
 * optional, or `write` if it stays writable.
 */
const script = `set -eu
umask 022
user=$1 group=$2 memory=$3 runtime=$4 cache=$5
shift 5
root=$runtime
mkdir -p "$root" "$cache"
chown "$user:$group" "$cache"
chmod 700 "$cache"
mount -t tmpfs -o mode=755,size=16M,nosuid,nodev tmpfs "$root"
show() {
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$root\${2%/*}"
		[ -e "$root$2" ] || : >"$root$2"
	fi
	mount --rbind "$1" "$root$2"
}
mkdir -p "$root$runtime" "$root$cache" "$root/tmp" "$root/proc" "$root/dev"
chmod 1777 "$root/tmp"
mount -t tmpfs -o "mode=700,size=256M,nosuid,nodev,uid=$user,gid=$group" tmpfs "$root$runtime"
mount --bind "$cache" "$root$cache"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
for device in null zero full random urandom; do show "/dev/$device" "/dev/$device"; done
while [ "$1" != -- ]; do
	if [ "$1" != if ] || [ -e "$2" ]; then
		show "$2" "$3"
		[ "$1" = write ] || mount -o remount,bind,ro "$root$3" 2>/dev/null || true
	fi
	shift 3
done
shift
mount -o remount,ro "$root"
cd "$root"
exec chroot . setpriv "--reuid=$user" "--regid=$group" --clear-groups --no-new-privs \\
	--bounding-set=-all --inh-caps=-all -- \\
	prlimit "--as=$memory" --nproc=512 --core=0 -- \\
	sh -c 'cd "$1"; umask 077; shift; exec "$@"' confined "$runtime" "$@"
`;

/** The ids of an unprivileged user. */
export interface UserIds {
  uid: number;
  gid: number;
}

/**
 * Returns the command that runs an argument list in namespaces and waits for
 * it. All processes that it starts end with it.
 *
 * @param env All its environment variables.
 */
export function runInNamespaces(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  { uid, gid }: UserIds,
  { unit, readable, writable, network, memory, seconds }: Confinement,
): Command {
  const { runtime, cache } = foldersOf(unit);
  return {
    program: "unshare",
    args: [
      ...["--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child"],
      ...network ? [] : ["--net"],
      ...["--", "/bin/sh", "-c", script, "confine"],
      ...[uid, gid, memory.ram + memory.swap + addressSlack].map(String),
      ...[runtime, cache],
      ...readable.flatMap(wordsFor),
      ...writable === undefined ? [] : ["write", writable, writable],
      ...["--", "env", "-i"],
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...argv,
    ],
    timeout: seconds * 1000,
    limits: { memory: memory.ram + memory.swap },
  };
}

function wordsFor({ from, to, optional }: Shown): string[] {
  return [optional ? "if" : "need", from, to ?? from];
}
