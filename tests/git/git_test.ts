import { assert, assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  gitEnvironment,
  localGit,
  type RemoteConfig,
} from "../../lib/git/git.ts";
import { askedNames, parseTip } from "../../lib/git/remote.ts";
import { isRevision } from "../../lib/base/names.ts";
import { lastWords } from "../../lib/base/text.ts";

const a = "a".repeat(40), b = "b".repeat(40), c = "c".repeat(40);

const remote = (changes: Partial<RemoteConfig> = {}): RemoteConfig => ({
  repository: "https://example.org/infra.git",
  sshKeyFile: undefined,
  knownHosts: undefined,
  tokenFile: undefined,
  username: "git",
  ...changes,
});

/** The settings that an environment gives Git, as `key=value`. */
function settingsOf(env: Record<string, string>): string[] {
  return Array.from(
    { length: Number(env["GIT_CONFIG_COUNT"]) },
    (_, i) => `${env[`GIT_CONFIG_KEY_${i}`]}=${env[`GIT_CONFIG_VALUE_${i}`]}`,
  );
}

Deno.test("only a full hash in small letters is a revision", () => {
  for (const ref of [a, "0123456789abcdef".repeat(4)]) {
    assert(isRevision(ref), ref);
  }
  for (
    const ref of [
      "",
      "main",
      a.slice(1),
      `${a}a`,
      a.toUpperCase(),
      `${a}\n`,
      "g".repeat(40),
    ]
  ) assert(!isRevision(ref), ref);
});

Deno.test("a short name is asked for as a branch and as a tag", () => {
  assertEquals(askedNames("main"), [
    "refs/heads/main",
    "refs/tags/main",
    "refs/tags/main^{}",
  ]);
  assertEquals(askedNames("refs/heads/main"), ["refs/heads/main"]);
  assertEquals(askedNames("refs/tags/v1"), ["refs/tags/v1", "refs/tags/v1^{}"]);
  assertEquals(askedNames("refs/pull/1/head"), [
    "refs/pull/1/head",
    "refs/pull/1/head^{}",
  ]);
});

Deno.test("the answer of the remote is read for every kind of name", () => {
  const table: [string, string, ReturnType<typeof parseTip>][] = [
    ["main", `${a}\trefs/heads/main\n`, {
      revision: a,
      kind: "branch",
      name: "refs/heads/main",
    }],
    ["v1", `${a}\trefs/tags/v1\n`, {
      revision: a,
      kind: "tag",
      name: "refs/tags/v1",
    }],
    ["v1", `${a}\trefs/tags/v1\n${b}\trefs/tags/v1^{}\n`, {
      revision: b,
      kind: "tag",
      name: "refs/tags/v1",
    }],
    ["refs/tags/v1", `${a}\trefs/tags/v1\n${b}\trefs/tags/v1^{}\n`, {
      revision: b,
      kind: "tag",
      name: "refs/tags/v1",
    }],
    ["refs/heads/x", `${a}\trefs/heads/x\n`, {
      revision: a,
      kind: "branch",
      name: "refs/heads/x",
    }],
    ["refs/live/1", `${a}\trefs/live/1\n${b}\trefs/live/1^{}\n`, {
      revision: b,
      kind: "branch",
      name: "refs/live/1",
    }],
    // ls-remote matches the ends of names.
    ["main", `${b}\trefs/x/refs/heads/main\n${a}\trefs/heads/main\n`, {
      revision: a,
      kind: "branch",
      name: "refs/heads/main",
    }],
    ["main", `${b}\trefs/heads/other\n`, undefined],
    ["main", "", undefined],
    ["main", "garbage\n\t\nnothash\trefs/heads/main\n", undefined],
  ];
  for (const [ref, output, tip] of table) {
    assertEquals(parseTip(output, ref), tip, `${ref} in ${output}`);
  }
});

