import { assertEquals } from "@std/assert";
import { formProblem } from "../../lib/trust/form.ts";

/** A tag with this after its message. */
const tag = (...lines: string[]) =>
  ["object 0", "type commit", "tag v1", "", "Release", ...lines, ""].join("\n");

/** A commit with this in the header of its signature. */
const commit = (...lines: string[]) =>
  ["tree 0", `gpgsig ${lines.join("\n ")}`, "", "Change", ""].join("\n");

const pgp = (first = "") => [
  `-----BEGIN PGP SIGNATURE-----${first}`,
  "",
  "iHUEABYKAB0WIQ==",
  "=abcd",
  "-----END PGP SIGNATURE-----",
];

const ssh = [
  "-----BEGIN SSH SIGNATURE-----",
  "U1NI",
  "-----END SSH SIGNATURE-----",
];

Deno.test("what no signer writes about a signature is told", () => {
  const rows: [lines: string[], says: string | undefined][] = [
    [pgp(), undefined],
    [ssh, undefined],
    [[...pgp(), ""], undefined],
    [pgp().map((line) => `${line}\r`), undefined],
    [[...pgp(), "more"], "has text after the end of its signature"],
    [[...ssh, "more"], "has text after the end of its signature"],
    // Git takes such a line for a beginning, and gpg passes over the blanks.
    [pgp(" "), "has extra text in the first line of its signature"],
    [
      [...pgp("\t"), "more"],
      "has extra text in the first line of its signature",
    ],
    [
      [...pgp(" \r"), "more"],
      "has extra text in the first line of its signature",
    ],
    [pgp().slice(0, -1), "has a signature without an end"],
    [pgp().toSpliced(1, 0, "no header"), "has a signature that can't be read"],
    [pgp().toSpliced(1, 0, "Comment: by hand"), undefined],
    [
      ssh.toSpliced(1, 0, "Comment: by hand"),
      "has a signature that can't be read",
    ],
  ];
  for (const [lines, says] of rows) {
    for (const type of ["tag", "commit"] as const) {
      const content = type === "tag" ? tag(...lines) : commit(...lines);
      const trouble = formProblem(type, content);
      assertEquals(trouble?.says, says, `${type}\n${lines.join("\n")}`);
    }
  }
});

Deno.test("the last beginning in a tag is that of its signature", () => {
  const quoted = tag(...pgp(" "), "so somebody signs", ...ssh);
  assertEquals(formProblem("tag", quoted), undefined);
});
