/**
 * The root folder that all machines begin with: Debian with systemd and Nix,
 * made once and kept in the cache folder of `./dev`.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { output } from "../world/program.ts";

const suite = "trixie";

/** To be raised when what is below changes. */
const version = 1;

const packages = [
  "age",
  "ca-certificates",
  "curl",
  "dbus",
  "git",
  "gnupg",
  "iproute2",
  // nix-bin needs what this one stands for, and debootstrap does not see that.
  "libdbi-perl",
  "nix-bin",
  "openssh-client",
  "procps",
  "python3-minimal",
  "systemd",
  "systemd-sysv",
  "util-linux",
];

// Where Debian keeps programs of root, which are not on everyone's PATH.
const env = { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` };

/**
 * The folder of the base root, which nobody may write to. The first caller
 * makes it, which takes about a minute; others wait for it.
 *
 * @throws {Error} with the output of debootstrap, where that fails.
 */
export async function baseRoot(): Promise<string> {
  const cache = cacheFolder();
  const name = `base-${suite}-${version}`;
  const folder = `${cache}/${name}`;
  if (await exists(folder)) return folder;
  await ensureDir(cache);
  using lock = await Deno.open(`${cache}/${name}.lock`, {
    create: true,
    write: true,
  });
  await lock.lock(true);
  if (await exists(folder)) return folder;
  console.log("making the root folder of test machines: about a minute, once");
  // Under another name until it is whole, and what one that was cut off left.
  const unfinished = `${cache}/.new-${name}`;
  await output(["rm", "-rf", unfinished]);
  await make(unfinished);
  await Deno.rename(unfinished, folder);
  return folder;
}

async function make(folder: string): Promise<void> {
  // In a mount namespace, because debootstrap mounts what it does not always
  // unmount.
  await output([
    "unshare",
    "--mount",
    "debootstrap",
    "--variant=minbase",
    `--include=${packages.join(",")}`,
    suite,
    folder,
  ], { env, timeout: 20 * 60_000 });
  const broken = await output(["chroot", folder, "dpkg", "--audit"], { env });
  if (broken !== "") throw new Error(`packages are not set up:\n${broken}`);
  await output(["rm", "-rf", `${folder}/var/cache/apt/archives`]);
}

function cacheFolder(): string {
  const given = Deno.env.get("XDG_CACHE_HOME");
  return `${given || `${Deno.env.get("HOME")}/.cache`}/gitops-sync-dev`;
}
