/**
 * The real systemd-bless-boot, which a machine does not have by itself: Debian's
 * package has it together with what installs a bootloader.
 *
 * @module
 */
import { exists } from "@std/fs";
import { output } from "../world/program.ts";
import { baseRoot } from "./base.ts";
import type { Machine } from "./machine.ts";

/**
 * Fetches a program out of a package of the suite of the machines, with its own
 * apt, in a copy that is thrown away.
 */
const fetchScript = `
set -eu
base=$1 to=$2 package=$3 path=$4
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$work/root"
cp /etc/resolv.conf "$work/root/etc/resolv.conf"
cp /etc/apt/apt.conf.d/* "$work/root/etc/apt/apt.conf.d/" 2>/dev/null || true
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
chroot "$work/root" sh -c 'apt-get update -q && cd /root && case $1 in *-amd64) set -- "$(apt-cache depends "$1" | sed -n "s/^ *Depends: //p" | head -n 1)" ;; esac && apt-get download -q "$1" && dpkg -x "$1"_*.deb /root/package' sh "$package" >&2
mkdir -p "$(dirname "$to")"
# The name may have a version in it.
cp "$work/root/root/package"/$path "$to.new"
mv "$to.new" "$to"
`;

/**
 * The path of a file of a package of the machines' suite; fetched once.
 *
 * @param name A package; what ends in `-amd64` stands for the one it needs.
 * @param path The file in it, as a shell's pattern.
 */
export async function fromPackage(
  name: string,
  path: string,
): Promise<string> {
  const base = await baseRoot();
  const to = `${base}-${name}/${path.slice(path.lastIndexOf("/") + 1)}`;
  if (!await exists(to)) {
    const argv = ["unshare", "--mount", "sh", "-c", fetchScript, "sh"];
    await output([...argv, base, to, name, path], { timeout: 300_000 });
  }
  return to;
}

/**
 * Gives a machine the program. It refuses to work in a container: here it
 * sees none, and a partition that it takes for the right one.
 */
export async function installBless(machine: Machine): Promise<void> {
  const path = await fromPackage(
    "systemd-boot",
    "usr/lib/systemd/systemd-bless-boot",
  );
  await Deno.copyFile(path, `${machine.shared}/bless`);
  machine.write(
    "/usr/lib/systemd/systemd-bless-boot",
    "#!/bin/sh\nrm -f /run/systemd/container\n" +
      "export SYSTEMD_RELAX_ESP_CHECKS=1 container=\n" +
      'exec unshare --mount --pid --fork --mount-proc /srv/bless --path=/boot "$@"\n',
  );
  await machine.output(
    ["chmod", "+x", "/usr/lib/systemd/systemd-bless-boot", "/srv/bless"],
  );
}
