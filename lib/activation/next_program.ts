/**
 * Checks whether the candidate's own program can deploy the next commit, with
 * its configuration, credentials and sandbox.
 *
 * @module
 */
import { copyOf, lastValue, settingsOf } from "../host/unit_file.ts";
import { short } from "../base/text.ts";
import type { Deadline } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import type { Activated } from "../run/stages.ts";
import { say } from "../base/effects.ts";
import { type Copies, type CopyEnded } from "./next_copies.ts";
import { type Lack, nextReasons } from "./next_reasons.ts";
import { service, unitText } from "./next_units.ts";

/** The output of the program with `--json`. */
interface Said {
  exit?: number;
  error?: {
    stage?: string;
    reason?: string;
    message?: string;
    hints?: string[];
    details?: string[];
  };
  config?: Record<string, unknown>;
  git?: { tip?: unknown; unreached?: string | null };
}

/** Runs a command of the candidate's program as its service would. */
type Ask = (...words: string[]) => Promise<CopyEnded & { said?: Said }>;

/** Lets the candidate's program check what it needs for the next commit. */
export async function programProblem(
  run: Run,
  copies: Copies,
  { system, commit: { revision } }: Activated,
  deadline: Deadline,
): Promise<Lack | undefined> {
  const text = unitText(system, service);
  if (text === undefined) {
    return lack(nextReasons.service, `it has no ${service}`);
  }
  const settings = settingsOf(text);
  const start = lastValue(settings, "ExecStart") ?? "";
  if (syncPattern.exec(start) === null) {
    return lack(
      nextReasons.service,
      `its ${service} does not start gitops-sync sync: ${start}`,
    );
  }
  const ask: Ask = async (...words) => {
    const seconds = Math.max(1, Math.ceil(deadline.left / 1000));
    const ended = await copies.start(
      copyOf(settings, "Check whether the next commit arrives", [
        `ExecStart=${withWords(start, [...words, "--json"])}`,
        `StandardOutput=truncate:${forUnit(copies.answerFile)}`,
        ...credentialsOf(settings),
        "StandardError=journal",
        // Otherwise systemd forgets how the unit ended.
        "RemainAfterExit=yes",
        `TimeoutStartSec=${seconds}`,
        "TimeoutStopSec=10",
        "RuntimeDirectory=gitops-sync-next",
        "RuntimeDirectoryMode=0700",
      ]),
      seconds,
    );
    const said = saidOf(ended.answer);
    return said ? { ...ended, said } : ended;
  };
  const from = [`--from=${run.folder}`, revision];
  const ended = await ask("ready", ...from);
  if (ended.said?.error?.reason === "unknown-command") {
    return await olderProblem(run, ask, revision);
  }
  return problemOf(ended);
}

/**
 * Mounts the copy's credentials at the path of the service's credentials,
 * because the configuration may contain these paths.
 */
function credentialsOf(settings: ReturnType<typeof settingsOf>): string[] {
  const hasSome = settings.some(({ key }) =>
    /^(Load|Set|Import)Credential/.test(key)
  );
  return hasSome ? [`BindReadOnlyPaths=-%d:/run/credentials/${service}`] : [];
}

/**
 * The command line of the service up to its command; it may begin with a prefix
 * of systemd.
 */
const syncPattern = /^([-@:+!|]*"?\/[^\s"]*\/gitops-sync"?)\s+"?sync"?(?=\s|$)/;

/** Replaces the command `sync`, before its flags. */
function withWords(start: string, words: readonly string[]): string {
  const quoted = words.map((word) =>
    `"${forUnit(word).replaceAll("$", "$$$$")}"`
  ).join(" ");
  return start.replace(syncPattern, (_, program) => `${program} ${quoted}`);
}

/**
 * Escapes a text for a unit file, in which `%` is special (systemd.unit(5)).
 */
function forUnit(text: string): string {
  return text.replaceAll("%", "%%").replace(/["\\]/g, "\\$&");
}

function saidOf(text: string): Said | undefined {
  try {
    const said = JSON.parse(text);
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the problem of the program, by its own answer. */
function problemOf(ended: CopyEnded & { said?: Said }): Lack | undefined {
  const { said, result, isSkipped, status, lines } = ended;
  if (isSkipped) {
    return lack(
      nextReasons.service,
      `systemd does not start its ${service}: a condition is not met`,
    );
  }
  if (said?.exit === 0 && result === "success") return undefined;
  if (said?.error) {
    const { stage, reason, message = "", hints = [], details = [] } =
      said.error;
    const isAway = stage === "decide" && reason === "unreachable";
    return {
      reason: isAway ? nextReasons.unreachable : nextReasons.refused,
      text: `its own configuration fails: ${message}`,
      details,
      hints,
    };
  }
  const why = result === "timeout"
    ? "it took too long"
    : `systemd reports ${result || "nothing"}, status ${status || "unknown"}`;
  return {
    ...lack(nextReasons.service, `its ${service} cannot work: ${why}`),
    details: lines,
    hints: [
      "Check the files that LoadCredential, tokenFile and sshKeyFile name: each must exist on this host.",
    ],
  };
}

/**
 * Checks a program that is older than this check. It can still read its
 * configuration and query its remote, but it cannot check keys by itself. What
 * cannot be checked does not count as good, so a candidate that requires
 * signatures is held.
 */
async function olderProblem(
  run: Run,
  ask: Ask,
  revision: string,
): Promise<Lack | undefined> {
  const checked = await ask("config", "check");
  const problem = problemOf(checked);
  if (problem) return problem;
  const status = await ask("status");
  const wrong = problemOf(status);
  if (wrong) return wrong;
  const { tip, unreached } = status.said?.git ?? {};
  if (!tip) {
    return lack(
      nextReasons.unreachable,
      `its own configuration fails: ${
        unreached ?? "the remote does not have the ref"
      }`,
    );
  }
  const mode = checked.said?.config?.["verify.mode"];
  if (mode !== "none") {
    return lack(
      nextReasons.refused,
      `its gitops-sync is older and cannot check the keys of verify.mode: ${mode}`,
    );
  }
  say(
    run.effects,
    "notice",
    `The gitops-sync of ${
      short(revision)
    } is older: its configuration and remote were checked, its secrets were not`,
  );
  return undefined;
}

function lack(reason: Lack["reason"], text: string): Lack {
  return { reason, text, details: [], hints: [] };
}
