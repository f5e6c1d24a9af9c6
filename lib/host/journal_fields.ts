/**
 * The fields of an attempt's lines in the systemd journal.
 *
 * @module
 */
import type { Stage } from "../base/errors.ts";

/** Returns the fields, for `journalctl GITOPS_SYNC_REVISION=…`. */
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
