/**
 * Compares the running system with the new one.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { changedSinceBoot } from "../host/booted.ts";
import { readIfThere } from "../host/files.ts";
import { installedSecrets } from "../secrets/installed.ts";
import { Reader } from "../secrets/reading/reader.ts";
import { comparePackages } from "./packages.ts";
import type { Plan, RebootNeed } from "./plan.ts";
import { compareSecrets, type SecretChanges } from "./secrets.ts";
import { compareUnitFiles } from "./units.ts";

type Compared = Pick<
  Plan,
  "before" | "after" | "packages" | "unitFiles" | "reboot" | "secrets"
>;

/**
 * Compares what can be read of both systems. Runs nothing of either.
 *
 * @param notes Gets what could not be compared.
 */
export async function compareSystems(
  effects: Pick<Effects, "run">,
  config: Pick<Config, "reboot" | "limits.secrets">,
  before: string | null,
  after: string,
  notes: string[],
): Promise<Compared> {
  const packages = await comparePackages(effects, before, after);
  if (!packages) {
    notes.push(
      "packages: unknown, because Nix did not list what the systems need",
    );
  }
  const secrets = await secretsBetween(
    before,
    after,
    config["limits.secrets"],
    notes,
  );
  return {
    before,
    after,
    ...packages ? { packages } : {},
    unitFiles: compareUnitFiles(before, after),
    reboot: rebootNeed(before, after, config.reboot),
    ...secrets ? { secrets } : {},
  };
}

function rebootNeed(
  before: string | null,
  after: string,
  policy: string,
): RebootNeed {
  const version = (system: string) =>
    readIfThere(`${system}/init-interface-version`) ?? "";
  return {
    changed: changedSinceBoot(after),
    isForced: before !== null && version(before) !== version(after),
    policy,
  };
}

async function secretsBetween(
  before: string | null,
  after: string,
  most: number,
  notes: string[],
): Promise<SecretChanges | undefined> {
  const none = { sops: [], agenix: [], unread: [] };
  const old = before === null ? none : await installedSecrets(before);
  const now = await installedSecrets(after);
  for (const { path, why } of [...old.unread, ...now.unread]) {
    notes.push(`secrets: ${oneLine(path, 120)} can't be read: ${why}`);
  }
  if (now.unread.length > 0) return undefined;
  using reader = new Reader();
  return await compareSecrets(reader, old, now, most);
}
