/**
 * Finds the hosts that would refuse a commit for its secrets, as far as the
 * files show it without a key: the result of `secrets check`, by host.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { localGit } from "../git/git.ts";
import { knownFiles } from "../secrets/people/known_files.ts";
import { columnsOf, type Row, rowsOf } from "../secrets/people/matrix.ts";

/**
 * Returns the problems with the secrets of hosts, by their names in
 * `.sops.yaml` and `secrets.nix`. Other hosts are not included.
 *
 * @param top The checkout; it has no changes.
 */
export async function secretProblems(
  effects: Pick<Effects, "run">,
  config: Pick<LocalConfig, "limits.secrets" | "secrets.ignore">,
  top: string,
): Promise<Map<string, SyncError>> {
  const paths = (await trackedFiles(effects, top)).filter((path) =>
    !config["secrets.ignore"].some((one) =>
      path === one || path.startsWith(`${one.replace(/\/+$/, "")}/`)
    )
  );
  const most = config["limits.secrets"];
  const { files, names } = await knownFiles(effects, top, paths, most);
  const columns = columnsOf(files, names);
  const rows = rowsOf(files, columns);
  const found = new Map<string, SyncError>();
  for (const [at, { name }] of columns.entries()) {
    const bad = rows.filter((row) => isBad(row, at));
    if (bad.length > 0) found.set(name, problemOf(name, bad, at));
  }
  return found;
}

async function trackedFiles(
  effects: Pick<Effects, "run">,
  top: string,
): Promise<string[]> {
  const { stdout } = await effects.run(localGit(top, ["ls-files", "-z"]));
  return new TextDecoder().decode(stdout).split("\0")
    .filter((name) => name !== "");
}

/** Reports whether a host should decrypt a file, but could not. */
function isBad({ cells, problems }: Row, at: number): boolean {
  const cell = cells[at];
  if (cell === "missing") return true;
  return problems.length > 0 && (cell === "yes" || cell === "part");
}

function problemOf(host: string, bad: readonly Row[], at: number): SyncError {
  const details = bad.flatMap(({ path, cells, problems }) => [
    ...cells[at] === "missing"
      ? [
        `${path}: the rules name ${host}, but the file is not encrypted for it`,
      ]
      : [],
    ...problems.map((why) => `${path}: ${why}`),
  ]);
  return new SyncError(
    `Cannot publish ${host}: it could not decrypt ${
      count(bad.length, "encrypted file")
    }`,
    {
      stage: "secrets",
      reason: "not-for-this-host",
      next: "stop",
      details: details.slice(0, 10),
      hints: [
        "run gitops-sync secrets check for details; gitops-sync secrets updatekeys fixes most of these problems",
      ],
    },
  );
}
