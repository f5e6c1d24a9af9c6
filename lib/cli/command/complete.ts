/**
 * `gitops-sync complete KIND`: prints words for the completions of a shell.
 * Only the scripts of `completions` call it.
 *
 * It reads the stored state of this host. It queries the remote only for the
 * names of branches and tags, with a short timeout. After an error it prints
 * fewer words.
 *
 * @module
 */
import { type ExitCode, exitCodes, SyncError } from "../../base/errors.ts";
import { oneLine, short } from "../../base/text.ts";
import type { Config } from "../../config/schema.ts";
import { isRevision } from "../../base/names.ts";
import { localGit } from "../../git/git.ts";
import { listRemote } from "../../git/remote.ts";
import { readHistory } from "../../state/history.ts";
import { readState } from "../../state/state_file.ts";
import type { State } from "../../state/state.ts";
import { localConfigOf } from "../config.ts";
import { type Completes, kinds } from "../completions/kinds.ts";
import { realEffects } from "../output/effects.ts";
import { printColoured } from "../output/print.ts";
import { timeOf } from "../../report/times.ts";
import type { Call } from "../call.ts";

/** Milliseconds; short, because a person waits after pressing a key. */
const queryTimeout = 2_000;
/** The maximum number of words; more do not help on a terminal. */
const maxWords = 200;

/** A word, and its description. */
type Word = readonly [word: string, about: string];

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const [kind] = call.operands;
  const known = kinds.find((one) => one === kind);
  if (!known) return exitCodes.ok;
  try {
    const words = await wordsOf(known, call);
    const unique = new Map(words.map(([word, about]) => [word, about]));
    const lines = [...unique].slice(0, maxWords)
      .filter(([word]) => isPlain(word))
      .map(([word, about]) => `${word}\t${oneLine(about, 60)}`);
    // Each part is clean here; a tab separates them.
    if (lines.length > 0) printColoured(lines.join("\n"));
  } catch (error) {
    noWords(error);
  }
  return exitCodes.ok;
}

/**
 * Returns no words after an expected error, because completions are only
 * suggestions. A bug is still reported.
 */
function noWords(error: unknown): Word[] {
  const isForeseen = error instanceof SyncError ||
    error instanceof Deno.errors.PermissionDenied;
  if (isForeseen) return [];
  throw error;
}

/**
 * Returns whether a word is safe in a command line: names from a repository may
 * contain any character.
 */
const isPlain = (word: string) => /^[\w.@%+=:,/^-]+$/.test(word);

async function wordsOf(kind: Completes, call: Call): Promise<Word[]> {
  const config = await localConfigOf(call);
  const folder = config.stateDirectory;
  const state = await readState(folder);
  switch (kind) {
    case "attempts":
      return readHistory(folder).toReversed().map((
        { id, at, result, subject = "" },
      ) => [id, `${result}, ${timeOf(at)}: ${subject}`]);
    case "revisions":
      return revisionsIn(folder, state);
    case "hosts":
      return await hostsIn(config as Config, state);
    case "refs":
      return [
        ...refsIn(state),
        ...await refsOf(config as Config).catch(noWords),
      ];
  }
}

/**
 * Returns revisions, newest first; blocked commits and the tip of the remote
 * have their own descriptions.
 */
function revisionsIn(folder: string, state: State): Word[] {
  const { seen, holds, lastGood, earlier } = state;
  const history = readHistory(folder).toReversed().flatMap((one): Word[] =>
    one.revision && isRevision(one.revision)
      ? [[one.revision, `${one.result}: ${one.subject ?? ""}`]]
      : []
  );
  // If a revision occurs twice, the later description applies.
  return [
    ...history,
    ...earlier.map(({ revision, subject }): Word => [
      revision,
      `was deployed: ${subject}`,
    ]),
    ...lastGood
      ? [[lastGood.revision, `is deployed: ${lastGood.subject}`] as const]
      : [],
    ...holds.map(({ revision, reason }): Word => [revision, `held: ${reason}`]),
    ...seen
      ? [
        [
          seen.revision,
          seen.revision === lastGood?.revision
            ? `is deployed: ${lastGood.subject}`
            : `where ${seen.ref} is`,
        ] as const,
      ]
      : [],
  ];
}

function refsIn({ seen, lastGood }: State): Word[] {
  return [
    ...seen ? [[seen.ref, `at ${short(seen.revision)}`] as const] : [],
    ...lastGood ? [[lastGood.target.ref, "is followed here"] as const] : [],
  ];
}

/** Returns the branches and tags of the remote. */
async function refsOf(config: Config): Promise<Word[]> {
  if (!config.repository) return [];
  using effects = await realEffects(false);
  const names = await listRemote(effects, {
    ...config,
    "timeouts.remote": Math.min(queryTimeout, config["timeouts.remote"]),
  });
  return names.flatMap((name): Word[] => {
    const [, sort, plain] = /^refs\/(heads|tags)\/(.+)$/.exec(name) ?? [];
    return plain === undefined
      ? []
      : [[plain, sort === "heads" ? "branch" : "tag"]];
  });
}

/** Returns the hosts of the deployed flake, as far as its text names them. */
async function hostsIn(
  config: Config,
  { lastGood }: State,
): Promise<Word[]> {
  const known: Word[] = [
    [config.host, "is configured here"],
    ...lastGood ? [[lastGood.target.host, "is deployed here"] as const] : [],
  ];
  if (!lastGood) return known;
  const path = [config.directory, "flake.nix"].filter((one) => one !== "")
    .join("/");
  using effects = await realEffects(false);
  const finished = await effects.run({
    ...localGit(`${config.stateDirectory}/repo`, [
      "show",
      `${lastGood.revision}:${path}`,
    ]),
    timeout: queryTimeout,
    most: 1024 * 1024,
  });
  const text = new TextDecoder().decode(finished.stdout);
  const named = text.matchAll(
    /\bnixosConfigurations\.(?:"([^"$\n]+)"|([A-Za-z_][\w'-]*))/g,
  );
  return [
    ...known,
    ...[...named].map(([, quoted, plain]): Word => [
      (quoted ?? plain)!,
      "in the flake",
    ]),
  ];
}
