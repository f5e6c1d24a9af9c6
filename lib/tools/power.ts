/**
 * Whether this machine runs on its battery. What the kernel says of it is read
 * by `cat`, because this program may not read /sys by itself.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

// As the drivers of batteries in portable machines name them.
const names = ["BAT0", "BAT1", "BAT2", "BATT", "BATC", "CMB0", "CMB1"];

/**
 * The charge of the machine's batteries in percent while they are being
 * emptied; `undefined` on mains or without one.
 */
export async function dischargingAt(
  effects: Pick<Effects, "run">,
): Promise<number | undefined> {
  // Those that are not there are left out; what is there is shown all the same.
  const finished = await effects.run({
    program: "cat",
    args: names.map((name) => `/sys/class/power_supply/${name}/uevent`),
    timeout: 10_000,
  });
  return chargeIn(new TextDecoder().decode(finished.stdout));
}

/** The same from the lines of sysfs, one battery after the other. */
export function chargeIn(lines: string): number | undefined {
  const charges = lines.split(/^(?=POWER_SUPPLY_NAME=)/m)
    .filter((one) => valueOf(one, "STATUS") === "Discharging")
    // That of a mouse says nothing of the machine.
    .filter((one) => valueOf(one, "SCOPE") !== "Device")
    .map((one) => Number.parseInt(valueOf(one, "CAPACITY") ?? ""))
    .filter((charge) => !Number.isNaN(charge));
  return charges.length > 0 ? Math.min(...charges) : undefined;
}

function valueOf(lines: string, name: string): string | undefined {
  return new RegExp(`^POWER_SUPPLY_${name}=(.*)$`, "m").exec(lines)?.[1];
}
