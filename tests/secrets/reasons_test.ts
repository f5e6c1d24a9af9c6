import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Effects, Finished } from "../../lib/base/effects.ts";
import type { Identity } from "../../lib/secrets/identities.ts";
import {
  foreignProblem,
  formatProblems,
} from "../../lib/secrets/installed_problems.ts";
import { type Answer, judgeFile } from "../../lib/secrets/opening.ts";
import {
  causes,
  type Problem,
  problemsFailure,
  type Reason,
} from "../../lib/secrets/problems.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";

const reasonOf = (answer: Answer) =>
  answer.kind === "problem" ? answer.problem.reason : answer.kind;

const key: Identity = { path: "/k", kind: "age", recipients: ["age1x"] };

/** What comes of problems for these reasons. */
const next = (reasons: Reason[], identities = [key], lacksKey = false) => {
  const problems = reasons.map((reason): Problem => ({
    file: "a",
    reason,
    why: "it is so",
    fix: "do that",
  }));
  return problemsFailure(problems, { identities, lacksKey }, "prove", "x").next;
};

Deno.test("a revision is held for its own faults alone", () => {
  const ofCommit: Reason[] = [
    ...["broken", "cut-off", "damaged", "not-age", "tampered"] as const,
    ...["value-changed", "no-mac", "no-recipients", "no-file"] as const,
    ...["plaintext", "plaintext-value", "updatekeys-forgotten"] as const,
    // What sops-install-secrets refuses is refused the next time.
    ...["no-key", "not-a-value", "no-text", "json-map"] as const,
    ...["sops-nix-refuses", "two-formats", "vault-not-wired"] as const,
    ...["too-large", "unreadable"] as const,
  ];
  const ofKeys: Reason[] = ["key-groups", "wrong-recipient"];
  for (const reason of Object.keys(causes) as Reason[]) {
    const isOfKeys = ofKeys.includes(reason);
    const holds = ofCommit.includes(reason);
    const table: [string, ReturnType<typeof next>, boolean][] = [
      ["with its keys", next([reason]), holds || isOfKeys],
      ["without a key", next([reason], []), holds],
      ["with a key that is missing", next([reason], [key], true), holds],
    ];
    for (const [what, found, isHeld] of table) {
      assertEquals(found, isHeld ? "hold" : "retry", `${reason} ${what}`);
    }
  }
  // The file is for the key that is missing.
  const both = ["identity-unreadable", "wrong-recipient"] as const;
  assertEquals(next([...both], [key], true), "retry");
  assertEquals(next([...both, "no-key"], [key], true), "hold");
});

Deno.test("files, key files and lists of secrets are counted by themselves", () => {
  const said = (...problems: [Reason, string][]) =>
    problemsFailure(
      problems.map(([reason, file]) => ({
        file,
        reason,
        why: "it is so",
        fix: "do that",
      })),
      { identities: [key], lacksKey: true },
      "prove",
      "the system of x",
    ).message;
  const web: [Reason, string] = ["wrong-recipient", "web.yaml"];
  const none: [Reason, string] = ["identity-unreadable", "/etc/none.key"];
  const list: [Reason, string] = ["manifest-unreadable", "/nix/store/m"];
  const table: [string, string][] = [
    [said(web, ["no-key", "web.yaml"]), "decrypt 1 file"],
    [said(web, ["no-key", "db.yaml"]), "decrypt 2 files"],
    [said(none), "use 1 key file"],
    [said(none, web), "decrypt 1 file and can't use 1 key file"],
    [said(list), "read 1 list of secrets"],
  ];
  for (const [message, what] of table) {
    assertEquals(message, `This host can't ${what} that the system of x needs`);
  }
});

/** An age that ends like this. */
function ends(finished: Partial<Finished>): Effects {
  const end = { code: 1, timedOut: false, stdout: bytes(""), stderr: "" };
  return { ...effects, run: () => Promise.resolve({ ...end, ...finished }) };
}

