/** Configurations that say more than they may. */
import { canary, type Case } from "../lab.ts";

const wrong = { exit: 2, reason: "config-wrong" };
const syntax = { exit: 2, reason: "config-syntax" };

const setting = (
  name: string,
  value: unknown,
  expected: Case["expected"] = wrong,
): Case => ({
  name: `${name}: ${JSON.stringify(value)}`.replaceAll(canary, "TOKEN"),
  make: () => ({ settings: { [name]: value } }),
  expected,
});

const text = (
  name: string,
  content: string,
  expected: Case["expected"] = syntax,
): Case => ({
  name: `file: ${name}`,
  make: () => ({ text: content }),
  expected,
});

/** A token that would go over the network as anybody can read it. */
const open = (
  repository: string,
  expected: Case["expected"],
  more: Record<string, unknown> = {},
): Case => ({
  name: `a token for ${repository}${
    Object.keys(more).map((one) => `, ${one}`).join("")
  }`,
  make: () => ({
    settings: {
      repository,
      tokenFile: "/etc/gitops-sync/token",
      ...more,
    },
  }),
  expected,
  ...expected === wrong ? { says: "https://" } : {},
});

const refused = { exit: 3, reason: "unreachable" };

export const cases: Case[] = [
  ...[
    "http://git.example.org/infra",
    "http://git.example.org:8080/infra",
    "HTTP://git.example.org/infra",
    "http://10.0.0.1/infra",
    "http://localhost.example.org/infra",
    "http://127.0.0.1.example.org/infra",
    "http://[2001:db8::1]/infra",
    "http://0.0.0.0/infra",
  ].map((url) => open(url, wrong)),
  ...[
    "http://127.0.0.1:1/infra",
    "http://127.5.0.1:1/infra",
    "http://[::1]:1/infra",
    "http://localhost:1/infra",
  ].map((url) => open(url, refused)),
  ...[
    "ext::sh -c 'touch pwned'",
    "fd::17",
    "-oProxyCommand=touch pwned",
    "--upload-pack=touch pwned",
    "transport::address",
    "https:/x",
    "repo\nurl",
    `https://user:${canary}@127.0.0.1:1/x`,
    `https://ghp_${canary}@127.0.0.1:1/x`,
  ].map((url) => setting("repository", url)),
  setting("repository", "ssh://-oProxyCommand=touch${IFS}pwned/x", {
    exit: 3,
    reason: "git-failed",
  }),
  setting("repository", "ssh://127.0.0.1:1/-oProxyCommand=x", {
    exit: 3,
    reason: "unreachable",
  }),
  ...[
    "-x",
    "--upload-pack=x",
    "a..b",
    "a b",
    "a\nb",
    "a\rb",
    "@{-1}",
    "a^{/x}",
    "refs/heads/",
    "+main:x",
    ":x",
  ]
    .map((ref) => setting("ref", ref)),
  ...[
    "../x",
    "a/../../b",
    "/etc",
    "a?dir=/etc",
    "a#b",
    "a//b",
    "a%2f..",
    "a\nb",
  ]
    .map((folder) => setting("directory", folder)),
  ...["a;b", "$(x)", "a b", "-x", 'x".y', "a#b"].map((host) =>
    setting("host", host)
  ),
  setting("verify.mode", "off"),
  setting("verify.threshold", 2),
  setting("verify.firstTrusted", "1".repeat(40)),
  setting("verify.allowedSigners", "/etc/passwd"),
  {
    name: "a threshold of nobody",
    make: () => ({
      settings: { "verify.mode": "head", "verify.threshold": 0 },
    }),
    expected: wrong,
  },
  {
    name: "a first trusted revision that is a branch",
    make: () => ({
      settings: { "verify.mode": "range", "verify.firstTrusted": "main" },
    }),
    expected: wrong,
  },
  {
    name: "keys from outside of the repository",
    make: () => ({
      settings: { "verify.mode": "head", "verify.keysFrom": "../keys" },
    }),
    expected: wrong,
  },
  setting("tokenFile", "relative/path"),
  setting("timeouts.remote", "99999999d"),
  setting("__proto__", { x: 1 }, wrong),
  setting("constructor", "x"),
  text(
    "a bomb of anchors",
    `a: &a [x,x,x,x,x,x,x,x]\n${
      Array.from(
        "bcdefghi",
        (name, i) =>
          `${name}: &${name} [${
            Array(8).fill("*" + "abcdefghi"[i]).join(",")
          }]`,
      ).join("\n")
    }\n`,
    wrong,
  ),
  text("a value that holds itself", "repository: &a [*a]\n", wrong),
  text("rubbish", "\u0000\u0001\u0002"),
  text("a list", "- a\n- b\n"),
  text("tabs", "repository:\n\tx: y\n"),
  text("a secret in a broken line", `tokenFile: "${canary}\n`),
  text("ten thousand brackets", "[".repeat(10_000)),
];
