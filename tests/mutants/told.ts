/**
 * Mutants of what is told: events, deliveries, commit statuses, metrics.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const deliveries = ["tests/notify/deliver_test.ts"];
const told = ["tests/notify/told_test.ts"];
const forge = ["tests/forge/status_test.ts"];
const metrics = ["tests/report/metrics_test.ts"];
const runs = ["tests/runs/notify_test.ts"];

/** All of these. */
export const ofTold: readonly Mutant[] = [
  {
    name: "told: the spool has no bound",
    file: "lib/notify/spool.ts",
    from: "  for (const { name } of all.slice(",
    to: "  for (const { name } of [].slice(",
    tests: deliveries,
  },
  {
    name: "told: a redirect is followed",
    file: "lib/base/post.ts",
    from: 'redirect: "manual"',
    to: 'redirect: "follow"',
    tests: deliveries,
  },
  {
    name: "told: an answer is read to its end",
    file: "lib/base/post.ts",
    from: "    await response.body?.cancel();\n",
    to: "    await response.text();\n",
    tests: deliveries,
  },
  {
    name: "told: nobody is left alone after a failure",
    file: "lib/notify/deliver.ts",
    from: "  if (isPaused(pause, effects.now())) return",
    to: "  if (pause && false) return",
    tests: deliveries,
  },
  {
    name: "told: what a server asks for does not count",
    file: "lib/notify/deliver.ts",
    from: "Math.max(own, after)",
    to: "own",
    tests: deliveries,
  },
  {
    name: "told: a message is kept for ever",
    file: "lib/notify/deliver.ts",
    from: "> longestWait",
    to: "> Infinity",
    tests: deliveries,
  },
  {
    name: "told: two deliveries work at once",
    file: "lib/notify/deliver.ts",
    from:
      '    using _lock = await takeLock(notifyFolder(folder), "notify", now);\n',
    to: "    void takeLock, now;\n",
    tests: deliveries,
  },
  {
    name: "told: a body is signed with nothing",
    file: "lib/notify/webhook.ts",
    from: "const bytes = new TextEncoder().encode(text);",
    to: 'const bytes = new TextEncoder().encode(text && "");',
    tests: deliveries,
  },
  {
    name: "told: what Apprise writes is told",
    file: "lib/notify/apprise.ts",
    from: "`${file} names no service",
    to: "said + `${file} names no service",
    tests: ["tests/notify/apprise_test.ts"],
  },
  {
    name: "told: the end of an alert has other labels",
    file: "lib/notify/alertmanager.ts",
    from: "const begun = about ??",
    to: "const begun = (about && false) ||",
    tests: told,
  },
  {
    name: "told: what could not be looked at is over",
    file: "lib/notify/told.ts",
    from: "!keys.has(key) && isKnown(key)",
    to: "!keys.has(key)",
    tests: told,
  },
  {
    name: "told: events keep their secrets",
    file: "lib/notify/notice.ts",
    from: "oneLine(redact(value), longest)",
    to: "oneLine(value, longest)",
    tests: told,
  },
  {
    name: "told: a forge is told the same again",
    file: "lib/notify/tell.ts",
    from: "  if (isSame) return;\n",
    to: "",
    tests: told,
  },
  {
    name: "told: what is written down is not spooled again",
    file: "lib/notify/tell.ts",
    from: "[...told.unsent ?? []]",
    to: "[]",
    tests: runs,
  },
  {
    name: "told: a message that can't be written fails the run",
    file: "lib/notify/tell.ts",
    from: "    const { message } = foreseen(error) as Error;\n",
    to:
      "    if (error) throw error;\n    const { message } = foreseen(error) as Error;\n",
    tests: runs,
  },
  {
    name: "told: a run rests while messages wait for it",
    file: "lib/sync/reconcile.ts",
    from: "    !await mustDeliver(config);\n",
    to: "    (true || !await mustDeliver(config));\n",
    tests: runs,
  },
  {
    name: "told: the end of GitHub's limit does not count",
    file: "lib/base/post.ts",
    from: 'headers.get("X-RateLimit-Reset")',
    to: "null",
    tests: forge,
  },
  {
    name: "told: a project's name leads elsewhere",
    file: "lib/forge/status.ts",
    from: '.map(encodeURIComponent).join("/")',
    to: '.join("/")',
    tests: forge,
  },
  {
    name: "told: a label is written as it is",
    file: "lib/report/exposition.ts",
    from: `.replaceAll('"', '\\\\"')`,
    to: "",
    tests: metrics,
  },
  {
    name: "told: an attempt is counted again",
    file: "lib/report/counts.ts",
    from: "history.slice(at + 1)",
    to: "history.slice(at)",
    tests: metrics,
  },
  {
    name: "told: the time of a check does not move",
    file: "lib/sync/settled.ts",
    from: "file.writeSync(bytes)",
    to: "void bytes",
    tests: ["tests/runs/metrics_test.ts"],
  },
];
