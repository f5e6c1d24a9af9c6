import { assertEquals } from "@std/assert";
import type { Signer } from "../../lib/state/state.ts";
import { people } from "../../lib/trust/refusals.ts";

const ssh = (name: string, key: string): Signer => ({ kind: "ssh", name, key });
const pgp = (name: string, key: string): Signer => ({
  kind: "openpgp",
  name,
  key,
});

Deno.test("people are counted, and not their keys or names", () => {
  const table: [number, Signer[]][] = [
    [0, []],
    [1, [ssh("ada@x", "1")]],
    [1, [ssh("ada@x", "1"), ssh("ada@x", "1")]],
    [2, [ssh("ada@x", "1"), ssh("bob@x", "2")]],
    // One person with two keys, one key under two names.
    [1, [ssh("ada@x", "1"), ssh("ADA@x", "2")]],
    [1, [ssh("ada@x", "1"), ssh("bob@x", "1")]],
    // The same address in a user id.
    [1, [ssh("ada@x", "1"), pgp("Ada <ada@x>", "A")]],
    [2, [ssh("ada@x", "1"), pgp("Bob <bob@x>", "A")]],
    // The last one joins the first two.
    [1, [ssh("ada@x", "1"), ssh("bob@x", "2"), ssh("ada@x", "2")]],
    [2, [ssh("a", "1"), ssh("b", "2"), ssh("c", "3"), ssh("a", "3")]],
  ];
  for (const [expected, signers] of table) {
    assertEquals(people(signers), expected, JSON.stringify(signers));
  }
});

Deno.test("a person has all the names that are in a key", () => {
  const names = new Map([
    ["1", ["ada@x", "ada@work"]],
    ["2", ["ADA@work"]],
    ["3", ["bob@x", "bob@home"]],
    ["A", ["Bob <bob@y>", "Bob B. <bob@home>"]],
    ["B", ["Carol <carol@x>", "Carol"]],
  ]);
  const table: [number, Signer[]][] = [
    [1, [ssh("ada@x", "1"), ssh("ADA@work", "2")]],
    [2, [ssh("ada@x", "1"), ssh("bob@x", "3")]],
    [1, [ssh("bob@x", "3"), pgp("Bob <bob@y>", "A")]],
    [2, [ssh("ada@x", "1"), pgp("Bob <bob@y>", "A")]],
    [3, [ssh("ada@x", "1"), ssh("bob@x", "3"), pgp("Carol <carol@x>", "B")]],
    // One that the keys of today do not know any more.
    [1, [ssh("ada@work", "0"), ssh("ada@x", "1")]],
  ];
  for (const [expected, signers] of table) {
    assertEquals(people(signers, names), expected, JSON.stringify(signers));
  }
});
