import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deliver, deliverAll } from "../../lib/notify/deliver.ts";
import { tellFound } from "../../lib/notify/tell.ts";
import type { Condition } from "../../lib/notify/told.ts";
import { Receiver } from "./receiver.ts";
import { has, Server, withShare } from "./programs.ts";
import { event, Setting } from "./setting.ts";

const ignore = !await has("prometheus-alertmanager");

const minute = 60_000;

Deno.test({
  name: "the real Alertmanager fires an alert, and resolves it at its end",
  ignore,
  fn: async () => {
    await using setting = await Setting.make();
    await using receiver = new Receiver();
    const file = setting.write(
      "alertmanager.yml",
      `route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: "${receiver.url}/hook"}]}]
`,
    );
    const start = () =>
      Server.start((port) =>
        withShare(
          "prometheus-alertmanager",
          `--config.file=${file}`,
          `--storage.path=${setting.folder}/data`,
          `--web.listen-address=127.0.0.1:${port}`,
          "--cluster.listen-address=",
        ), "/-/ready");
    await using server = await start();
    const config = await setting.config(
      `notify: {alertmanager: {url: "${server.url}"}}`,
    );
    const teller = { effects: setting.effects, config };
    const fault: Condition = {
      key: "fault 1",
      since: new Date(Date.now() - 3 * minute),
      parts: {
        event: "failed",
        severity: "error",
        summary: "failed at build: builder-failed",
        message: "The build failed",
      },
    };
    const tell = async (...conditions: Condition[]) => {
      await tellFound(teller, { conditions, isKnown: () => true });
      return await deliverAll(setting.effects, config, minute);
    };
    await tell(fault);
    await receiver.until(1);
    const [fired] = receiver.bodies;
    assertEquals(fired.status, "firing");
    assertEquals(fired.alerts[0].labels.alertname, "GitopsSyncFailed");
    assertEquals(fired.alerts[0].labels.host, "web-1");
    assertStringIncludes(
      fired.alerts[0].annotations.description,
      "The build failed",
    );
    // It is told again while it lasts, and stays one alert.
    await tell(fault);
    const alerts = await server.json("/api/v2/alerts");
    assertEquals(alerts.length, 1);
    const lasts = Date.parse(alerts[0].endsAt) - Date.now();
    assert(lasts > 20 * 3_600_000, alerts[0].endsAt);
    await tell();
    await receiver.until(2);
    assertEquals(receiver.bodies[1].status, "resolved");
    assertEquals(receiver.bodies[1].alerts[0].labels, fired.alerts[0].labels);
    // What is over is not told again.
    assertEquals(await tell(), []);
    // Its own words for what is wrong with an alert.
    const at = new Date().toISOString();
    const sent = await deliver(setting.effects, config, {
      version: 1,
      at,
      channel: "alertmanager",
      notice: { ...event(config, { since: at }), since: "1 day ago" },
    });
    assertEquals(sent.result, "refused");
  },
});

Deno.test("Alertmanager gets what lasts alone", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(
    `notify: {alertmanager: {url: "${receiver.url}/prefix/", tokenFile: ${
      setting.write("token", "abc\n")
    }}}`,
  );
  const { spool } = await import("../../lib/notify/tell.ts");
  await spool({ effects: setting.effects, config }, {
    id: "1",
    event: "deployed",
    severity: "info",
    summary: "deployed",
  });
  assertEquals(await deliverAll(setting.effects, config, minute), []);
  const at = new Date().toISOString();
  await deliver(setting.effects, config, {
    version: 1,
    at,
    channel: "alertmanager",
    notice: event(config, { since: at }),
  });
  assertEquals(receiver.got[0]!.path, "/prefix/api/v2/alerts");
  assertEquals(receiver.got[0]!.headers.get("authorization"), "Bearer abc");
});
