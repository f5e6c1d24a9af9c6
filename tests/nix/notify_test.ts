import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { makeRepository } from "../world/repository.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the units that tell are not tested: ${refusal}`);

const unit = "gitops-sync-notify.service";
const spool = "/var/lib/gitops-sync/notify/spool";
const secret = "the-key-of-the-webhook";

/** A server in the machine that notes what it gets. */
const server = `Deno.serve({ hostname: "127.0.0.1", port: 8080 }, async (r) => {
  const text = await r.text();
  const line = r.headers.get("X-Signature") + " " + text + "\\n";
  Deno.writeTextFileSync("/root/got", line, { append: true });
  return new Response();
})`;

Deno.test({
  name: "the units deliver what runs have to tell, and nothing else does",
  ignore: refusal !== null,
  fn: async () => {
    await using units = await bootUnitHost();
    const { machine } = units;
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.write("/root/secret", `${secret}\n`);
    machine.write("/etc/gitops-sync/.keep", "");
    await units.install(`services.gitops = {
      enable = true;
      repository = "${machine.urlOf(repository)}";
      host = "demo";
      notify.webhook = { url = "http://127.0.0.1:8080/"; secretFile = "/root/secret"; };
      metrics.textfile = "/var/lib/node-exporter/gitops-sync.prom";
    };`);
    await machine.output(["mkdir", "-p", "/var/lib/node-exporter"]);
    const names = ["service", "path", "timer"]
      .map((kind) => `/etc/systemd/system/gitops-sync-notify.${kind}`);
    const verified = await machine.run(["systemd-analyze", "verify", ...names]);
    assertEquals(verified.code, 0, verified.stderr);
    const security = await machine.output([
      ...["systemd-analyze", "security", "--no-pager", unit],
    ]);
    const exposure = Number(/exposure level.*: ([\d.]+)/.exec(security)?.[1]);
    assert(exposure <= 2.0, security);

    // Before anything is up that takes messages.
    await machine.output(["systemctl", "start", "gitops-sync-notify.path"]);
    await repository.publish("The first system");
    await machine.run(["systemctl", "start", "gitops-sync.service"]);
    assertEquals(machine.state()?.last?.result, "deployed");
    const ended = () =>
      machine.output([
        ...["systemctl", "show", unit, "--value"],
        "--property=ExecMainExitTimestampMonotonic",
      ]);
    while (Number(await ended()) === 0);
    const waits = () =>
      [...Deno.readDirSync(machine.path(spool))].map(({ name }) => name);
    assertEquals(waits().length, 1, "it waits for its receiver");
    const log = () =>
      machine.output(["journalctl", `--unit=${unit}`, "--output=cat"]);
    assertStringIncludes(await log(), "Cannot deliver to the webhook");

    await machine.output([
      ...["systemd-run", "--quiet", "--setenv=HOME=/root"],
      ...["--setenv=DENO_DIR=/var/cache/deno", "deno", "eval", server],
    ]);
    machine.write("/var/lib/gitops-sync/notify/pauses.json", "{}");
    while (machine.read("/root/got") === null) {
      await machine.run(["systemctl", "start", unit]);
      machine.write("/var/lib/gitops-sync/notify/pauses.json", "{}");
    }
    const [signature, ...rest] = machine.read("/root/got")!.trim().split(" ");
    assertEquals(JSON.parse(rest.join(" ")).event, "deployed");
    assert(/^sha256=[0-9a-f]{64}$/.test(signature!), signature);

    // The path unit alone, for what comes next.
    await repository.publish("The second", { knobs: { greeting: "two" } });
    await machine.run(["systemctl", "start", "gitops-sync.service"]);
    const got = () => machine.read("/root/got")!.trim().split("\n").length;
    while (got() < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(got(), 2);

    const metrics = machine.read("/var/lib/node-exporter/gitops-sync.prom");
    assertStringIncludes(metrics ?? "", "gitops_sync_build_info{");

    const all = await machine.output(["journalctl", "--output=cat"]);
    assert(!all.includes(secret), "the key is in the journal");
    const found = await machine.run([
      "grep",
      "-r",
      secret,
      "/var/lib/gitops-sync",
    ]);
    assertEquals(found.stdout, "");
  },
});
