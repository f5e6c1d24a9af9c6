/**
 * Refuses a key file that ssh can't use before Git connects: the server would
 * only report that access is denied.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { type Stage, SyncError } from "../base/errors.ts";
import { privateKeyProblem } from "../keys/private_key.ts";
import type { RemoteConfig } from "./git.ts";

/**
 * Checks the SSH key for the remote.
 *
 * @throws {SyncError} `denied`, exit 3.
 */
export async function refuseBadKey(
  effects: Pick<Effects, "run">,
  { repository, sshKeyFile }: RemoteConfig,
  stage: Stage,
): Promise<void> {
  if (!sshKeyFile || /^(?:https?|file):/.test(repository)) return;
  const trouble = await privateKeyProblem(effects, sshKeyFile, "sshKeyFile");
  if (trouble === undefined) return;
  throw new SyncError(
    `Cannot reach ${repository}: this host's SSH key can't be used`,
    { stage, reason: "denied", next: "retry", hints: [trouble], exit: 3 },
  );
}
