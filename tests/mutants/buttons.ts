/**
 * Mutants of the buttons: who is let in, and what root's unit believes.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const hostile = ["tests/serve/hostile_test.ts"];
const auth = ["tests/serve/auth_test.ts"];
const planted = ["tests/serve/planted_test.ts"];

/** All of these. */
export const ofButtons: readonly Mutant[] = [
  {
    name: "buttons: any page may send a form",
    file: "lib/serve/form.ts",
    from: 'headers.get("origin") !== origin',
    to: "false",
    tests: hostile,
  },
  {
    name: "buttons: what the browser says of a form does not count",
    file: "lib/serve/form.ts",
    from: 'site !== null && site !== "same-origin"',
    to: 'site === "cross-site " && site !== null',
    tests: hostile,
  },
  {
    name: "buttons: a field may come twice",
    file: "lib/serve/form.ts",
    from: " || fields.has(name)",
    to: "",
    tests: hostile,
  },
  {
    name: "buttons: any type is a form",
    file: "lib/serve/form.ts",
    from: "!/^application\\/x-www-form-urlencoded(?:;|$)/i.test(type)",
    to: 'type === "x"',
    tests: hostile,
  },
  {
    name: "buttons: no token is needed",
    file: "lib/serve/form_answer.ts",
    from: "given !== undefined && await isSameText(csrf, given)",
    to: "csrf !== given || await isSameText(csrf, given)",
    tests: hostile,
  },
  {
    name: "buttons: one token is everybody's",
    file: "lib/serve/session.ts",
    from: 'this.#tokens.of("session", key!)',
    to: 'this.#tokens.of("session")',
    tests: hostile,
  },
  {
    name: "buttons: a cookie may be planted beside ours",
    file: "lib/serve/session.ts",
    from: "named.length !== 1 || ",
    to: "",
    tests: hostile,
  },
  {
    name: "buttons: a session has no end",
    file: "lib/serve/session.ts",
    from: "this.monotonic() >= known.until",
    to: "this.monotonic() < 0",
    tests: auth,
  },
  {
    name: "buttons: signing out ends nothing",
    file: "lib/serve/session.ts",
    from: "if (key !== undefined) this.#open.delete(key);",
    to: "void key;",
    tests: auth,
  },
  {
    name: "buttons: sessions have no bound",
    file: "lib/serve/session.ts",
    from: "if (this.#open.size > most) ",
    to: "if (this.#open.size > Infinity) ",
    tests: auth,
  },
  {
    name: "buttons: the list of people does not count",
    file: "lib/serve/session.ts",
    from: "(users.length === 0 || users.includes(name))",
    to: "users.length >= 0",
    tests: auth,
  },
  {
    name: "buttons: whatever the proxy's header holds is a name",
    file: "lib/serve/session.ts",
    from: "isUserName(name) && (users",
    to: '(isUserName(name) || name !== "") && (users',
    tests: ["tests/serve/auth_test.ts"],
  },
  {
    name: "buttons: a header is believed from anywhere",
    file: "lib/serve/auth.ts",
    from: 'if (!isOwn(config["serve.listen"])) throw',
    to: 'if (isOwn("")) throw',
    tests: auth,
  },
  {
    name: "buttons: guessing is not slowed",
    file: "lib/serve/attempts.ts",
    from: "    this.#left--;\n",
    to: "",
    tests: auth,
  },
  {
    name: "buttons: a request counts for ever",
    file: "lib/serve/actions_read.ts",
    from: "if (age > oldest)",
    to: "if (age > Infinity)",
    tests: planted,
  },
  {
    name: "buttons: anybody's file is a request",
    file: "lib/serve/actions_read.ts",
    from: "if (info.uid !== owner) throw",
    to: "if (info.uid === -owner - 1) throw",
    tests: planted,
  },
  {
    name: "buttons: a link in place of the folder is followed",
    file: "lib/serve/actions_read.ts",
    from: "    return Deno.lstatSync(path);",
    to: "    return Deno.statSync(path);",
    tests: planted,
  },
  {
    name: "buttons: a unit does what is not for it",
    file: "lib/serve/actions_read.ts",
    from: "if (kindOf(request.action) !== kind)",
    to: "if (kindOf(request.action) === kind.slice(1))",
    tests: planted,
  },
  {
    name: "buttons: a request may be written in many ways",
    file: "lib/serve/actions_request.ts",
    from: "request && textOf(request) === text ? request",
    to: "request && text ? request",
    tests: planted,
  },
  {
    name: "buttons: a request may name anything",
    file: "lib/serve/actions_request.ts",
    from: "const isGood = isKnown && isWhole &&",
    to: "const isGood = (isKnown || isWhole) &&",
    tests: [...hostile, ...planted],
  },
];
