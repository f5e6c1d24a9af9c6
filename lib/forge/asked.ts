/**
 * The forge that is asked what was reported for a commit.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import type { Forge } from "./headers.ts";
import { type Place, placeOf } from "./place.ts";

/**
 * Which forge it is, and where the project is there.
 *
 * @returns nothing where no forge is named, or where its place is not known.
 */
export function askedForge(
  config: LocalConfig,
): { forge: Forge; place: Place } | undefined {
  const own = config["gates.forge"];
  const forge = own === "none" ? config["commitStatus.forge"] : own;
  if (forge === "none") return undefined;
  const place = placeOf({ ...config, "commitStatus.forge": forge });
  return place && { forge, place };
}
