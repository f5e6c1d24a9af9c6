/**
 * Hosts in all states that a page shows, for browsers and pictures.
 *
 * @module
 */
import { admitWith } from "../../lib/serve/page/admit.ts";
import type { State } from "../../lib/state/state.ts";
import { targetOf } from "../../lib/run/decide.ts";
import {
  ago,
  deployment,
  holdOn,
  now,
  PageHost,
  revisions,
  someHistory,
} from "./page_host.ts";

/** Somebody who may press buttons, as the page knows them. */
const ada = { name: "ada@example.org", csrf: "token" };

const minute = 60_000, hour = 60 * minute;

/** A host with what it shows, and which page of it is looked at. */
export interface Shown {
  host: PageHost;
  path: string;
}

const goodOf = (host: PageHost) =>
  deployment(
    host.config,
    revisions.good,
    "Follow nixpkgs of this week",
    ago(3 * hour),
  );

const tipOf = {
  revision: revisions.tip,
  kind: "branch",
  name: "refs/heads/main",
} as const;

/** Every page, by name. */
export const pages: Readonly<Record<string, () => Promise<Shown>>> = {
  async "in-sync"() {
    const host = await PageHost.make({
      windows: { reboot: ["Sat,Sun 03:00-05:00 Europe/Berlin"] },
    });
    host.leaveInSync();
    return { host, path: "/" };
  },

  async empty() {
    return { host: await PageHost.make(), path: "/" };
  },

  async first() {
    const host = await PageHost.make();
    host.leave({});
    return { host, path: "/" };
  },

  async run() {
    const host = await PageHost.make();
    const id = "20260302-141812-d07e";
    const attempt: State["attempt"] & object = {
      id,
      command: "sync",
      commit: deployment(
        host.config,
        revisions.tip,
        "postgresql: 16 to 17, with what the release notes ask for",
        ago(10 * minute),
      ),
      target: targetOf(host.config),
      startedAt: ago(2 * minute),
      stage: "build",
      bootId: "1",
    };
    host.log(id, [
      { kind: "attempt", id, revision: revisions.tip },
      { kind: "start", stage: "preflight" },
      { kind: "done", stage: "preflight", text: "room for 41 GiB", ms: 310 },
      { kind: "start", stage: "fetch" },
      { kind: "done", stage: "fetch", text: "1 commit", ms: 1_240 },
      { kind: "start", stage: "verify" },
      { kind: "done", stage: "verify", text: "signed by Ada Moreno", ms: 140 },
      { kind: "start", stage: "secrets" },
      { kind: "done", stage: "secrets", text: "12 files open", ms: 690 },
      { kind: "start", stage: "build" },
      ...[
        "unpacking sources",
        "configure flags: --with-openssl",
        "building",
        "make -j2 all",
      ]
        .map((text) => ({ kind: "line", stage: "build", text } as const)),
    ]);
    Deno.writeTextFileSync(
      `${host.folder}/attempts/${id}/live.json`,
      JSON.stringify({
        stage: "build",
        text: "3 of 12 built, 41 MiB fetched",
        tasks: [
          {
            kind: "build",
            name: "postgresql-17.2",
            ms: 71_000,
            note: "buildPhase",
          },
          {
            kind: "fetch",
            name: "linux-6.12.8",
            ms: 4_000,
            note: "31 of 94 MiB",
          },
        ],
      }),
    );
    host.leave({ lastGood: goodOf(host), attempt }, {
      history: someHistory(),
      isBusy: true,
      busy: { pid: 81_204, command: "sync", since: now.getTime() - 2 * minute },
      tip: tipOf,
    }, { behind: { count: 3, oldest: now.getTime() - 2 * hour } });
    return { host, path: "/" };
  },

  async held() {
    const host = await PageHost.make({
      windows: {
        deploy: ["Mon-Fri 22:00-04:00 Europe/Berlin", "deny Fri 12:00-24:00"],
      },
    });
    host.leave(
      {
        lastGood: goodOf(host),
        holds: [
          holdOn(
            host.config,
            "postgresql.service failed after the switch; the host is back at what ran before",
          ),
        ],
      },
      { history: someHistory(), tip: tipOf },
      {
        behind: { count: 3, oldest: now.getTime() - 29 * hour },
      },
    );
    return { host, path: "/" };
  },

  async plan() {
    const host = await PageHost.make({
      windows: { deploy: ["Mon-Fri 22:00-04:00 Europe/Berlin"] },
    });
    host.leave(
      { lastGood: goodOf(host) },
      { history: someHistory(), tip: tipOf },
      {
        behind: { count: 1, oldest: now.getTime() - 40 * minute },
        plan: {
          at: ago(20 * minute),
          revision: revisions.tip,
          headline:
            "web-1: a sync would change nothing now; later it would deploy d07e5b63fa91, branch main",
          rows: [
            {
              label: "commits",
              text: "1 commit since 4b112af8390c; signed by Ada Moreno",
            },
            {
              label: "",
              text: 'd07e5b63fa91 "postgresql: 16 to 17" by Ada Moreno',
            },
            {
              label: "packages",
              text: "1.1 GiB → 1.2 GiB (+61 MiB); 1 package of another version",
            },
            { label: "", text: "~ postgresql 16.6 → 17.2 +61 MiB" },
            { label: "units", text: "restart: postgresql.service" },
            { label: "reboot", text: "not needed" },
            {
              label: "stops",
              text:
                "no deployment window is open (windows.deploy), until 2026-03-02 22:00:00",
            },
          ],
        },
      },
    );
    return { host, path: "/" };
  },

  async long() {
    const word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk".repeat(
      4,
    );
    const host = await PageHost.make({ host: `${"a-long-name-".repeat(5)}1` });
    host.leave({
      lastGood: deployment(host.config, revisions.good, word, ago(3 * hour)),
      holds: Array.from({ length: 3 }, () => holdOn(host.config, word)),
    }, {
      history: someHistory().map((one) => ({
        ...one,
        subject: word,
        ...one.reason ? { reason: word.slice(0, 80) } : {},
      })),
      tip: tipOf,
    });
    return { host, path: "/" };
  },

  async attempt() {
    const host = await PageHost.make();
    host.leaveInSync();
    const failed = someHistory()[1]!;
    host.log(failed.id, [
      ...["building", "install: creating directory", "x".repeat(400)]
        .map((text) => ({ kind: "line", stage: "build", text } as const)),
      {
        kind: "message",
        level: "error",
        text: "postgresql.service failed after the switch",
        details: ["FATAL: database files are incompatible with server"],
        hints: ["journalctl --unit=postgresql.service says why"],
      },
    ], { ...failed });
    return { host, path: `/attempts/${failed.id}` };
  },

  async buttons() {
    const host = await PageHost.make({}, {
      admit: admitWith({
        hasLogin: true,
        sessionOf: () => Promise.resolve(ada),
      }),
    });
    const waiting = deployment(
      host.config,
      revisions.tip,
      "postgresql: 16 to 17, with a subject that is long for a phone",
      ago(hour),
    );
    const before = deployment(
      host.config,
      revisions.old,
      "nginx: allow larger uploads for the archive",
      ago(50 * hour),
    );
    host.leave({
      lastGood: goodOf(host),
      earlier: [before],
      seen: { ...tipOf, ref: "main", at: ago(hour) },
      waiting: { ...waiting, since: ago(hour) },
      holds: [holdOn(host.config, "postgresql.service failed")],
    }, { history: someHistory(), tip: tipOf });
    return { host, path: "/" };
  },

  async missing() {
    return {
      host: await PageHost.make(),
      path: "/attempts/20260101-000000-aaaa",
    };
  },
};
