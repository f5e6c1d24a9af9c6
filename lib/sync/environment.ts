/**
 * What the host's own commands are told: those of the hooks and of the health
 * checks.
 *
 * @module
 */
import { runningSystem } from "../host/system.ts";
import type { Run } from "./run.ts";

/**
 * The variables that tell a command about the attempt under way. They are
 * documented in docs/deployments.md. Texts of a commit are one line each.
 */
export function environmentOf(run: Run): Record<string, string> {
  const { commit, target, candidate, previous } = run.attempt;
  return {
    GITOPS_SYNC_HOST: target.host,
    GITOPS_SYNC_REPOSITORY: target.repository,
    GITOPS_SYNC_REF: target.ref,
    GITOPS_SYNC_REVISION: commit.revision,
    GITOPS_SYNC_SUBJECT: commit.subject,
    GITOPS_SYNC_AUTHOR: commit.author,
    GITOPS_SYNC_SYSTEM: candidate ?? "",
    GITOPS_SYNC_PREVIOUS: previous?.running ?? runningSystem() ?? "",
  };
}
