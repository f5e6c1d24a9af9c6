/**
 * `gitops-sync config check`: prints the configuration, or what is wrong with
 * it.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { mistakes } from "../../config/mistakes.ts";
import { optionNames, options } from "../../config/schema.ts";
import { configOf } from "../config.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await configOf(call);
  const warnings = mistakes(config);
  if (call.json) {
    printJson("config check", exitCodes.ok, {
      result: "valid",
      ...warnings.length > 0 ? { warnings } : {},
      config,
    });
    return exitCodes.ok;
  }
  const width = Math.max(...optionNames.map(({ length }) => length));
  print("The configuration is valid:");
  for (const name of optionNames) {
    const value = shown(options[name].kind.name, config[name]);
    print(`  ${name.padEnd(width)}  ${value}`);
  }
  for (const warning of warnings) {
    print(`warning: this probably does not work: ${warning}`);
  }
  return exitCodes.ok;
}

function shown(kind: string, value: unknown): string {
  if (value === undefined) return "-";
  if (kind === "duration") return formatDuration(value as number);
  if (typeof value === "object" && !Array.isArray(value)) {
    return Object.entries(value as object).map(([key, one]) => `${key}: ${one}`)
      .join(", ") || "-";
  }
  if (!Array.isArray(value)) return String(value) || "-";
  const items = value.map((item) =>
    typeof item === "object" ? JSON.stringify(item) : item
  );
  return items.join(", ") || "-";
}
