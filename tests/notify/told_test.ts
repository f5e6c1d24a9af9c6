import { assertEquals } from "@std/assert";
import { list, read } from "../../lib/notify/spool.ts";
import { type Found, spoolStatus, tellFound } from "../../lib/notify/tell.ts";
import { type Condition, readTold } from "../../lib/notify/told.ts";
import { messageOf } from "../../lib/notify/message.ts";
import { gets } from "../../lib/notify/channels.ts";
import { alertOf } from "../../lib/notify/alertmanager.ts";
import { event, Setting } from "./setting.ts";

const drift: Condition = {
  key: "drift",
  since: new Date("2026-11-26T22:00:00Z"),
  parts: { event: "drift", severity: "warning", summary: "changed by hand" },
};

const reboot = (at: string): Found["reboot"] & object => ({
  at,
  parts: {
    id: `${at}-reboot`,
    event: "reboot-done",
    severity: "info",
    summary: "rebooted",
  },
});

async function told() {
  const setting = await Setting.make();
  const config = await setting.config(
    'notify: {webhook: {url: "https://a.example/"}}',
  );
  const folder = config.stateDirectory;
  const tell = (found: Partial<Found>) =>
    tellFound({ effects: setting.effects, config }, {
      conditions: [],
      isKnown: () => true,
      ...found,
    });
  const events = () =>
    list(folder).map(({ name }) => {
      const waiting = read(folder, name)!;
      return waiting.channel === "forge" ? "" : waiting.notice.event;
    });
  return { setting, config, folder, tell, events };
}

Deno.test("a reboot from before anybody was told is no news", async () => {
  const { setting, tell, events } = await told();
  await tell({ reboot: reboot("2026-11-01T00:00:00Z") });
  assertEquals(events(), []);
  await tell({ reboot: reboot("2026-11-02T00:00:00Z") });
  await tell({ reboot: reboot("2026-11-02T00:00:00Z") });
  assertEquals(events(), ["reboot-done"]);
  await setting[Symbol.asyncDispose]();
});

Deno.test("what could not be looked at is not over", async () => {
  const { setting, tell, events } = await told();
  await tell({ conditions: [drift] });
  await tell({ isKnown: (key) => key !== "drift" });
  assertEquals(events(), ["drift"]);
  setting.later += 2000;
  await tell({});
  assertEquals(events(), ["drift", "recovered"]);
  await setting[Symbol.asyncDispose]();
});

Deno.test("what was told and can't be read is told again", async () => {
  const { setting, folder, tell, events } = await told();
  await tell({ conditions: [drift] });
  for (const text of ["", "{", "null", '{"open":{"a":{}}}', '{"open":[1]}']) {
    Deno.writeTextFileSync(`${folder}/notify/told.json`, text);
    assertEquals(readTold(folder), undefined, text);
    setting.later += 2000;
    await tell({ conditions: [drift] });
  }
  assertEquals(new Set(events()), new Set(["drift"]));
  await setting[Symbol.asyncDispose]();
});

Deno.test("a forge is told the same once", async () => {
  const { setting, folder } = await told();
  const config = await setting.config("commitStatus: {forge: gitea}");
  const teller = { effects: setting.effects, config };
  const status = (state: "pending" | "failure", id: string, text = "") =>
    spoolStatus(teller, state === "pending" ? 0 : 1, {
      id,
      revision: "a",
      state,
      description: text,
    });
  await status("pending", "1");
  await status("failure", "1", "no disk");
  await status("pending", "2");
  await status("failure", "2", "no disk");
  await status("pending", "3");
  await status("failure", "3", "no network");
  assertEquals(list(folder).map(({ name }) => name), [
    "1.0-pending-a.forge.json",
    "1.1-failure-a.forge.json",
    "3.1-failure-a.forge.json",
  ]);
  await setting[Symbol.asyncDispose]();
});

Deno.test("a template gets the fields that there are", async () => {
  const { setting } = await told();
  const config = await setting.config(
    'notify: {title: "[{severity}] {host} {stage}", body: "{short} {subject}\\n{hints}{link}", link: "https://a/{revision}"}',
  );
  const notice = event(config, {
    revision: "0123456789abcdef",
    subject: "$& {host} `x`",
    severity: "error",
  });
  assertEquals(messageOf(config, notice), {
    title: "[error] web-1",
    body: "0123456789ab $& {host} `x`\nhttps://a/0123456789abcdef",
  });
  await setting[Symbol.asyncDispose]();
});

