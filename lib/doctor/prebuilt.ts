/**
 * Checks whether a system that was built elsewhere can be fetched.
 *
 * @module
 */
import { safeLines } from "../base/text.ts";
import { storePathFor } from "../nix/prebuilt.ts";
import { dryRealise } from "../nix/store.ts";
import { type Configured, type Finding, ok, problem } from "./check.ts";

/**
 * Checks whether a substituter has the system. Fetches nothing.
 *
 * @throws {SyncError} if the store path of the system is unknown.
 */
export async function prebuilt(
  { effects, config, known }: Configured,
): Promise<Finding> {
  const run = known.run!;
  run.effects = effects;
  const system = await storePathFor(run, known.verified!);
  const { code, stderr } = await effects.run(
    dryRealise(system, config["build.options"]),
  );
  const details = safeLines(stderr).slice(-10);
  if (code !== 0) {
    return { ...problem(`Nix can't query ${system}`), details };
  }
  // Words of Nix 2.8 to 2.34. Without any, all of it is here.
  if (/will be fetched/.test(stderr)) {
    return ok(
      `a substituter has ${system}; its signatures are checked when it is fetched`,
    );
  }
  if (stderr.trim() === "") return ok(`${system} is in the store`);
  return {
    ...problem(
      `no substituter has ${system}`,
      "copy it to a substituter of nix.conf: nix copy --to CACHE PATH",
    ),
    details,
  };
}
