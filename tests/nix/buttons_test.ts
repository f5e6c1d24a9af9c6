import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { origin, password, passwordLine } from "../serve/desk.ts";
import { makeRepository } from "../world/repository.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`buttons are not tested here: ${refusal}`);

/** Signs in and presses, from within the machine; writes the statuses. */
const browser = `
  const [origin, password, ...presses] = Deno.args;
  const post = async (path, fields, cookie) => await fetch(
    "http://127.0.0.1:9480" + path, { method: "POST", redirect: "manual",
      headers: { origin, "sec-fetch-site": "same-origin", ...cookie && { cookie } },
      body: new URLSearchParams(fields) });
  const signedIn = await post("/login", { name: "ada", password });
  const cookie = signedIn.headers.get("set-cookie").split(";")[0];
  const page = await fetch("http://127.0.0.1:9480/press", { headers: { cookie } });
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1];
  const statuses = [];
  for (const press of presses) {
    const fields = { csrf, ...JSON.parse(press) };
    statuses.push((await post("/press", fields, cookie)).status);
  }
  console.log(JSON.stringify(statuses));`;

/** Asks again until something is so. */
async function until(
  machine: Machine,
  what: string,
  isSo: () => boolean | Promise<boolean>,
) {
  for (let i = 0; !await isSo(); i++) {
    if (i === 1000) {
      const said = await machine.output(["journalctl", "--lines=60"]);
      throw new Error(`still not so: ${what}\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test({
  name: "root's units do what people press, and nothing that is planted",
  ignore: refusal !== null,
  fn: async () => {
    await using units = await bootUnitHost();
    const { machine } = units;
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.write("/etc/webhook-secret", "5f2c1d0e9b8a7f6e5d4c3b2a19080706\n");
    machine.write("/etc/passwords", `${passwordLine("ada")}\n`);
    await units.install(`services.gitops = {
      enable = true;
      repository = "${machine.urlOf(repository)}";
      host = "demo";
      health.steady = "1s";
      serve.enable = true;
      serve.webhookSecretFile = "/etc/webhook-secret";
      serve.auth = { passwordFile = "/etc/passwords"; origin = "${origin}"; };
    };`);
    const most = {
      "gitops-sync-serve.service": 1.5,
      "gitops-sync-button-words.service": 1.5,
      "gitops-sync-button-runs.service": 2.0,
    };
    const paths = [
      "gitops-sync-button-words.path",
      "gitops-sync-button-runs.path",
    ];
    const analyzed = await machine.run([
      "systemd-analyze",
      "verify",
      ...[...Object.keys(most), ...paths]
        .map((name) => `/etc/systemd/system/${name}`),
    ]);
    assertEquals(analyzed.code, 0, analyzed.stderr);
    for (const [name, exposure] of Object.entries(most)) {
      const report = await machine.output(
        ["systemd-analyze", "security", "--no-pager", name],
      );
      const level = Number(/exposure level .*: ([\d.]+)/.exec(report)?.[1]);
      assert(level <= exposure, report);
    }
    const journal = (name: string) =>
      machine.output(["journalctl", `--unit=${name}`, "--output=cat"]);
    const serve = "gitops-sync-serve.service";
    await machine.output(["systemctl", "start", serve, ...paths]);
    await until(
      machine,
      "it listens",
      async () => (await journal(serve)).includes("Listening on"),
    );
    machine.write("/root/browser.js", browser);
    const press = async (...presses: Record<string, string>[]) =>
      JSON.parse(
        await machine.output([
          ...["deno", "run", "--allow-net", "/root/browser.js"],
          ...[origin, password, ...presses.map((one) => JSON.stringify(one))],
        ]),
      );
    const suspension = () =>
      machine.read("/var/lib/gitops-sync/suspended.json");

    // A run, and words.
    const first = await repository.publish("The first");
    assertEquals(await press({ action: "sync" }), [303]);
    await until(
      machine,
      "it is deployed",
      () => machine.state()?.lastGood?.revision === first,
    );
    const entry = () => machine.history().at(-1);
    await until(machine, "it is recorded", () => entry()?.by === "ada (page)");
    assertEquals(await press({ action: "suspend", reason: "a disk" }), [303]);
    await until(machine, "it is suspended", () => suspension() !== null);
    const { by, reason } = JSON.parse(suspension()!);
    assertEquals([by, reason], ["ada (page)", "a disk"]);

    // Whoever took the server over puts something else there.
    const folder = "/run/gitops-sync-serve/words";
    const plant = (script: string) =>
      machine.output([
        "sh",
        "-ec",
        `f=${folder}; u=$(stat -Lc %u /run/gitops-sync-serve); ${script}`,
      ]);
    const name = `1-${crypto.randomUUID()}.json`;
    const planted = [
      // The whole folder is a link, a file, or root's.
      "rm -rf $f; ln -s /etc $f",
      "rm -rf $f; mkdir -p $f/full/full; touch $f/full/x; chown -R $u $f; chmod 0 $f/full $f",
      `rm -rf $f; mkdir $f; ln -s /etc/shadow $f/${name}; chown -h $u $f $f/*`,
      `rm -rf $f; mkdir $f; mkfifo $f/${name}; chown $u $f $f/*`,
      `rm -rf $f; mkdir $f; echo '{}' > $f/${name}; chown $u $f`,
    ];
    const unit = "gitops-sync-button-words.service";
    const refusals = async () =>
      (await journal(unit)).split("Refused a request").length - 1;
    for (const script of planted) {
      const before = await refusals();
      await plant(script);
      await until(
        machine,
        `it is refused: ${script}`,
        async () => await refusals() > before,
      );
      assert(machine.read("/etc/webhook-secret"), "what a link names stays");
    }
    assert(suspension() !== null);
    assertEquals(await press({ action: "resume" }), [303]);
    await until(machine, "it is resumed", () => suspension() === null);
    const failed = await machine.output([
      ...["systemctl", "list-units", "--failed", "--plain", "--no-legend"],
    ]);
    assert(!failed.includes("gitops-sync"), failed);
    const said = await machine.output(["journalctl", "--output=cat"]);
    assert(!said.includes(password));
    assertStringIncludes(await journal(unit), "ada requested resume");
  },
});

Deno.test({
  name:
    "a proxy reaches the socket that its group may use, and nobody else does",
  ignore: refusal !== null,
  fn: async () => {
    await using units = await bootUnitHost();
    const { machine } = units;
    await units.install(`services.gitops = {
      enable = true;
      repository = "https://git.example.org/infra.git";
      host = "demo";
      serve = {
        enable = true;
        page = true;
        listen = "unix:/run/gitops-sync-serve/http.sock";
        group = "www-data";
        auth = { header = "X-Remote-User"; origin = "${origin}"; };
      };
    };`);
    const serve = "gitops-sync-serve.service";
    await machine.output(["systemctl", "start", serve]);
    await until(machine, "it listens or ends", async () => {
      const said = await machine.output(["journalctl", `--unit=${serve}`]);
      return /Listening on|Cannot/.test(said);
    });
    const ask = (user: string) =>
      machine.run([
        ...["runuser", "--user", user, "--"],
        ...["curl", "--silent", "--header", "X-Remote-User: ada"],
        ...["--unix-socket", "/run/gitops-sync-serve/http.sock"],
        "http://web-1/",
      ]);
    const answer = await ask("www-data");
    assertStringIncludes(answer.stdout, "Signed in as ada");
    // It can't connect.
    assertEquals((await ask("nobody")).code, 7);
    // What is wanted stays wanted, and the server starts in what is left.
    await machine.output(["touch", "/run/gitops-sync-serve/wanted"]);
    await machine.output(["systemctl", "restart", serve]);
    await until(
      machine,
      "it answers again",
      async () => (await ask("www-data")).code === 0,
    );
    assert(machine.read("/run/gitops-sync-serve/wanted") !== null);
  },
});
