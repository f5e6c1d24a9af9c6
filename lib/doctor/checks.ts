/**
 * Everything that a sync on this host needs, in the order in which a run needs
 * it. A new precondition is a check in one of these lists.
 *
 * @module
 */
import type { Check } from "./check.ts";
import { bootChecks, vaultChecks } from "./of_boot.ts";
import { gateChecks } from "./of_gates.ts";
import { hostChecks, machineChecks, preflightChecks } from "./of_host.ts";
import { lockChecks } from "./of_locks.ts";
import { isolationChecks, nixChecks } from "./of_nix.ts";
import { repositoryChecks, revisionChecks } from "./of_repository.ts";

/** All checks in their order. */
export const checks: readonly Check[] = [
  ...hostChecks,
  ...nixChecks,
  ...machineChecks,
  ...isolationChecks,
  ...preflightChecks,
  ...repositoryChecks,
  ...gateChecks,
  ...vaultChecks,
  ...revisionChecks,
  ...lockChecks,
  ...bootChecks,
];
