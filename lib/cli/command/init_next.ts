/**
 * Reads the checkout that `init` writes to, and prints what to type next.
 *
 * @module
 */
import { relative } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { usageError } from "../../base/errors.ts";
import { localGit } from "../../git/git.ts";
import type { NewFile } from "../../init/write.ts";

/** What Git reports about the folder. */
export interface Checkout {
  isRepository: boolean;
  /** The URL of its remote. */
  origin: string | undefined;
  /** The current branch. */
  branch: string | undefined;
}

/**
 * Queries Git about a folder, which need not be a repository yet.
 *
 * @throws {SyncError} `no-folder`, exit 2.
 */
export async function checkoutAt(
  effects: Pick<Effects, "run">,
  top: string,
): Promise<Checkout> {
  const isFolder = await Deno.stat(top)
    .then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder) {
    throw usageError(
      "no-folder",
      `Cannot write to ${top}: there is no such folder`,
      `Make the folder, or clone the repository: \`git clone URL ${top}\`.`,
    );
  }
  const says = async (...words: string[]) => {
    const { code, stdout } = await effects.run(localGit(top, words));
    const said = new TextDecoder().decode(stdout).trim();
    return code === 0 && said !== "" ? said : undefined;
  };
  return {
    isRepository: await says("rev-parse", "--git-dir") !== undefined,
    origin: await says("remote", "get-url", "origin"),
    branch: await says("symbolic-ref", "--short", "HEAD"),
  };
}

/** What the commands depend on. */
export interface Begun {
  top: string;
  host: string;
  repository: string;
  ref: string;
  directory: string;
  checkout: Checkout;
  /** Whether this machine is the host. */
  isHere: boolean;
  files: readonly NewFile[];
  lockTrouble: string | undefined;
}

/**
 * Returns the three commands that make the host follow the repository: commit,
 * switch, check.
 */
export function nextCommands(begun: Begun): string[] {
  const { top, host, directory, isHere } = begun;
  const flake = directory === "" ? "." : `./${directory}`;
  const root = Deno.uid() === 0 ? "" : "sudo ";
  const target = quotedWord(`${flake}#${host}`);
  const isOwn = top === Deno.cwd();
  const commit = [
    ...isOwn ? [] : [`cd ${quotedWord(top)}`],
    ...beginCommands(begun),
    ...begun.lockTrouble === undefined ? [] : [lockCommand(directory)],
    `git add -- ${writtenNames(begun).map(quotedWord).join(" ")}`,
    `git commit --message ${quotedWord(`${host} follows this repository`)}`,
    `git push --set-upstream origin HEAD`,
  ].join(" && ");
  return isHere
    ? [
      commit,
      `${root}nixos-rebuild switch --flake ${target}`,
      `${root}gitops-sync doctor`,
    ]
    : [
      commit,
      `nixos-rebuild switch --flake ${target} --target-host ${
        quotedWord(`root@${host}`)
      }`,
      `ssh ${quotedWord(`root@${host}`)} gitops-sync doctor`,
    ];
}

/** Returns a command that also works if nix.conf does not enable flakes. */
function lockCommand(directory: string): string {
  const flake = directory === "" ? "path:." : `path:./${directory}`;
  return `nix --extra-experimental-features 'nix-command flakes' flake lock ${
    quotedWord(flake)
  }`;
}

/** Returns the commands that make the folder a repository with a remote. */
function beginCommands({ checkout, repository, ref }: Begun): string[] {
  const { isRepository, origin } = checkout;
  return [
    ...isRepository ? [] : [`git init --initial-branch=${quotedWord(ref)}`],
    ...origin === undefined
      ? [`git remote add origin ${quotedWord(repository)}`]
      : [],
  ];
}

/** Returns the top-level names of the new files, for `git add`. */
function writtenNames(
  { top, directory, files, lockTrouble }: Begun,
): string[] {
  const folder = directory === "" ? top : `${top}/${directory}`;
  const prefix = directory === "" ? "" : `${directory}/`;
  const names = files.filter(({ path }) => path.startsWith(`${folder}/`))
    .map(({ path }) => `${prefix}${relative(folder, path).split("/")[0]}`);
  const lock = lockTrouble === undefined ? [] : [`${prefix}flake.lock`];
  return [...new Set([...names, ...lock])].toSorted();
}

/** Quotes a word for a shell, if needed. */
function quotedWord(text: string): string {
  return /^[\w@%+=:,./#-]+$/.test(text) && !text.startsWith("#")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
