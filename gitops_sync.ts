/**
 * Pull-based GitOps for NixOS: deploys what a Git repository defines to this
 * host, or leaves the host unchanged and reports why.
 *
 * @module
 */
import { stillSettled } from "./lib/sync/settled.ts";

if (import.meta.main) Deno.exit(await start());

/**
 * Runs the program. Most runs have nothing to do, so this is checked first,
 * with few modules loaded.
 */
async function start(): Promise<number> {
  const says = await stillSettled(Deno.args);
  if (says !== undefined) {
    console.log(says);
    return 0;
  }
  // Not a literal: before it starts, Deno reads every module that a literal
  // import leads to. That would double the cost of a run with nothing to do.
  const rest: string = "./lib/cli/main.ts";
  const { main } = await import(rest);
  return await main(Deno.args);
}