Deno.test("no text of an event holds a secret or a command of a terminal", async () => {
  const { setting, config } = await told();
  const notice = event(config, {
    message: "https://me:pa55@host/x?private_token=t0k failed \u001b[31m",
    hints: ["ghp_0123456789abcdef0123456789abcdef0123"],
  });
  const text = JSON.stringify(notice);
  for (const secret of ["pa55", "t0k", "ghp_0", "\u001b", "\\u001b"]) {
    assertEquals(text.includes(secret), false, text);
  }
  await setting[Symbol.asyncDispose]();
});

Deno.test("an end is sent after its beginning, whatever the clock does", async () => {
  for (const jump of [0, -3_600_000, -30 * 365 * 24 * 3_600_000]) {
    const { setting, config, folder, tell, events } = await told();
    await tell({ conditions: [{ ...drift, since: setting.effects.now() }] });
    setting.later += jump;
    await tell({});
    assertEquals(events(), ["drift", "recovered"], `${jump}`);
    // Alertmanager refuses an alert that ends before it starts, and one whose
    // end is to come is not over.
    const now = setting.effects.now();
    for (const { name } of list(folder)) {
      const waiting = read(folder, name)!;
      if (waiting.channel === "forge") continue;
      const { startsAt, endsAt } = alertOf(config, waiting.notice, now);
      assertEquals(startsAt <= endsAt, true, `${startsAt} ${endsAt}`);
      assertEquals(Date.parse(startsAt) <= now.getTime(), true, startsAt);
      const isOver = waiting.notice.event === "recovered";
      assertEquals(Date.parse(endsAt) <= now.getTime(), isOver, endsAt);
    }
    await setting[Symbol.asyncDispose]();
  }
});

Deno.test("what a run finds over is told before what it finds anew", async () => {
  const { setting, tell, events } = await told();
  const all = Array.from({ length: 12 }, (_, i) => ({ ...drift, key: `${i}` }));
  await tell({ conditions: all });
  setting.later += 2000;
  const anew = all.map((one) => ({ ...one, key: `${one.key} anew` }));
  await tell({ conditions: anew });
  assertEquals(events().slice(12, 24), Array(12).fill("recovered"));
  await setting[Symbol.asyncDispose]();
});

Deno.test("each receiver gets what its filters let through", async () => {
  const { setting } = await told();
  const config = await setting.config(
    `notify:
  webhook: {url: "https://a/", events: [failed, recovered], severity: warning}
  alertmanager: {url: "https://b/", events: [failed]}`,
  );
  const since = "2026-11-26T22:00:00Z";
  const about = (severity: "info" | "error") => ({
    event: "failed" as const,
    id: "1",
    summary: "",
    severity,
  });
  const table: [Parameters<typeof event>[1] & object, boolean, boolean][] = [
    [{ event: "failed", severity: "error", since }, true, true],
    [{ event: "failed", severity: "info", since }, false, true],
    [{ event: "drift", severity: "error", since }, false, false],
    [{ event: "deployed", severity: "info" }, false, false],
    [{ event: "recovered", about: about("error"), since }, true, true],
    [{ event: "recovered", about: about("info"), since }, false, true],
  ];
  for (const [parts, webhook, alertmanager] of table) {
    const notice = event(config, parts);
    assertEquals(
      [gets(config, "webhook", notice), gets(config, "alertmanager", notice)],
      [webhook, alertmanager],
      JSON.stringify(parts),
    );
  }
  await setting[Symbol.asyncDispose]();
});

Deno.test("the end of an alert has the labels of its beginning", async () => {
  const { setting, config, folder, tell } = await told();
  await tell({ conditions: [drift] });
  const begun = Object.values(readTold(folder)!.open)[0]!;
  setting.later += 2000;
  await tell({});
  const over = list(folder).map(({ name }) => read(folder, name)!)
    .flatMap((one) => one.channel === "forge" ? [] : [one.notice])
    .find((notice) => notice.event === "recovered")!;
  const now = setting.effects.now();
  const [first, last] = [begun, over].map((one) => alertOf(config, one, now));
  assertEquals(last!.labels, first!.labels);
  assertEquals(last!.startsAt, first!.startsAt);
  assertEquals(Date.parse(last!.endsAt) <= now.getTime(), true);
  assertEquals(Date.parse(first!.endsAt) > now.getTime(), true);
  await setting[Symbol.asyncDispose]();
});
