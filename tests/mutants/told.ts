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

const serve = ["tests/serve/webhook_test.ts"];

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
    file: "lib/notify/pause.ts",
    from: "Math.max(own, after)",
    to: "own",
    tests: deliveries,
  },
  {
    name: "told: a commit that a forge has not yet holds all others",
    file: "lib/notify/stuck.ts",
    from: "if (!sent.isAlone ||",
    to: "if (sent.isAlone ||",
    tests: deliveries,
  },
  {
    name: "told: a full disk loses messages",
    file: "lib/notify/tell.ts",
    from: "    untold.push({ id, waiting });\n",
    to: "    void id;\n",
    tests: ["tests/runs/notify_test.ts"],
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
  {
    name: "told: whatever GitLab refuses counts as done",
    file: "lib/forge/status.ts",
    from: 'said.includes("Cannot transition status")',
    to: "said.length >= 0",
    tests: forge,
  },
  {
    name: "told: a refusal is read to its end",
    file: "lib/base/post.ts",
    from: "const longestWords = 4096;",
    to: "const longestWords = Infinity;",
    tests: forge,
  },
  {
    name: "told: an end overtakes its beginning",
    file: "lib/notify/told.ts",
    from: "own > first ? own : first",
    to: "first && own",
    tests: told,
  },
  {
    name: "told: an alert starts after its end",
    file: "lib/notify/alertmanager.ts",
    from: "startsAt: earlier(since, endsAt)",
    to: "startsAt: since",
    tests: told,
  },
  {
    name: "told: what is too old is kept",
    file: "lib/notify/deliver.ts",
    from: "return waiting && isTooOld(waiting, now);",
    to: "return waiting && isTooOld(waiting, now) && false;",
    tests: deliveries,
  },
  {
    name: "told: each deployment tells a reboot anew",
    file: "lib/sync/lasting.ts",
    from: 'key: "reboot",',
    to: "key: `reboot ${revision}`,",
    tests: runs,
  },
  {
    name: "told: a correction ends what waits for approval",
    file: "lib/sync/lasting.ts",
    from: '  "corrected",\n',
    to: "",
    tests: runs,
  },
  {
    name: "told: a person's word has no end",
    file: "lib/run/same.ts",
    from: '    Date.parse(unfollow.until ?? "") > now.getTime();',
    to: "    now.getTime() > 0;",
    tests: runs,
  },
  {
    name: "told: a spell without an answer is the last attempt",
    file: "lib/report/textfile.ts",
    from: "history.findLast(isAttempt)",
    to: "history.findLast((one) => isAttempt(one) || true)",
    tests: ["tests/runs/metrics_test.ts"],
  },
  {
    name: "told: what is approved still wants approval",
    file: "lib/run/approval.ts",
    from: "!waiting || waiting.approved || rolledBackOf(state)",
    to: "!waiting || rolledBackOf(state)",
    tests: metrics,
  },
  {
    name: "serve: a push in a form is not heard",
    file: "lib/serve/push_event.ts",
    from: 'get("payload") ?? ""',
    to: 'get("other") ?? ""',
    tests: serve,
  },
  {
    name: "serve: the case of a path counts",
    file: "lib/serve/followed.ts",
    from: "${name.toLowerCase()}",
    to: "${name}",
    tests: serve,
  },
  {
    name: "serve: a recorded delivery counts again",
    file: "lib/serve/wanted.ts",
    from: "this.monotonic() - last < pause",
    to: "this.monotonic() - last < 0",
    tests: serve,
  },
  {
    name: "serve: a server that ended is waited for",
    file: "lib/cli/command/serve.ts",
    from: "Promise.race([stopped, endOf(server)])",
    to: "Promise.race([stopped, void endOf])",
    tests: ["tests/serve/server_test.ts"],
  },
];
