import { assert, assertEquals, assertThrows } from "@std/assert";
import { exitCodes } from "../../lib/base/errors.ts";
import { isAboutHost } from "../../lib/cli/call.ts";
import { commands, listed } from "../../lib/cli/commands.ts";
import { jsonVersion } from "../../lib/cli/output/json.ts";
import { hostStates } from "../../lib/run/host_state.ts";
import { documents, mustFitSchema, schema } from "../schema.ts";

/** They run until they are stopped, and have no result. */
const withoutDocument = ["vault-agent", "serve"];

/** All that a property of some documents can be. */
function valuesOf(names: readonly string[], key: string): unknown[] {
  return names.flatMap((name) => {
    const property = schema.$defs[name]?.properties?.[key] ?? {};
    return "const" in property ? [property.const] : property.enum ?? [];
  });
}

Deno.test("the schema has a document for each command", () => {
  const known = valuesOf(documents, "command");
  for (const { name } of listed) {
    if (withoutDocument.includes(name)) continue;
    assert(known.includes(name), `docs/json.schema.json lacks ${name}`);
  }
});

Deno.test("the schema knows what the program knows", () => {
  const enumOf = (name: string) =>
    (schema.$defs[name] as { enum: unknown[] }).enum;
  assertEquals(enumOf("state"), [...hostStates]);
  assertEquals(enumOf("exit"), Object.values(exitCodes));
  assertEquals([...new Set(valuesOf(documents, "version"))], [jsonVersion]);
});

Deno.test("a command that deals with the host fails as one that does", () => {
  const failed = valuesOf(["failed"], "command");
  const about = commands.filter(isAboutHost).map(({ name }) => name);
  assertEquals(failed.toSorted(), about.toSorted());
});

Deno.test("what does not fit is refused, also a key too many", () => {
  const fits = {
    version: 2,
    command: "resume",
    exit: 0,
    host: "web",
    target: {
      repository: "file:///srv/infra",
      ref: "main",
      directory: "",
      host: "web",
      operation: "switch",
    },
    state: "in-sync",
    result: "resumed",
    wasSuspended: true,
    wasRolledBack: false,
  };
  mustFitSchema(JSON.stringify(fits));
  for (
    const wrong of [
      { version: 1 },
      { state: "fine" },
      { wasSuspended: undefined },
      { more: 1 },
      { result: "failed" },
      { command: "nonsense" },
    ]
  ) {
    assertThrows(() => mustFitSchema(JSON.stringify({ ...fits, ...wrong })));
  }
});

Deno.test("docs/json.md names each command that deals with the host", () => {
  const page = new URL("../../docs/json.md", import.meta.url);
  const [, list] = /The documents of ([^]*?) also have:/.exec(
    Deno.readTextFileSync(page),
  )!;
  const named = [...list!.matchAll(/`(.*?)`/g)].map(([, name]) => name);
  const about = commands.filter(isAboutHost).map(({ name }) => name);
  assertEquals(named.toSorted(), about.toSorted());
});