Deno.test("an age file is damaged only where age says so", async () => {
  await withKeys(async ({ folder, age, ssh, stranger }) => {
    const forSsh = await must(
      "age",
      ["--encrypt", "-r", ssh.recipients[0]!],
      bytes("x"),
    );
    const judge = async (
      finished: Partial<Finished>,
      identities: Identity[] = [ssh],
    ) =>
      reasonOf(
        await judgeFile(ends(finished), { identities }, {
          name: "a.age",
          bytes: forSsh,
          format: "age",
        }),
      );
    const said = (stderr: string) => ({ stderr: `age: error: ${stderr}\n` });
    const table: [string, Partial<Finished>][] = [
      ["damaged", said("bad header MAC")],
      ["damaged", said("no identity matched any of the recipients")],
      ["timed-out", { timedOut: true }],
      ["age-failed", { code: 137 }],
      ["age-failed", { code: 127 }],
      ["age-failed", { code: 2, stderr: "fatal error: out of memory\n" }],
      ["age-failed", said('reading "/k": failed to read "/k": unknown type')],
      ["age-failed", said("failed to obtain passphrase: no terminal")],
      ["plugin-failed", said('x plugin: couldn\'t start plugin: exec: "x"')],
      ["age-failed", said("something that nobody knows")],
      // Its words may quote the file.
      ["damaged", said('failed to read header: malformed stanza: "-> plugin"')],
    ];
    for (const [reason, finished] of table) {
      assertEquals(await judge(finished), reason, Deno.inspect(finished));
    }
    // A file for others is one, whatever keeps a plugin from looking.
    assertEquals(await judge(said("plugin: none"), [stranger]), "foreign");

    // The real one: agenix hands it each key file, and one may be of no use.
    await Deno.writeTextFile(`${folder}/junk`, "junk\n");
    const junk: Identity = {
      path: `${folder}/junk`,
      kind: "age",
      recipients: [],
    };
    for (
      const [identities, reason] of [
        [[age, junk], "age-failed"],
        [[junk, ssh], "age-failed"],
        [[age, ssh], "opened"],
      ] as const
    ) {
      const file = { name: "a.age", bytes: forSsh, format: "age" as const };
      const answer = await judgeFile(effects, { identities }, file);
      assertEquals(reasonOf(answer), reason, Deno.inspect(answer));
    }
  });
});

Deno.test("what may pass hides no fault and makes none up", async () => {
  await withKeys(async ({ age }) => {
    const good = new TextDecoder().decode(
      await must("sops", [
        ...["--config", "/dev/null", "encrypt", "--age", age.recipients[0]!],
        ...["--filename-override", "a.yaml", "/dev/stdin"],
      ], bytes("a: 1\n")),
    );
    const judge = async (text: string, finished: Partial<Finished>) =>
      reasonOf(
        await judgeFile(ends(finished), { identities: [age] }, {
          name: "a.yaml",
          bytes: bytes(text),
        }),
      );
    // Our own reading can't read the first, and sops is not asked to the end.
    for (const text of [`x: !odd y\n${good}`, `${good}\n]`, good]) {
      assertEquals(
        await judge(text, { timedOut: true, code: 143 }),
        "timed-out",
      );
      assertEquals(await judge(text, { code: 137 }), "program-ended");
      assertEquals(await judge(text, { code: 127 }), "program-ended");
      const stderr = "fatal error: runtime: out of memory\n";
      assertEquals(await judge(text, { code: 2, stderr }), "program-ended");
    }
    assertEquals(await judge(`${good}\n]`, { code: 3 }), "broken");
  });
});

Deno.test("a plugin that fails is no reason to hold", () => {
  const { reason, why, fix } = foreignProblem(
    "a.age",
    "secret a",
    { kind: "age", bytes: bytes("") },
    "x plugin: no device",
    true,
  );
  assertEquals(reason, "plugin-failed");
  assertStringIncludes(why, "no device");
  assertStringIncludes(fix, "secrets.plugins");
});

// sops-install-secrets: "has already been loaded as".
Deno.test("a file that is named with two formats is refused", () => {
  const secret = (name: string, file: string, format: "yaml" | "json") => ({
    ...{ name, file, format },
    key: name,
  });
  const found = formatProblems([
    secret("a", "/x", "yaml"),
    secret("b", "/x", "yaml"),
    secret("c", "/y", "json"),
    secret("d", "/x", "json"),
  ]);
  assertEquals(found.map(({ reason, file }) => [reason, file]), [
    ["two-formats", "/x"],
  ]);
  assert(found[0]!.why.includes("secret d reads it as json"), found[0]!.why);
  assert(found[0]!.why.includes("secret a as yaml"), found[0]!.why);
});
