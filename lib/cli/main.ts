/**
 * Runs one command: arguments in, exit code out.
 *
 * @module
 */
import { type ExitCode, exitCodeOf, exitCodes } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import { type Call, parse } from "./arguments.ts";
import { print } from "./output.ts";

/**
 * Runs the program.
 *
 * @param args The words after its name.
 * @param isConfined Whether it may do no more than the command needs already.
 * @returns its exit code; every error was told.
 */
export async function main(
  args: readonly string[],
  isConfined = false,
): Promise<ExitCode> {
  let call: Call | undefined;
  try {
    call = await parse(args);
    if (call.help || call.version) return await about(call);
    const { reach } = call.command;
    if (reach !== undefined && !isConfined) {
      const { confined } = await import("./confine.ts");
      return await confined(call, reach);
    }
    const { run } = await call.command.load();
    return await run(call);
  } catch (thrown) {
    const error = foreseen(thrown);
    await tellError(error, call, args);
    return exitCodeOf(error);
  }
}

async function about(call: Call): Promise<ExitCode> {
  const { commandHelp, generalHelp, versionLine } = await import("./help.ts");
  if (call.version) print(versionLine());
  else if (call.words[0]?.startsWith("-")) print(generalHelp());
  else print(commandHelp(call.command));
  return exitCodes.ok;
}

/**
 * A person's mistake is told with what to do, a bug with its stack; with
 * `--json` either is a result too.
 */
async function tellError(
  error: unknown,
  call: Call | undefined,
  args: readonly string[],
): Promise<void> {
  const { makeTeller } = await import("./effects.ts");
  const { errorEvent } = await import("./output.ts");
  makeTeller(false).tell(errorEvent(error));
  if (!(call?.json ?? args.includes("--json"))) return;
  const { errorJson, printJson } = await import("./json.ts");
  const command = call?.command.name ?? "";
  printJson(command, exitCodeOf(error), {
    result: "failed",
    error: errorJson(error),
  });
}
