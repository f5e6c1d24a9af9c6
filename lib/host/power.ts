/**
 * Whether this machine runs on its battery.
 *
 * @module
 */
import { kernelNames, kernelText } from "../process/kernel.ts";

/** Where Linux shows batteries and mains (sysfs-class-power). */
const supplies = "/sys/class/power_supply";

/**
 * The charge of the machine's own batteries in percent while they are being
 * emptied; `undefined` on mains or without one.
 *
 * @param folder Where Linux shows them.
 */
export function dischargingAt(folder = supplies): number | undefined {
  const read = (name: string, file: string) => {
    try {
      return kernelText(`${folder}/${name}/${file}`).trim();
    } catch {
      // Not every driver tells it.
      return undefined;
    }
  };
  const batteries = kernelNames(folder).filter((name) =>
    read(name, "type") === "Battery" &&
    // That of a mouse says nothing of the machine.
    read(name, "scope") !== "Device"
  );
  const emptying = batteries.filter((name) =>
    read(name, "status") === "Discharging"
  );
  const charges = emptying.map((name) =>
    Number.parseInt(read(name, "capacity") ?? "")
  ).filter((charge) => !Number.isNaN(charge));
  return charges.length > 0 ? Math.min(...charges) : undefined;
}
