/**
 * Runs one command: takes arguments, and returns the exit code.
 *
 * @module
 */
import { type ExitCode, exitCodeOf, exitCodes } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import { parse } from "./arguments.ts";
import { commands } from "./commands.ts";
import { load } from "./loaders.ts";
import { errorEvent, print, printProblem, printRaw } from "./output/print.ts";
import type { Reach } from "./permissions.ts";
import { type Call, type CommandSpec, isAboutHost } from "./call.ts";

/**
 * Reads the arguments and runs the command that they name.
 *
 * @param args The words after the program's name.
 * @param confine Runs a command with no more permissions than it needs. Without
 * it the command runs in this process, which has already given up the others.
 * @returns its exit code; every error was reported.
 */
export async function perform(
  args: readonly string[],
  confine?: (call: Call, reach: Reach) => Promise<ExitCode>,
): Promise<ExitCode> {
  let call: Call | undefined;
  try {
    call = await parse(args);
    if (call.help || call.version) {
      return await withResult(await showHelp(call));
    }
    const reach = reachOf(call);
    if (reach !== undefined && confine) return await confine(call, reach);
    const { run } = await load(call.command.name);
    return await withResult(await run(call));
  } catch (thrown) {
    const error = foreseen(thrown);
    await tellError(error, call, args);
    return exitCodeOf(error);
  }
}

function reachOf({ command: { reach }, operands }: Call): Reach | undefined {
  return typeof reach === "function" ? reach(operands) : reach;
}

/**
 * Reports a result that could not be written. Its exit code is used only if the
 * command itself succeeded.
 */
async function withResult(code: ExitCode): Promise<ExitCode> {
  const problem = printProblem();
  if (!problem) return code;
  await tell(problem);
  return code === exitCodes.ok ? problem.exit : code;
}

async function tell(error: unknown): Promise<void> {
  const { makeTeller } = await import("./output/teller.ts");
  makeTeller(false).tell(errorEvent(error));
}

async function showHelp(call: Call): Promise<ExitCode> {
  const { commandHelp, generalHelp, versionLine } = await import("./help.ts");
  if (call.version) print(versionLine());
  else if (call.words[0]?.startsWith("-")) printRaw(generalHelp());
  else printRaw(commandHelp(call.command));
  return exitCodes.ok;
}

/**
 * Reports a person's mistake with a hint, and a bug with its stack. With
 * `--json`, also prints either as the result.
 */
async function tellError(
  error: unknown,
  call: Call | undefined,
  args: readonly string[],
): Promise<void> {
  await tell(error);
  if (!(call?.json ?? args.includes("--json"))) return;
  const { errorJson, printJson } = await import("./output/json.ts");
  const command = call?.command ?? commandIn(args);
  printJson(command?.name ?? "", exitCodeOf(error), {
    ...command && await hostPartOf(command, call),
    result: "failed",
    error: errorJson(error),
  });
}

/** Returns the part of a failed command's document that is about the host. */
async function hostPartOf(
  command: CommandSpec,
  call: Call | undefined,
): Promise<Record<string, unknown>> {
  if (!isAboutHost(command)) return {};
  const { hostPart } = await import("../report/host_facts.ts");
  const { readConfig } = await import("./config.ts");
  // The error of the configuration was reported before.
  const config = call && await readConfig(call).catch(() => undefined);
  return { ...await hostPart(config), revision: null, stages: [] };
}

/** Returns the command that the words name, if they could not be parsed. */
function commandIn(args: readonly string[]): CommandSpec | undefined {
  const words = args.filter((word) => !word.startsWith("-"));
  const names = [words.slice(0, 2).join(" "), words[0] ?? commands[0]!.name];
  return commands.find(({ name }) => names.includes(name));
}
