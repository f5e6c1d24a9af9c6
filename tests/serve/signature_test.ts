import { assertEquals } from "@std/assert";
import { isSigned } from "../../lib/serve/signature.ts";
import { hmac } from "./hook.ts";

const encoder = new TextEncoder();
const secret = "It's a Secret to Everybody";
const body = encoder.encode("Hello, World!");
// GitHub's documentation, "Validating webhook deliveries", has this value.
const known =
  "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

const good: readonly [string, string][] = [
  ["x-hub-signature-256", `sha256=${known}`],
  ["x-hub-signature", `sha256=${known}`],
  ["x-gitea-signature", known],
  ["x-forgejo-signature", known],
  ["x-signature", `sha256=${known.toUpperCase()}`],
  ["x-gitlab-token", secret],
];

for (const [name, value] of good) {
  Deno.test(`the secret opens by ${name}`, async () => {
    const headers = new Headers({ [name]: value });
    assertEquals(await isSigned(headers, body, [secret]), true);
    assertEquals(await isSigned(headers, body, ["other", secret]), true);
    assertEquals(await isSigned(headers, body, []), false);
    assertEquals(await isSigned(headers, body, [`${secret}.`]), false);
    // GitLab signs nothing: it shows the secret.
    const isOfBody = name !== "x-gitlab-token";
    const other = encoder.encode("Hello, World?");
    assertEquals(await isSigned(headers, other, [secret]), !isOfBody);
  });
}

Deno.test("nothing that only looks like a signature opens", async () => {
  const own = await hmac(secret, body);
  assertEquals(own, known);
  const bad: readonly [string, string][] = [
    ["x-hub-signature-256", known.slice(0, 62)],
    ["x-hub-signature-256", `${known}00`],
    ["x-hub-signature-256", `sha1=${known}`],
    ["x-hub-signature-256", `sha256=sha256=${known}`],
    ["x-hub-signature-256", `sha256=${known.replace("7", "g")}`],
    ["x-hub-signature-256", "0".repeat(64)],
    ["x-hub-signature-256", `sha256=${known}, sha256=${known}`],
    ["x-hub-signature", `sha512=${known}`],
    ["x-gitlab-token", known],
    ["x-gitlab-token", ""],
    ["x-gitlab-token", secret.slice(0, -1)],
    ["x-gitlab-token", secret.toLowerCase()],
    ["authorization", secret],
    ["x-hub-signature-512", known],
  ];
  for (const [name, value] of bad) {
    const headers = new Headers({ [name]: value });
    assertEquals(await isSigned(headers, body, [secret]), false, value);
  }
});
