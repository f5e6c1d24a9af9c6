/**
 * Mutants of fleets: signed notes, and how hosts are told to stand.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const notes = ["tests/trust/notes_test.ts"];
const fleet = ["tests/fleet/fleet_test.ts"];

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
];
