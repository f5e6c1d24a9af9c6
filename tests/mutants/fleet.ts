/**
 * Mutants of fleets: signed notes, and how hosts are told to stand.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const notes = ["tests/trust/notes_test.ts"];
const fleet = ["tests/fleet/fleet_test.ts"];
const rollout = ["tests/fleet/rollout_test.ts"];

/** All of these. */
export const ofFleets: readonly Mutant[] = [
  {
    name: "fleet: a note counts for any host",
    file: "lib/trust/note.ts",
    from: 'if (!isOfAny(note.hosts, place.host)) return "is for other hosts";',
    to: "",
    tests: notes,
  },
  {
    name: "fleet: a note counts for any repository",
    file: "lib/trust/note.ts",
    from: "note.repository !== repositoryName(place.repository)",
    to: 'note.repository === ""',
    tests: notes,
  },
  {
    name: "fleet: a note counts for ever",
    file: "lib/trust/note.ts",
    from: "return now.getTime() < until ? undefined",
    to: "return until > 0 ? undefined",
    tests: notes,
  },
  {
    name: "fleet: a note accepts a move from anywhere",
    file: "lib/trust/note.ts",
    from: "!(place.from !== undefined && note.from.includes(place.from))",
    to: "place.from === undefined",
    tests: notes,
  },
  {
    name: "fleet: a note may have any form",
    file: "lib/trust/note.ts",
    from: 'return noteText(note) === text ? note : "has an unexpected format";',
    to: "return note;",
    tests: notes,
  },
  {
    name: "fleet: any namespace signs a note",
    file: "lib/trust/note_signature.ts",
    from:
      'const args = ["verify", "-I", name, "-n", noteNamespace, ...revoked];',
    to: 'const args = ["check-novalidate", "-n", noteNamespace, ...revoked];',
    tests: notes,
  },
  {
    name: "fleet: a revoked key signs a note",
    file: "lib/trust/note_signature.ts",
    from: '"-n", noteNamespace, ...revoked];',
    to: '"-n", noteNamespace];',
    tests: notes,
  },
  {
    name: "fleet: a note counts again and again",
    file: "lib/sync/notes.ts",
    from: "    if (state.heeded?.includes(digest)) continue;\n",
    to: "",
    tests: notes,
  },
  {
    name: "fleet: what can't be fetched of the notes ends the run",
    file: "lib/sync/notes.ts",
    from: "    if (!isOurs) throw error;\n",
    to: "    if (isOurs || !isOurs) throw error;\n",
    tests: notes,
  },
  {
    name: "fleet: a silent host is well",
    file: "lib/fleet/judge.ts",
    from: "return age <= silentAfter ? undefined",
    to: "return age > 0 ? undefined",
    tests: fleet,
  },
  {
    name: "fleet: a metric that is missing is good",
    file: "lib/fleet/judge.ts",
    from: "return missing\n",
    to: 'return missing === "behind_seconds"\n',
    tests: fleet,
  },
  {
    name: "fleet: no host at all is a ring that is well",
    file: "lib/cli/command/fleet_wait.ts",
    from: "const isAll = hosts.length >= least &&",
    to: "const isAll =",
    tests: fleet,
  },
  {
    name: "fleet: half an answer of Prometheus is one",
    file: "lib/gates/promql.ts",
    from: "Array.isArray(warnings) && warnings.length > 0",
    to: "false",
    tests: fleet,
  },
  {
    name: "fleet: a host that nobody has heard of is left out",
    file: "lib/fleet/fleet.ts",
    from: "isPlainName(name) && !known.has(name)",
    to: "isPlainName(name) && known.has(name)",
    tests: fleet,
  },
  {
    name: "rollout: each gate is open",
    file: "lib/gates/look.ts",
    from: "if (answers.every(({ isOpen }) => isOpen)) return { gates };",
    to: "if (answers.length >= 0) return { gates };",
    tests: rollout,
  },
  {
    name: "rollout: a check that failed opens its gate",
    file: "lib/forge/judge.ts",
    from: 'const wrong = of.filter(({ state }) => state !== "success");',
    to: 'const wrong = of.filter(({ state }) => state === "success");',
    tests: rollout,
  },
  {
    name: "rollout: what Prometheus answers is true",
    file: "lib/gates/promql.ts",
    from:
      "const isTrue = (value: number) => Number.isFinite(value) && value !== 0;",
    to: "const isTrue = (value: number) => Number.isFinite(value);",
    tests: rollout,
  },
  {
    name: "rollout: no slot is taken",
    file: "lib/locks/take.ts",
    from:
      "  if (!hasLock(run.config)) return undefined;\n  const lock = await opened(run, wanted);\n",
    to:
      "  if (run.config) return undefined;\n  const lock = await opened(run, wanted);\n",
    tests: rollout,
  },
  {
    name: "rollout: a host goes on without a slot",
    file: "lib/locks/take.ts",
    from: "    lock[Symbol.dispose]();\n    throw error;\n",
    to:
      "    lock[Symbol.dispose]();\n    if (isWithoutSlot(error)) return undefined;\n    throw error;\n",
    tests: rollout,
  },
  {
    name: "rollout: there is one slot more",
    file: "lib/locks/configured.ts",
    from: 'slots: config["lock.etcd.slots"],',
    to: 'slots: config["lock.etcd.slots"] + 1,',
    tests: rollout,
  },
  {
    name: "rollout: an unhealthy host gives its slot back",
    file: "lib/run/slot.ts",
    from: "if (isChanged) return { slot: { ...slot, stuck: true } };",
    to: "if (isChanged) return { slot: due(slot) };",
    tests: rollout,
  },
  {
    name: "rollout: a slot is taken without a lease",
    file: "lib/locks/etcd.ts",
    from: "const put = { ...this.#put(slot, false), lease: this.#lease };",
    to: "const put = this.#put(slot, false);",
    tests: rollout,
  },
  {
    name: "rollout: a slot that is kept stays under its lease",
    file: "lib/locks/etcd.ts",
    from:
      "      { request_put: put },\n    ]);\n    if (isDone) return true;\n",
    to:
      "      { request_put: { ...put, lease: this.#lease } },\n    ]);\n    if (isDone) return true;\n",
    tests: rollout,
  },
  {
    name: "rollout: no slot is given back",
    file: "lib/locks/give_back.ts",
    from:
      "else tellGiven(effects, await lock.server.giveBack(slot), slot.group);",
    to: 'else tellGiven(effects, { result: "given" }, slot.group);',
    tests: rollout,
  },
];
