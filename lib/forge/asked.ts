/**
 * The forge that is queried for the reports of a commit.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import type { Forge } from "./headers.ts";
import { type Place, placeOf } from "./place.ts";

/**
 * Returns the forge, and the place of the project there.
 *
 * @returns `undefined` if no forge is configured, or if its place is unknown.
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
