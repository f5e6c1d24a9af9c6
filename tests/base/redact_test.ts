import { assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { redact, shown } from "../../lib/base/redact.ts";

Deno.test("users, passwords and tokens are taken out of texts", () => {
  const table: [string, string][] = [
    ["https://example.org/a@b.git", "https://example.org/a@b.git"],
    ["https://token@example.org/x", "https://example.org/x"],
    ["https://a:b@example.org/x", "https://example.org/x"],
    ["HTTP://a:b@example.org/x", "HTTP://example.org/x"],
    [
      "fatal: 'https://t@h/x' and http://u:p@h",
      "fatal: 'https://h/x' and http://h",
    ],
    ["ssh://git@example.org/x", "ssh://git@example.org/x"],
    ["ssh://git:word@example.org/x", "ssh://git@example.org/x"],
    ["git@example.org:x.git", "git@example.org:x.git"],
    ["ghp_abcdefghijklmnop and more", "ghp_… and more"],
    ["token=glpat-ABCdef123_456", "token=glpat-…"],
    ["github_pat_11ABCDEFG0123", "github_pat_…"],
    ["nothing to hide", "nothing to hide"],
    // Passwords that nobody wrote with % as they should have.
    ["https://a:p@ss@example.org/x", "https://example.org/x"],
    ["https://a:p/s@example.org/x", "https://example.org/x"],
    ["https://a:p/@/s@example.org/x", "https://example.org/x"],
    ["https://a@b@example.org/x", "https://example.org/x"],
    ["https://:word@example.org/x", "https://example.org/x"],
    ["ssh://git:p@s/s@example.org/x", "ssh://git@example.org/x"],
    ["https://example.org:8443/a@b.git", "https://example.org:8443/a@b.git"],
    ["https://example.org:443", "https://example.org:443"],
    [
      "unable to download 'git+https://a:p@s/s@h/x?ref=main': gone",
      "unable to download 'git+https://h/x?ref=main': gone",
    ],
    [
      "https://h/x.tar.gz?private_token=abc-DEF_1&ref=main",
      "https://h/x.tar.gz?private_token=…&ref=main",
    ],
    ["'https://h/x?access_token=abc'", "'https://h/x?access_token=…'"],
    ["https://h/x?a=b&job_token=abc#c", "https://h/x?a=b&job_token=…#c"],
    ["https://h/x?PRIVATE_TOKEN=abc", "https://h/x?PRIVATE_TOKEN=…"],
    ["https://h/x?ref=token", "https://h/x?ref=token"],
    ["authorization: Bearer abc.DEF-1=", "authorization: Bearer …"],
    ["the bearer of news", "the bearer of news"],
    ["Authorization: Basic Z2l0OndvcmQ=", "Authorization: Basic …"],
    ["Authorization: token abcdef", "Authorization: token …"],
    ["PRIVATE-TOKEN: abcdef", "PRIVATE-TOKEN: …"],
    ["X-Vault-Token: abcdef", "X-Vault-Token: …"],
    ["hvs.CAESIJx-abc_DEF", "hvs.…"],
    ["hvb.AAAAAQJx-abc_DEF and hvr.AAAAAQJx", "hvb.… and hvr.…"],
    ["glrt-t1_abcdefghij", "glrt-…"],
    ["gldt-abcdefghijk, glptt-abcdefghijk", "gldt-…, glptt-…"],
  ];
  for (const [text, expected] of table) assertEquals(redact(text), expected);
});

Deno.test("no part of an error holds a secret or a command for a terminal", () => {
  const secret = "at https://user:word@example.org \u001b[31m";
  const error = new SyncError(secret, {
    stage: "fetch",
    reason: "x",
    next: "stop",
    hints: [secret],
    details: [secret],
  });
  const all = [error.message, ...error.hints, ...error.details];
  assertEquals(new Set(all), new Set(["at https://example.org ?[31m"]));
  assertEquals(shown("two\nlines\tand \u009b more"), "two\nlines?and ? more");
  assertEquals(shown("a\u202eb\u2066c\u200fd\u061ce"), "a?b?c?d?e");
  assertEquals(shown("one\u2028line\u2029only"), "one?line?only");
});
