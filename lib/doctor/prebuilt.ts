/**
 * Whether the system of a revision can be fetched, where it was built elsewhere.
 *
 * @module
 */
import { safeLines } from "../base/text.ts";
import { storePathFor } from "../nix/prebuilt.ts";
import { dryRealise } from "../nix/store.ts";
import { type Configured, type Finding, ok, problem } from "./check.ts";

/**
 * Whether some substituter has the system. Nothing is fetched.
 *
 * @throws {SyncError} where nothing says which system it is.
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
    return { ...problem(`Nix can't look for ${system}`), details };
  }
  // Words of Nix 2.8 to 2.34. Without any, all of it is here.
  if (/will be fetched/.test(stderr)) {
    return ok(
      `a substituter has ${system}; its signatures are looked at as it is fetched`,
    );
  }
  if (stderr.trim() === "") return ok(`${system} is in the store`);
  return {
    ...problem(
      `no substituter has ${system}`,
      "copy it there: nix copy --to CACHE PATH; the substituters are those of nix.conf",
    ),
    details,
  };
}
