/**
 * Everything that a sync on this host needs, in the order in which a run needs
 * it. A new precondition is a check in one of these lists.
 *
 * @module
 */
import type { Check } from "./check.ts";
import { bootChecks, vaultChecks } from "./boot_checks.ts";
import { gateChecks } from "./gates_checks.ts";
import { hostChecks, machineChecks, preflightChecks } from "./host_checks.ts";
import { lockChecks } from "./locks_checks.ts";
import { isolationChecks, nixChecks } from "./nix_checks.ts";
import { repositoryChecks, revisionChecks } from "./repository_checks.ts";

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
