/**
 * The check of the lock server of the fleet.
 *
 * @module
 */
import { exitCodes } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import { openLock } from "../locks/configured.ts";
import { LockError } from "../locks/server.ts";
import { hasLock } from "../run/slot.ts";
import {
  type Check,
  type Configured,
  type Finding,
  ok,
  problem,
  warning,
} from "./check.ts";

/** What a run needs before it switches or reboots. */
export const lockChecks: readonly Check[] = [{
  name: "lock",
  needs: ["configuration"],
  root: (config) =>
    config["lock.etcd.passwordFile"] ?? config["lock.etcd.keyFile"] ??
      config["lock.etcd.certFile"],
  exit: exitCodes.remote,
  look: lock,
}];

/** Takes no slot: another host may need it meanwhile. */
async function lock({ config, known }: Configured): Promise<Finding> {
  if (!hasLock(config)) return ok("not configured");
  const slot = known.state?.slot;
  try {
    using lock = await openLock(config);
    const group = config["lock.group"];
    const holders = await lock!.server.holders();
    if (slot?.stuck) {
      return warning(
        `this host keeps a slot of the group ${group}, because it was unhealthy with ${
          short(slot.revision)
        }`,
        `push a fix, or run gitops-sync fleet unlock ${slot.id} --reason TEXT`,
      );
    }
    return ok(
      holders
        ? `${count(holders.length, "slot")} of ${
          config["lock.etcd.slots"]
        } of the group ${group} taken`
        : "the server answers; whether a slot is free is known only when a run needs one",
    );
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    return problem(`cannot take a slot: ${error.message}`, ...error.hints);
  }
}
