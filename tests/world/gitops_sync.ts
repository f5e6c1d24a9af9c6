/**
 * How tests start gitops-sync: from this checkout, or what `./dev test
 * --program compiled` and `--deno VERSION` have made of it, which is in the
 * folder GITOPS_SYNC_PROGRAM.
 *
 * @module
 */
import { join } from "node:path";

const checkout = join(import.meta.dirname!, "..", "..");

/** The folder of a program that was made of the checkout; see `./dev`. */
export const madeFolder = Deno.env.get("GITOPS_SYNC_PROGRAM");

/** The program's own file in the checkout. */
export const entry = join(checkout, "gitops_sync.ts");

const fromCheckout = [Deno.execPath(), "run", "-A", entry];

/**
 * The first words of its command line, where it needs no more than the package
 * lets it do.
 */
export const gitopsSync: readonly string[] = madeFolder
  ? [`${madeFolder}/gitops-sync`]
  : fromCheckout;

/**
 * The same for hosts without systemd, where it has to start the system's own
 * programs itself: it may run any program.
 */
export const unboundGitopsSync: readonly string[] = madeFolder
  ? [`${madeFolder}/worlds/gitops-sync`]
  : fromCheckout;
