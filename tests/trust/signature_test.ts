import { assertEquals } from "@std/assert";
import { fieldOf } from "../../lib/git/git.ts";
import { refusalOf, signerOf } from "../../lib/trust/signature.ts";

const status = (...lines: string[]) =>
  lines.map((line) => `[GNUPG:] ${line}\n`).join("");
const primary = "A".repeat(40);
const valid = `VALIDSIG ${
  "B".repeat(40)
} 2026-01-01 1 0 4 0 22 10 00 ${primary}`;
const good = 'Good "git" signature for bob@x with ED25519 key SHA256:abc';
/** What JavaScript takes for ends of lines in a pattern, beside the real one. */
const ends = ["\r", "\u2028", "\u2029"];

Deno.test("who signed is read from whole lines of the program that checked", () => {
  const ada = { ok: true, kind: "openpgp", key: primary } as const;
  const bob = { ok: true, kind: "ssh", name: "bob@x", key: "SHA256:abc" };
  const table: [string, ReturnType<typeof signerOf>][] = [
    [`${good}\n`, bob as ReturnType<typeof signerOf>],
    [status("NEWSIG", "GOODSIG B Ada <ada@x>", valid), {
      ...ada,
      name: "Ada <ada@x>",
    }],
    [`warning: of Git\n${status("GOODSIG B A", valid)}`, { ...ada, name: "A" }],
    [status("GOODSIG B 100%25", valid), { ...ada, name: "100%" }],
    [status("NEWSIG"), undefined],
    ["", undefined],
    ...ends.map((end): typeof table[number] => [
      status(`GOODSIG B Ada${end}${good}`, valid),
      { ...ada, name: `Ada ${good}` },
    ]),
    ...ends.map((end): typeof table[number] => [
      status(`GOODSIG B A`, `POLICY_URL x${end}${good}`, valid),
      { ...ada, name: "A" },
    ]),
  ];
  for (const [raw, expected] of table) {
    assertEquals(signerOf(raw), expected, JSON.stringify(raw));
  }
});

Deno.test("why a signature does not count is read in the same way", () => {
  const content = "tree x\ngpgsig -----BEGIN PGP SIGNATURE-----\n\nMessage";
  const kinds = new Set(["openpgp" as const]);
  for (const end of ends) {
    const raw = status(
      `NOTATION_DATA x${end}[GNUPG:] REVKEYSIG C Eve`,
      "NO_PUBKEY D",
    );
    const { reason } = refusalOf("commit", content, raw, { kinds });
    assertEquals(reason, "unknown-key");
    const unsigned = `tree x\nauthor A${end}gpgsig x\n\nMessage`;
    const none = refusalOf("commit", unsigned, "", { kinds });
    assertEquals(none.reason, "unsigned");
  }
});

Deno.test("the header of an object has fields, a line each", () => {
  const tag = `object 1\ntype commit\ntag v1\u2028x\ntagger A\n\ntag v2\n`;
  assertEquals(fieldOf(tag, "tag"), "v1\u2028x");
  assertEquals(fieldOf(tag, "type"), "commit");
  assertEquals(fieldOf(tag, "tree"), undefined);
  assertEquals(fieldOf("", "tag"), undefined);
});
