import { assert, assertEquals } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the journal is not tested here: ${refusal}`);

type Entry = Record<string, string>;

/** A service as the module makes it, as far as the journal is concerned. */
const service = `[Service]
Type=oneshot
Environment=HOME=/root DENO_DIR=/var/cache/deno NIX_REMOTE=daemon XDG_CACHE_HOME=/var/cache/gitops-sync
Environment="PATH=/usr/local/bin:/usr/bin:/bin"
ExecStart=gitops-sync sync
StateDirectory=gitops-sync
StateDirectoryMode=0700
CacheDirectory=gitops-sync
RuntimeDirectory=gitops-sync
ReadWritePaths=/var/cache/deno
CapabilityBoundingSet=
PrivateTmp=true
ProtectHome=read-only
ProtectProc=invisible
ProtectSystem=strict
NoNewPrivileges=true
`;

async function entries(machine: Machine, ...match: string[]): Promise<Entry[]> {
  await machine.output(["journalctl", "--sync"]);
  const text = await machine.output(
    ["journalctl", "--no-pager", "--output=json", ...match],
  );
  return text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

Deno.test({
  name: "lines of an attempt have fields in the journal, and are there once",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository);
    machine.write("/run/systemd/system/gitops-sync.service", service);
    await machine.output(["systemctl", "daemon-reload"]);
    const runs: [build: string, ok: boolean][] = [
      ["", true],
      ["echo 'no such file'; exit 1", false],
    ];
    for (const [build, ok] of runs) {
      const revision = await repository.publish("News", { knobs: { build } });
      const { code } = await machine.run(
        ["systemctl", "start", "gitops-sync.service"],
      );
      assertEquals(
        code === 0,
        ok,
        await machine.output(["journalctl", "--unit=gitops-sync.service"]),
      );
      const found = await entries(machine, `GITOPS_SYNC_REVISION=${revision}`);
      const attempt = machine.history().at(-1)?.id;
      assert(
        found.every((one) => one.GITOPS_SYNC_ATTEMPT === attempt),
        JSON.stringify(found),
      );
      const own = found.filter((one) =>
        one.SYSLOG_IDENTIFIER === "gitops-sync"
      );
      const fetched = own.filter(({ MESSAGE }) => /^fetch: /.test(MESSAGE!));
      assertEquals(fetched.map((one) => one.GITOPS_SYNC_STAGE), ["fetch"]);
      // With what everybody asks for: all of it, in its order, and each once.
      const ofUnit = await entries(machine, "--unit=gitops-sync.service");
      const all = ofUnit.map(({ MESSAGE }) => MESSAGE!);
      const texts = all.slice(
        all.findLastIndex((text) => text.startsWith("Starting ")),
      );
      for (const { MESSAGE } of own) {
        assertEquals(
          texts.filter((text) => text === MESSAGE).length,
          own.filter((one) => one.MESSAGE === MESSAGE).length,
          texts.join("\n"),
        );
      }
      if (ok) {
        // What the switch wrote, from a unit of its own.
        const stages = new Set(found.map((one) => one.GITOPS_SYNC_STAGE));
        assert(stages.has("activate") && stages.has("confirm"));
        assert(
          found.some((one) =>
            one._SYSTEMD_UNIT?.startsWith("gitops-sync-activate-")
          ),
          JSON.stringify(found),
        );
      } else {
        const error = own.find((one) => one.PRIORITY === "3")?.MESSAGE ?? "";
        assert(error.includes("no such file"), JSON.stringify(own));
        assert(error.includes("\n"), "it is one entry with its lines");
      }
    }
  },
});

Deno.test({
  name: "what a switch writes in its unit is in the log while it goes on, once",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository);
    await repository.publish("Slow", {
      knobs: {
        activation:
          "echo first words; until [ -e /run/go ]; do sleep 0.1; done; echo last words",
      },
    });
    const run = machine.startSync([]);
    const log = () => {
      const id = machine.state()?.attempt?.id ?? machine.history().at(-1)?.id;
      return machine.read(`/var/lib/gitops-sync/attempts/${id}/head.jsonl`) ??
        "";
    };
    const end = Date.now() + 5 * 60_000;
    while (!log().includes("first words")) {
      assert(Date.now() < end, log());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(machine.state()?.attempt?.stage, "activate");
    machine.write("/run/go", "");
    const { code, stderr } = await run.ended;
    assertEquals(code, 0, stderr);
    for (const words of ["first words", "last words"]) {
      assertEquals(log().split(words).length, 2, log());
    }
  },
});