Deno.test("a name that is a branch and a tag is refused, unless it is full", () => {
  const both =
    `${a}\trefs/heads/v1\n${b}\trefs/tags/v1\n${c}\trefs/tags/v1^{}\n`;
  const error = assertThrows(
    () => parseTip(both, "v1"),
    SyncError,
  ) as SyncError;
  assertEquals([error.reason, error.exit], ["ref-ambiguous", 3]);
  assertEquals(error.hints, [
    "set ref to refs/heads/v1 or refs/tags/v1 in the configuration",
  ]);
  assertEquals(parseTip(both, "refs/heads/v1")?.revision, a);
  assertEquals(parseTip(both, "refs/tags/v1")?.revision, c);
});

Deno.test("Git sees no configuration but ours, and asks nobody", () => {
  const env = gitEnvironment(remote());
  assertEquals(env["GIT_CONFIG_GLOBAL"], "/dev/null");
  assertEquals(env["GIT_CONFIG_NOSYSTEM"], "1");
  assertEquals(env["GIT_TERMINAL_PROMPT"], "0");
  assertEquals(env["LC_ALL"], "C");
  const settings = settingsOf(env);
  for (
    const setting of [
      "core.hooksPath=/dev/null",
      "core.fsmonitor=false",
      "core.askPass=",
      "credential.helper=",
      "protocol.allow=never",
    ]
  ) assert(settings.includes(setting), setting);
  assert(!settings.some((setting) => setting.startsWith("protocol.ext")));
  assert(!settings.some((setting) => setting.includes("undefined")));
});

Deno.test("the token is named by its file and bound to the one server", async () => {
  const tokenFile = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(tokenFile, "hunter2");
    const env = gitEnvironment(
      remote({ tokenFile, repository: "https://example.org:8443/a/b.git" }),
    );
    assertEquals(env["GITOPS_SYNC_TOKEN_FILE"], tokenFile);
    assert(!Deno.inspect(env, { iterableLimit: 1000 }).includes("hunter2"));
    const helpers = settingsOf(env).filter((setting) =>
      /^credential\..*helper=./.test(setting)
    );
    assertEquals(helpers.length, 1);
    assert(
      helpers[0]!.startsWith("credential.https://example.org:8443.helper="),
    );
    assert(!helpers[0]!.includes(tokenFile));
  } finally {
    await Deno.remove(tokenFile);
  }
});

Deno.test("no server but one of HTTP is offered the token", () => {
  for (
    const repository of [
      "file:///srv/infra.git",
      "ssh://git@example.org/infra.git",
      "git@example.org:infra.git",
    ]
  ) {
    const env = gitEnvironment(remote({ repository, tokenFile: "/token" }));
    assert(!("GITOPS_SYNC_TOKEN_FILE" in env), repository);
    assert(!settingsOf(env).some((one) => /^credential\..+=!/.test(one)));
  }
});

Deno.test("the keys of SSH are named only where they are given", () => {
  const none = gitEnvironment(remote());
  assert(!("GITOPS_SYNC_SSH_KEY" in none));
  assert(!("GITOPS_SYNC_KNOWN_HOSTS" in none));
  const both = gitEnvironment(
    remote({ sshKeyFile: "/k ey", knownHosts: "/h osts" }),
  );
  assertEquals(both["GITOPS_SYNC_SSH_KEY"], "/k ey");
  assertEquals(both["GITOPS_SYNC_KNOWN_HOSTS"], "/h osts");
  assertEquals(both["GIT_SSH_COMMAND"], none["GIT_SSH_COMMAND"]);
});

Deno.test("a local command trusts one folder and reaches nobody", () => {
  const command = localGit("/state/repo", ["log", "-1"]);
  assertEquals([command.program, ...command.args], [
    "git",
    "-C",
    "/state/repo",
    "log",
    "-1",
  ]);
  const settings = settingsOf(command.env as Record<string, string>);
  assert(settings.includes("safe.directory=/state/repo"));
  // The last one counts.
  assertEquals(
    settings.findLast((one) => one.startsWith("protocol.file.allow=")),
    "protocol.file.allow=never",
  );
});

Deno.test("the last words of Git are few, safe and not empty", () => {
  const stderr = `${
    "remote: x\n".repeat(20)
  }\n\u001b[31mfatal: no\u001b[0m\n\n`;
  const words = lastWords({ stderr });
  assertEquals(words.length, 6);
  assertEquals(words.at(-1), "?[31mfatal: no?[0m");
});
