/**
 * Runs the host's own commands: those of hooks and of health checks.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, safeLines } from "../base/text.ts";
import type { Argv } from "../config/checks.ts";
import type { Attempt, Commit, State, Target } from "../state/state.ts";
import { hasSystemd, runningSystem } from "../host/system.ts";
import { commandInUnit } from "../host/systemd.ts";
import type { Run } from "../run/run.ts";
import { signersText } from "../run/commit.ts";

/** How a command failed. */
export interface CommandFailure {
  text: string;
  /** The end of its output. */
  details: string[];
}

const shownLines = 10;

/** The folders of the host's programs on NixOS. */
export const hostPrograms = "/run/current-system/sw/bin:/run/wrappers/bin";

/**
 * Runs a command of the configuration. With systemd, it runs in its own unit,
 * outside our sandbox.
 *
 * @param ms The timeout.
 * @param most The most bytes that it may write to standard output. If it writes
 * more, it has failed.
 * @returns `undefined` if it ended with 0.
 * @throws {SyncError} `interrupted`.
 */
export async function runHostCommand(
  run: Pick<Run, "effects">,
  argv: Argv,
  env: Readonly<Record<string, string>>,
  ms: number,
  most?: number,
): Promise<CommandFailure | undefined> {
  const line = oneLine(argv.join(" "), 100);
  const fail = (why: string, details: readonly string[]) => ({
    text: `"${line}" ${why}`,
    details: details.slice(-shownLines),
  });
  const start = run.effects.monotonic();
  try {
    const finished = await run.effects.run({
      ...commandFor(argv, env, ms),
      ...most === undefined ? {} : { most },
    });
    if (finished.code === 0) return undefined;
    const said = safeLines(
      `${new TextDecoder().decode(finished.stdout)}\n${finished.stderr}`,
    );
    // systemd stops it a moment before we would.
    const elapsed = run.effects.monotonic() - start;
    return finished.timedOut || elapsed >= ms
      ? fail("took too long", said)
      : fail(`ended with code ${finished.code}`, said);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (error.reason === "output-too-large" && most !== undefined) {
      return fail("printed too much", [error.message]);
    }
    if (error.reason !== "program-missing") throw error;
    return fail("cannot be run", [error.message]);
  }
}

function commandFor(
  argv: Argv,
  env: Readonly<Record<string, string>>,
  ms: number,
) {
  const path = `${Deno.env.get("PATH")}:${hostPrograms}`;
  const all = { ...env, PATH: path };
  if (hasSystemd()) {
    const unit = `gitops-sync-command-${crypto.randomUUID().slice(0, 8)}`;
    return commandInUnit(unit, argv, all, Math.ceil(ms / 1000));
  }
  const [program, ...args] = argv;
  return { program: program!, args, env: all, timeout: ms };
}

/**
 * Returns the environment variables about the current attempt. They are
 * documented in docs/deployments.md. Each text of a commit is one line.
 */
export function environmentOf(run: Run): Record<string, string> {
  return environmentAbout(aboutOf(run.state));
}

/** What the environment variables are about. */
export interface About {
  commit: Commit;
  target: Target;
  /** The system, once it is built. */
  candidate?: string;
  /** The systems of the host before. */
  previous?: Attempt["previous"];
}

/** Returns the same variables without a current attempt. */
export function environmentAbout(
  { commit, target, candidate, previous }: About,
): Record<string, string> {
  return {
    GITOPS_SYNC_HOST: target.host,
    GITOPS_SYNC_REPOSITORY: target.repository,
    GITOPS_SYNC_REF: target.ref,
    GITOPS_SYNC_REVISION: commit.revision,
    GITOPS_SYNC_SUBJECT: commit.subject,
    GITOPS_SYNC_AUTHOR: commit.author,
    GITOPS_SYNC_SIGNED_BY: signersText(commit.signers ?? []),
    GITOPS_SYNC_SYSTEM: candidate ?? "",
    GITOPS_SYNC_PREVIOUS: previous?.running ?? runningSystem() ?? "",
  };
}

/** Returns the current attempt, or else the last confirmed deployment. */
function aboutOf({ attempt, lastGood }: State): About {
  if (attempt) return attempt;
  if (!lastGood) throw new Error("there is nothing to tell a command about");
  const { target, system } = lastGood;
  return { commit: lastGood, target, candidate: system };
}
