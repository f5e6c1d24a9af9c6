/**
 * `gitops-sync plan`: prints what a sync would do, and does none of it.
 *
 * @module
 */
import {
  type ExitCode,
  exitCodes,
  type SyncError,
  usageError,
} from "../../base/errors.ts";
import { type Effects, say } from "../../base/effects.ts";
import { exists } from "@std/fs";
import { isStorePath } from "../../base/names.ts";
import { oneLine } from "../../base/text.ts";
import { loadLocalConfig, type LocalConfig } from "../../config/config.ts";
import { changes, type Plan } from "../../plan/plan.ts";
import { planFolder } from "../../plan/folder.ts";
import { planRevision } from "../../plan/revision.ts";
import { writePlan } from "../../report/page_facts.ts";
import { configOf, readConfig } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { printJson } from "../output/json.ts";
import { columnsOf, inkFor, noInk } from "../output/ink.ts";
import { printColoured, printRaw } from "../output/print.ts";
import { isFolder } from "../plan_operand.ts";
import { isShown } from "../publish.ts";
import { planJson } from "./plan_json.ts";
import { shownPlan } from "./plan_shown.ts";
import { planMarkdown } from "./plan_markdown.ts";
import { planText } from "./plan_text.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const format = formatOf(call);
  await using effects = await realEffects(call.verbose);
  const plan = await planOf(call, effects);
  await showOnPage(call, plan, effects);
  const exit = exitOf(call, plan);
  if (call.json) printJson("plan", exit, await planJson(call, plan));
  else if (format === "markdown") printRaw(planMarkdown(plan));
  else printText(plan);
  if (plan.failure) tellFailure(effects, plan.failure);
  return exit;
}

/** Stores a plan of the next sync for the page of `serve`. */
async function showOnPage(
  call: Call,
  plan: Plan,
  effects: Effects,
): Promise<void> {
  const config = await ownConfig(call);
  if (call.operands.length > 0 || !isShown(call, config)) return;
  const shown = shownPlan(plan, effects.now());
  if (!shown) return;
  try {
    writePlan(config.stateDirectory, shown);
  } catch (error) {
    const why = oneLine((error as Error).message, 200);
    say(effects, "debug", `Cannot show the plan on the page: ${why}`);
  }
}

/**
 * Reports the failure without the hints for a blocked commit, because a plan
 * blocks nothing.
 */
function tellFailure(
  effects: Effects,
  { message: text, details, hints }: SyncError,
): void {
  effects.tell({ kind: "message", level: "error", text, details, hints });
}

function formatOf({ texts, json }: Call): "text" | "markdown" {
  const format = texts["format"] ?? "text";
  if (json && texts["format"] !== undefined) {
    throw usageError(
      "format-twice",
      "Cannot use --format with --json: expected one of them",
    );
  }
  return format === "markdown" ? format : "text";
}

/**
 * Returns the exit code: that of the failure of the sync, if it would fail. A
 * change has its own code only with `--exit-code`.
 */
function exitOf({ switches }: Call, plan: Plan): ExitCode {
  if (plan.failure) return plan.failure.exit;
  return switches.has("exit-code") && changes(plan) !== false
    ? exitCodes.wouldChange
    : exitCodes.ok;
}

async function planOf(call: Call, effects: Effects): Promise<Plan> {
  const build = !call.switches.has("no-build");
  const [operand] = call.operands;
  if (operand !== undefined && isFolder(operand)) {
    const config = await ownConfig(call);
    const before = await beforeOf(call);
    return await planFolder(effects, config, operand, build, before);
  }
  if (call.texts["before"] !== undefined) {
    throw usageError(
      "before-revision",
      "Cannot use --before with a revision: expected a FOLDER",
      "Omit --before: a revision is compared with the running system of this host.",
    );
  }
  const wish = {
    ...operand === undefined ? {} : { revision: operand },
    build,
  };
  const config = await configOf(call);
  if (Deno.uid() === 0 || isOwn(config.stateDirectory)) {
    return await planRevision(effects, config, {
      ...wish,
      isRoot: Deno.uid() === 0,
    });
  }
  return await planWithoutRoot(effects, config, wish);
}

/** Returns the system to compare with, which must exist. */
async function beforeOf(
  { texts: { before } }: Call,
): Promise<string | undefined> {
  if (before === undefined) return undefined;
  if (isStorePath(before) && await exists(before)) return before;
  throw usageError(
    "before-missing",
    `Cannot compare with ${
      oneLine(before, 200)
    }: expected the store path of a system on this machine`,
    "Run `nix build --no-link --print-out-paths` to print a store path.",
  );
}

/**
 * Plans without root. Neither the stored state nor the keys of the host can be
 * read then.
 */
async function planWithoutRoot(
  effects: Effects,
  config: Awaited<ReturnType<typeof configOf>>,
  wish: { revision?: string; build: boolean },
): Promise<Plan> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-plan-" });
  try {
    const own = {
      ...config,
      stateDirectory: await Deno.realPath(folder),
      "secrets.check": false,
      "build.isolate": "false" as const,
    };
    const plan = await planRevision(effects, own, { ...wish, isRoot: false });
    const note =
      "without root, it is unknown what is deployed, what is blocked, and whether the secrets can be decrypted";
    return { ...plan, notes: [note, ...plan.notes] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function isOwn(folder: string): boolean {
  try {
    return Deno.statSync(folder).uid === Deno.uid();
  } catch {
    return false;
  }
}

/** Loads the host's configuration, or the defaults if only root can read it. */
async function ownConfig(call: Call): Promise<LocalConfig> {
  try {
    return await readConfig(call);
  } catch (error) {
    if (Deno.uid() === 0 || call.configPath !== undefined) throw error;
    return await loadLocalConfig(undefined, call.given);
  }
}

function printText(plan: Plan): void {
  const isTerminal = Deno.stdout.isTerminal();
  const ink = inkFor(Deno.stdout);
  const columns = isTerminal
    ? Math.min(columnsOf(Deno.stdout) ?? 80, 120)
    : 100;
  const text = planText(plan, { columns, ink });
  // An empty line separates the plan from the stages above it.
  const separator = isTerminal && Deno.stderr.isTerminal() ? "\n" : "";
  if (ink === noInk) printRaw(`${separator}${text}`);
  else printColoured(`${separator}${text}`);
}
