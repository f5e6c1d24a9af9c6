import { assertEquals } from "@std/assert";
import { dischargingAt } from "../../lib/host/power.ts";

type Supplies = Record<string, Record<string, string>>;

/** Lays out supplies as Linux shows them, and asks for the charge. */
function chargeOf(supplies: Supplies): number | undefined {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [name, files] of Object.entries(supplies)) {
      Deno.mkdirSync(`${folder}/${name}`);
      for (const [file, text] of Object.entries(files)) {
        Deno.writeTextFileSync(`${folder}/${name}/${file}`, `${text}\n`);
      }
    }
    return dischargingAt(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const battery = (status: string, capacity: string) => ({
  type: "Battery",
  status,
  capacity,
});

Deno.test("a machine is on its battery only while that is emptied", () => {
  const table: [string, Supplies, number | undefined][] = [
    ["no battery", { AC: { type: "Mains", online: "1" } }, undefined],
    ["charging", { BAT0: battery("Charging", "5") }, undefined],
    ["full", { BAT0: battery("Full", "100") }, undefined],
    ["emptying", { BAT0: battery("Discharging", "40") }, 40],
    [
      "the emptier one counts",
      {
        BAT0: battery("Discharging", "40"),
        BAT1: battery("Discharging", "7"),
      },
      7,
    ],
    [
      "a mouse is not the machine",
      { mouse: { ...battery("Discharging", "3"), scope: "Device" } },
      undefined,
    ],
    ["it does not tell", { BAT0: battery("Discharging", "") }, undefined],
  ];
  for (const [name, supplies, expected] of table) {
    assertEquals(chargeOf(supplies), expected, name);
  }
  assertEquals(dischargingAt("/nowhere"), undefined);
});
