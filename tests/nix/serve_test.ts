import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { hmac, pushes } from "../serve/hook.ts";
import { makeRepository } from "../world/repository.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`serve is not tested here: ${refusal}`);

const unit = "gitops-sync-serve.service";
const secret = "5f2c1d0e9b8a7f6e5d4c3b2a19080706";

/** Waits until something is so; a minute and more, on a busy computer too. */
async function untilIn(
  machine: Machine,
  what: string,
  isSo: () => Promise<boolean>,
) {
  for (let i = 0; !await isSo(); i++) {
    if (i === 1000) {
      const said = await machine.output(["journalctl", "--lines=50"]);
      throw new Error(`still not so: ${what}\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * 200 clients that keep a connection and never come to an end: slow heads, slow
 * bodies, long bodies that nobody signed, and forms.
 */
const slowClients = `
  const heads = [
    "POST /webhook HTTP/1.1\\r\\nHost: x\\r\\nX-A: ",
    "POST /webhook HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1000000\\r\\n\\r\\na",
    "POST /webhook HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 24000000\\r\\n\\r\\n" + "a".repeat(2000000),
    "POST /login HTTP/1.1\\r\\nHost: x\\r\\nOrigin: https://evil.example\\r\\nContent-Length: 9\\r\\n\\r\\na=b",
  ];
  const slow = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: 9480 });
    const bytes = new TextEncoder().encode(heads[i % heads.length]);
    const write = async () => {
      for (let rest = bytes; rest.length > 0;) {
        rest = rest.subarray(await connection.write(rest));
      }
    };
    write().catch(() => {});
    return connection;
  }));`;

/**
 * Sends webhooks from within the machine, 100 at once.
 *
 * @param before What is done before, as JavaScript.
 */
async function deliver(
  machine: Machine,
  url: string,
  numbers: number[],
  before = "",
) {
  const { headers, body } = pushes.github!("refs/heads/main");
  const deliveries = await Promise.all(numbers.map(async (number) => {
    const repository = { clone_url: url };
    const text = JSON.stringify({ ...body as object, repository, number });
    const signature = await hmac(secret, new TextEncoder().encode(text));
    return {
      text,
      headers: { ...headers, "x-hub-signature-256": `sha256=${signature}` },
    };
  }));
  machine.write("/root/deliveries.json", JSON.stringify(deliveries));
  const code = `
    const all = JSON.parse(Deno.readTextFileSync("/root/deliveries.json"));
    ${before}
    const send = async ({ text, headers }) => {
      const answer = await fetch("http://127.0.0.1:9480/webhook", {
        method: "POST", body: text, headers });
      await answer.body?.cancel();
      return answer.status;
    };
    const statuses = new Set();
    for (let at = 0; at < all.length; at += 100) {
      const burst = all.slice(at, at + 100);
      for (const one of await Promise.all(burst.map(send))) statuses.add(one);
    }
    console.log(JSON.stringify([...statuses]));
    Deno.exit(0);`;
  const { code: ended, stdout, stderr } = await machine.run(
    ["deno", "eval", code],
  );
  if (ended === 0) return JSON.parse(stdout);
  const said = await machine.output(["journalctl", "--lines=50"]);
  throw new Error(`${stderr}\n${said}`);
}

Deno.test({
  name: "a push starts a run, a burst is one, and the last is never lost",
  ignore: refusal !== null,
  fn: async () => {
    await using units = await bootUnitHost();
    const { machine } = units;
    const until = (what: string, isSo: () => Promise<boolean>) =>
      untilIn(machine, what, isSo);
    const repository = await makeRepository(`${machine.shared}/infra`);
    const url = machine.urlOf(repository);
    machine.write("/etc/webhook-secret", `${secret}\n`);
    await units.install(`services.gitops = {
      enable = true;
      repository = "${url}";
      host = "demo";
      health.steady = "1s";
      serve.enable = true;
      serve.webhookSecretFile = "/etc/webhook-secret";
      serve.page = true;
    };`);
    await machine.output(["systemd-tmpfiles", "--create"]);
    const analyzed = await machine.run([
      "systemd-analyze",
      "verify",
      `/etc/systemd/system/${unit}`,
      "/etc/systemd/system/gitops-sync-push.path",
    ]);
    assertEquals(analyzed.code, 0, analyzed.stderr);
    const report = await machine.output(
      ["systemd-analyze", "security", "--no-pager", unit],
    );
    const exposure = Number(/exposure level .*: ([\d.]+)/.exec(report)?.[1]);
    assert(exposure <= 1.5, report);

    const journal = (name: string) =>
      machine.output(["journalctl", `--unit=${name}`, "--output=cat"]);
    await machine.output(["systemctl", "start", "gitops-sync-push.path", unit]);
    await until(
      "it listens",
      async () => (await journal(unit)).includes("Listening on"),
    );

    // One push.
    const first = await repository.publish("The first");
    assertEquals(await deliver(machine, url, [1]), [202]);
    const isDeployed = (revision: string) => async () =>
      await Promise.resolve(
        machine.state()?.lastGood?.revision === revision,
      );
    await until("the first is deployed", isDeployed(first));
    const isIdle = async () => {
      const properties = ["--property=ActiveState", "--value"];
      const state = await machine.output(
        ["systemctl", "show", "gitops-sync.service", ...properties],
      );
      return state === "inactive" &&
        machine.read("/run/gitops-sync-serve/wanted") === null;
    };
    await until("the run is over", isIdle);

    // Another run has the lock and has asked; then a burst comes.
    const held = machine.start([
      "flock",
      "--close",
      "/var/lib/gitops-sync/lock",
      "sleep",
      "3600",
    ]);
    const second = await repository.publish("The second");
    const numbers = Array.from({ length: 1000 }, (_, i) => i + 10);
    assertEquals(await deliver(machine, url, numbers, slowClients), [202]);
    await until(
      "the run waits",
      async () =>
        (await journal("gitops-sync")).includes("waiting until it ends"),
    );
    // While that run is under way the last push comes.
    assertEquals(await deliver(machine, url, [1500]), [202]);
    held.signal("SIGTERM");
    await until("the second is deployed", isDeployed(second));
    await until("the runs are over", isIdle);
    const begun = (await journal("gitops-sync"))
      .split("\n").filter((line) => line.startsWith("Starting ")).length;
    assert(begun >= 3 && begun <= 6, `${begun} runs`);

    // More runs than systemd starts by itself in ten seconds.
    for (let i = 0; i < 8; i++) {
      assertEquals(await deliver(machine, url, [2000 + i]), [202]);
      await until("the run is over", isIdle);
    }
    const third = await repository.publish("The third");
    assertEquals(await deliver(machine, url, [3000]), [202]);
    await until("the third is deployed", isDeployed(third));

    // The page is shown by a user who may see nothing else of the state folder.
    const pid = await machine.output(
      ["systemctl", "show", "--property=MainPID", "--value", unit],
    );
    const show = (path: string) =>
      machine.output([
        "deno",
        "eval",
        `
        const answer = await fetch("http://127.0.0.1:9480${path}");
        console.log(answer.status, await answer.text());`,
      ]);
    const page = await show("/");
    assertStringIncludes(page, "<b>in sync with main</b>");
    assertStringIncludes(page, third.slice(0, 12));
    // Where dbus-daemon does not know such a user the time is not known.
    assertStringIncludes(page, "next run");
    const { id } = machine.history().at(-1)!;
    assertStringIncludes(await show(`/attempts/${id}`), "build: begins");
    const folder = "/var/lib/gitops-sync";
    const inside = [
      "nsenter",
      `--target=${pid}`,
      "--mount",
      "ls",
      "-A",
      folder,
    ];
    assertEquals(await machine.output(inside), "attempts\npage");
    const mode = ["stat", "--format=%a %U", folder];
    assertEquals(await machine.output(mode), "700 root");

    // Nobody ended the server, and it stays within what its unit allows.
    const shown = (property: string) =>
      machine.output(
        ["systemctl", "show", unit, `--property=${property}`, "--value"],
      );
    assertEquals(await shown("NRestarts"), "0");
    const memory = await machine.output(
      ["grep", "VmHWM", `/proc/${await shown("MainPID")}/status`],
    );
    const mebibytes = Number(/(\d+) kB/.exec(memory)?.[1]) / 1024;
    console.log(`serve took ${Math.round(mebibytes)} MiB at most`);
    assert(mebibytes < 512, memory);

    // A stranger starts nothing, and the secret is in no message.
    const answer = await machine.output([
      "deno",
      "eval",
      'console.log((await fetch("http://127.0.0.1:9480/webhook", { method: "POST", body: "{}" })).status)',
    ]);
    assertEquals(answer, "401");
    const said = await journal(unit);
    assertStringIncludes(said, "its signature is wrong");
    assert(!said.includes(secret));
  },
});
