/** What a person has accepted: for which ref, how long, and what it covers. */
import { assertEquals } from "@std/assert";
import type { Settings } from "../../world/host.ts";
import type { Answer, Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

/** A branch beside the deployed revision, of which one was accepted. */
const accepted = (
  entry: (lab: Lab, revision: string, followed: Settings) => unknown,
  more: (lab: Lab) => Promise<unknown> | void = () => {},
  settings: (lab: Lab) => Settings = () => ({}),
) =>
async (lab: Lab) => {
  await lab.begin("ada");
  const deployed = await lab.repository.commit(`Deployed: ${lab.name()}`);
  await lab.push(deployed, "refs/heads/keep");
  await lab.begin("ada");
  const revision = await lab.repository.commit(`Aside: ${lab.name()}`);
  await more(lab);
  const followed = await lab.branch();
  lab.deployed(deployed, followed, {
    accepted: [entry(lab, revision, followed)],
  });
  return { settings: { ...followed, ...settings(lab) } };
};

const plain = (more: Record<string, unknown>) =>
(
  lab: Lab,
  revision: string,
  followed: Settings,
) => lab.accepted(revision, followed, more);

const commit = (lab: Lab) => lab.repository.commit(`A fix: ${lab.name()}`);

/** A commit beside the accepted one. */
const aside = async (lab: Lab) => {
  await lab.begin("ada");
  await commit(lab);
};

/** What is remembered as accepted once a run is over. */
const left = (count: number) => (lab: Lab, { all }: Answer) =>
  assertEquals(lab.world.state()?.accepted?.length, count, all);

const signed = (lab: Lab) => lab.trusting("ada");

export const cases: Case[] = [
  {
    name: "accepted: this revision of this ref, and its build fails",
    make: accepted(plain({})),
    expected: "evaluated",
    then: left(1),
  },
  {
    name: "accepted: this revision, and it is signed",
    make: accepted(plain({}), undefined, signed),
    expected: "evaluated",
    then: left(1),
  },
  {
    name: "accepted: a fix on top of it needs no second word",
    make: accepted(plain({}), commit),
    expected: "evaluated",
    then: left(1),
  },
  {
    name: "accepted: a fix of a fix on top of it",
    make: accepted(plain({}), async (lab) => {
      await commit(lab);
      await commit(lab);
    }, signed),
    expected: "evaluated",
  },
  {
    name: "accepted: a fix on top of it that nobody signed",
    make: accepted(plain({}), async (lab) => {
      await lab.signWith();
      await commit(lab);
    }, signed),
    expected: refused("unsigned"),
  },
  {
    name: "accepted: another commit beside it",
    make: accepted(plain({}), aside),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: another ref",
    make: accepted(plain({ ref: "other" })),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: another ref, and signed",
    make: accepted(plain({ ref: "other" }), undefined, signed),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: the same ref of another repository",
    make: accepted(plain({ repository: "https://git.example.org/infra" })),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: too long ago",
    make: accepted(plain({ until: "2026-01-01T00:00:00.000Z" })),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: too long ago, and a fix on top of it",
    make: accepted(plain({ until: "2026-01-01T00:00:00.000Z" }), commit),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: until a time that nobody can read",
    make: accepted(plain({ until: "soon" })),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: by an older program, which wrote no ref down",
    make: accepted((_, revision) => ({ revision, at: "2026-01-01" })),
    expected: refused("not-forward"),
  },
  {
    name: "accepted: a text in place of the list's entry",
    make: accepted((_, revision) => revision),
    expected: { exit: 2, reason: "state-unreadable" },
  },
  {
    name: "accepted: of a digest that is a number",
    make: accepted(plain({ digest: 7 })),
    expected: { exit: 2, reason: "state-unreadable" },
  },
  {
    name: "accept: a span that is none",
    make: () => ({ args: ["accept", "1".repeat(40), "--for", "soon"] }),
    expected: { exit: 2, reason: "flag-value" },
  },
  {
    name: "accept: no span at all",
    make: () => ({ args: ["accept", "1".repeat(40), "--for", "0s"] }),
    expected: { exit: 2, reason: "flag-value" },
  },
  {
    name: "accept: what is held is accepted for its ref, and for seven days",
    make: async (lab) => {
      const { settings } = await accepted(plain({ ref: "other" }))(lab);
      lab.world.configure(lab.repository, { ...settings, retries: 0 });
      await lab.call("sync");
      const revision = await lab.repository.head();
      assertEquals((await lab.call("accept", revision.slice(0, 12))).code, 0);
      const [one] = lab.world.state()!.accepted!;
      assertEquals([one!.revision, one!.ref], [revision, settings.ref]);
      const days = (Date.parse(one!.until!) - Date.parse(one!.at)) / 86_400_000;
      assertEquals(days, 7);
      return { settings };
    },
    expected: "evaluated",
  },
  {
    name: "accept: for a day",
    make: async (lab) => {
      const { settings } = await accepted(plain({ ref: "other" }))(lab);
      lab.world.configure(lab.repository, { ...settings, retries: 0 });
      const revision = await lab.repository.head();
      assertEquals((await lab.call("accept", revision, "--for", "1d")).code, 0);
      const [one] = lab.world.state()!.accepted!;
      const days = (Date.parse(one!.until!) - Date.parse(one!.at)) / 86_400_000;
      assertEquals([one!.ref, days], [settings.ref, 1]);
      return { settings };
    },
    expected: "evaluated",
  },
];
