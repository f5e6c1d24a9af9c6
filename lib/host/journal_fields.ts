/**
 * The fields that lines of an attempt have in systemd's journal.
 *
 * @module
 */
import type { Stage } from "../base/errors.ts";

/** Fields for `journalctl GITOPS_SYNC_REVISION=…`. */
export function journalFields(
  attempt: string,
  revision: string,
  stage?: Stage,
): Record<string, string> {
  return {
    GITOPS_SYNC_ATTEMPT: attempt,
    GITOPS_SYNC_REVISION: revision,
    ...stage === undefined ? {} : { GITOPS_SYNC_STAGE: stage },
  };
}
