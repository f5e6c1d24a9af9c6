/**
 * Fetches a system that was built elsewhere. Its store path comes from a file
 * of the revision or from a URL, its content from the substituters of Nix. Nix
 * checks the signatures; nothing is evaluated or built.
 *
 * @module
 */
import type { Progress } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { beginningOf, whyOf } from "../base/http.ts";
import { oneLine, safeLines, short } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { NixLog } from "./log.ts";
import { realise } from "./store.ts";
import type { Run } from "../run/run.ts";
import { isStorePath } from "../base/names.ts";
import type { Readable } from "../run/stages.ts";

/** The most characters of an answer. */
const mostAnswer = 4096;

/**
 * Fetches the host's system of this revision into the store.
 *
 * @param link The link that protects it from garbage collection.
 * @throws {SyncError} exit 6: `not-prebuilt` and `not-in-cache`, which may be
 * temporary (another machine may still be building), `no-store-path`,
 * `not-signed`.
 */
export async function takePrebuilt(
  run: Run,
  readable: Readable,
  link: string,
): Promise<void> {
  const system = await storePathFor(run, readable);
  const { effects, config } = run;
  const said: string[] = [];
  const log = new NixLog(
    () => false,
    (text) => {
      said.push(text);
      if (said.length > mostSaid) said.shift();
      effects.tell({ kind: "line", stage: "build", text });
    },
    () => effects.monotonic(),
  );
  effects.tell({ kind: "progress", stage: "build", now: () => fetching(log) });
  const finished = await effects.run(realise(link, system, {
    options: config["build.options"],
    timeout: config["timeouts.build"],
    onLine: (line) => log.line(line),
  }));
  if (finished.code === 0) return;
  throw notSubstituted(system, readable, said, finished.timedOut);
}

/** The most lines of Nix that are shown for a failure. */
const mostSaid = 10;

/**
 * Nothing is evaluated here, so the first word of the progress is another one.
 */
function fetching(log: NixLog): Progress {
  const progress = log.now();
  return {
    ...progress,
    text: progress.text.replace(/^evaluating/, "fetching"),
  };
}

/** The parts of a revision that name its system. */
export type Named = Pick<Readable, "mirror" | "commit" | "target">;

/**
 * Returns the store path that a file of the revision or a URL names.
 *
 * @throws {SyncError} as {@linkcode takePrebuilt}.
 */
export async function storePathFor(
  run: Run,
  readable: Named,
): Promise<string> {
  const { commit: { revision }, target } = readable;
  const named = run.config["build.prebuilt"]
    .replaceAll("{host}", target.host).replaceAll("{revision}", revision);
  const isUrl = named.includes("://");
  // The part after `?` in a URL may be a token.
  const place = isUrl ? named.replace(/[?#].*$/, "") : named;
  const text = isUrl
    ? await answerOf(run, named, place, revision)
    : await contentOf(run, readable, place);
  const system = text.trim();
  // A derivation would be built on this host.
  if (isStorePath(system) && !system.endsWith(".drv")) return system;
  throw new SyncError(
    `Cannot use ${place} as the system of ${short(revision)}: expected ` +
      `a store path, not "${oneLine(system, 80)}"`,
    {
      stage: "build",
      reason: "no-store-path",
      next: isUrl ? "retry" : "hold",
      hints: [
        "Write the output of `nix-build` or `nix build --print-out-paths` into it.",
      ],
    },
  );
}

/** Reads a file of the verified revision. */
async function contentOf(
  run: Run,
  { mirror, commit: { revision } }: Named,
  path: string,
): Promise<string> {
  const finished = await run.effects.run(
    localGit(mirror, ["cat-file", "blob", `${revision}:${path}`]),
  );
  if (finished.code === 0) {
    return new TextDecoder().decode(finished.stdout.subarray(0, mostAnswer));
  }
  if (!/does not exist in|exists on disk, but not in/.test(finished.stderr)) {
    throw new SyncError(`Cannot read ${path} of ${short(revision)}`, {
      stage: "build",
      reason: "mirror-unreadable",
      next: "retry",
      details: safeLines(finished.stderr).slice(-10),
      hints: [
        "Check the disk if this comes again: `journalctl -k`. The next run tries again.",
      ],
    });
  }
  throw new SyncError(
    `Cannot find the system of ${
      short(revision)
    }: the commit has no file ${path}`,
    {
      stage: "build",
      reason: "not-prebuilt",
      next: "hold",
      hints: [
        "Add the file with the store path and push, or set build.prebuilt to the right file or URL.",
      ],
    },
  );
}

/**
 * Reads the answer of a server. It follows no redirect and sends no token.
 *
 * @param shown The URL without secrets.
 */
async function answerOf(
  run: Run,
  url: string,
  shown: string,
  revision: string,
): Promise<string> {
  const fail = (reason: string, why: string) =>
    new SyncError(`Cannot find the system of ${short(revision)}: ${why}`, {
      stage: "build",
      reason,
      next: "retry",
      hints: ["Wait until it is built elsewhere. A later run tries again."],
    });
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(run.config["timeouts.remote"]),
    });
    if (response.status === 200) {
      const text = await beginningOf(response.body, mostAnswer);
      if (text.length <= mostAnswer) return text;
      throw fail(
        "no-store-path",
        `the answer of ${shown} is longer than a store path`,
      );
    }
    await response.body?.cancel();
    throw fail(
      "not-prebuilt",
      `${shown} answered with status ${response.status}`,
    );
  } catch (error) {
    if (error instanceof SyncError) throw error;
    throw fail("unreachable", `${shown} did not answer: ${whyOf(error)}`);
  }
}

function notSubstituted(
  system: string,
  { commit: { revision } }: Readable,
  details: readonly string[],
  timedOut: boolean,
): SyncError {
  const what = `Cannot fetch ${system} of ${short(revision)}`;
  // Words of Nix 2.8 to 2.34.
  if (
    /is not signed by|lacks a (?:valid )?signature/.test(details.join("\n"))
  ) {
    return new SyncError(`${what}: no key that this host trusts signed it`, {
      stage: "build",
      reason: "not-signed",
      // The cause is the cache or this host, not the revision.
      next: "retry",
      details,
      hints: [
        "Sign it with `nix store sign` and copy it to the cache again, or add its key to trusted-public-keys in nix.conf.",
      ],
    });
  }
  const why = timedOut
    ? "it took longer than timeouts.build"
    : "no binary cache has all of it, or none answers";
  return new SyncError(`${what}: ${why}`, {
    stage: "build",
    reason: timedOut ? "timed-out" : "not-in-cache",
    next: "retry",
    details,
    hints: [
      timedOut
        ? "Raise timeouts.build. The next run tries again."
        : `Copy it to a cache that \`substituters\` in nix.conf names: \`nix copy --to CACHE ${system}\`. A later run tries again.`,
    ],
  });
}
