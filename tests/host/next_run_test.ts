import { assertEquals } from "@std/assert";
import { nextOf } from "../../lib/host/next_run.ts";

const unit = "gitops-sync.timer";

Deno.test("the next run is what systemd says, and nothing else", () => {
  // As systemd 252 writes it, of a timer that counts from the last run.
  const waiting =
    '[{"next":1795733330083944,"left":1795733330083944,"last":0,"passed":0,"unit":"gitops-sync.timer","activates":"gitops-sync.service"}]';
  assertEquals(nextOf(waiting), { at: new Date(1795733330083.944) });
  const none = { why: `${unit} has no next run scheduled` };
  const table: [string, ReturnType<typeof nextOf>][] = [
    ["[]", { why: `${unit} does not exist` }],
    ["", { why: "systemd gives no valid answer" }],
    ["0 timers listed.", { why: "systemd gives no valid answer" }],
    ['{"next": 1}', { why: `${unit} does not exist` }],
    ['[{"next": 1795733330083944, "unit": "other.timer"}]', {
      why: `${unit} does not exist`,
    }],
    [`[{"next": 0, "unit": "${unit}"}]`, none],
    [`[{"next": null, "unit": "${unit}"}]`, none],
    [`[{"next": "soon", "unit": "${unit}"}]`, none],
    // The largest number stands for never.
    [`[{"next": 18446744073709551615, "unit": "${unit}"}]`, none],
  ];
  for (const [text, expected] of table) {
    assertEquals(nextOf(text), expected, text);
  }
});
