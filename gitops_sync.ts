/**
 * Pull-based GitOps for NixOS: brings this host to what a Git repository says,
 * or leaves it as it is and says why.
 *
 * @module
 */
import { stillSettled } from "./lib/sync/settled.ts";

if (import.meta.main) Deno.exit(await start());

/** Most runs have nothing to do, and load nothing to find that out. */
async function start(): Promise<number> {
  const says = await stillSettled(Deno.args);
  if (says !== undefined) {
    console.log(says);
    return 0;
  }
  // Not a literal: Deno reads every module that a literal leads to before it
  // starts, which would cost such a run as much again.
  const rest: string = "./lib/cli/main.ts";
  const { main } = await import(rest);
  return await main(Deno.args);
}
