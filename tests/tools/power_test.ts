import { assertEquals } from "@std/assert";
import { chargeIn } from "../../lib/tools/power.ts";

const battery = (name: string, status: string, capacity: string) =>
  `POWER_SUPPLY_NAME=${name}\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=${status}\nPOWER_SUPPLY_CAPACITY=${capacity}\n`;

Deno.test("a machine is on its battery only while that is emptied", () => {
  const table: [string, string, number | undefined][] = [
    ["no battery", "", undefined],
    ["charging", battery("BAT0", "Charging", "5"), undefined],
    ["full", battery("BAT0", "Full", "100"), undefined],
    ["emptying", battery("BAT0", "Discharging", "40"), 40],
    [
      "the emptier one counts",
      battery("BAT0", "Discharging", "40") +
      battery("BAT1", "Discharging", "7"),
      7,
    ],
    [
      "a full one does not",
      battery("BAT0", "Full", "3") + battery("BAT1", "Discharging", "70"),
      70,
    ],
    [
      "a mouse is not the machine",
      battery("BAT0", "Discharging", "3") + "POWER_SUPPLY_SCOPE=Device\n",
      undefined,
    ],
    ["it does not tell", battery("BAT0", "Discharging", ""), undefined],
  ];
  for (const [name, lines, expected] of table) {
    assertEquals(chargeIn(lines), expected, name);
  }
});
